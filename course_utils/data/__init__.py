"""Data sets of the course: one offline default for each lesson, and doors to the real data."""
