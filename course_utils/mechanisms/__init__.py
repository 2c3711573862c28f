"""The mechanisms the course exists to teach; nothing here imports anything else of ours.

Read in this order: `attention` (where to look), `recurrent` (encoders, and decoders with a pluggable
attention), `search` (how to read a sentence out of a decoder).
"""
