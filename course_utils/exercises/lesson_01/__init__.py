"""The exercises of lesson 1: the bottleneck."""
