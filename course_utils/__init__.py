"""The package behind the course "Where to Look — attention in recurrent encoder–decoders".

Its folders are its floors, and imports point down:

    models → mechanisms → nothing of ours
    data, exercises, teaching, training and metrics know no models

Beside it stand experiments, grading and benchmarks, which it does not import.

Start reading in `course_utils.mechanisms.attention`. Importing this module alone is cheap: it does not load torch.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("where-to-look")
except PackageNotFoundError:  # the folder was copied, not installed
    __version__ = "unknown"
