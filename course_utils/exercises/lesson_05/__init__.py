"""Lesson 5, entailment: the exercises."""
