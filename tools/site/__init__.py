"""The course's site. `make site` calls `python -m tools.site`: pages are prepared in build/site, then Sphinx runs."""
