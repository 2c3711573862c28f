"""Premises, hypotheses, labels and gold alignments."""
