"""The exercise of lesson 0."""
