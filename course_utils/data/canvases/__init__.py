"""Canvases with digits, their boxes and labels."""
