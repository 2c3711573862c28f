"""The exercises of lesson 3: glimpses."""
