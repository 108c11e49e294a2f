"""What a command's exit code says."""

NOT_VERIFIED = 1
"""Exit code when the record does not verify, or a decision did not follow again."""
BAD_INPUT = 2
"""Exit code when the request cannot be fulfilled; the error says why, and what to do."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells count it: 128 and the number of the signal."""
