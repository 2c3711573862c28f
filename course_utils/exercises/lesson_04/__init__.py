"""The exercises of lesson 4, captioning: one module each."""
