"""What a command's exit code says."""

NOT_VERIFIED = 1
"""The record does not hold together, or a decision did not follow again."""
BAD_INPUT = 2
"""What was asked for cannot be done; the error says why, and what to do."""
INTERRUPTED = 130
"""Ctrl-C, as shells count it: 128 and the number of the signal."""
