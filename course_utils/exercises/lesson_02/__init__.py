"""The exercises of lesson 2: additive attention."""
