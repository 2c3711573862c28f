"""French phrases, their English, and gold alignments."""
