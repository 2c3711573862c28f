"""Reports, their headlines and supporting words."""
