"""How fast the models are: `python -m benchmarks` measures, writes one table and one page."""
