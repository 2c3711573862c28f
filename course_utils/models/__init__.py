"""One lesson's family of models per module, assembled from `course_utils.mechanisms`."""
