"""Spoken phrases, their phonemes and times."""
