"""What is stale, why, and what remaking it costs: `make refresh`."""
