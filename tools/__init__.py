"""Commands for contributors: build the notebooks, run the lessons, measure speed. Not part of the installed package."""
