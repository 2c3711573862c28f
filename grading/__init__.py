"""Grading a class: release, collect, autograde, feedback, export. `python -m grading --help`."""
