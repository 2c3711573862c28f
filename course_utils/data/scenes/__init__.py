"""Scenes of animals and things, their captions and boxes."""
