"""What a command's exit code says."""

NOT_VERIFIED = 1
"""Exit code when the record does not verify, or a decision did not follow again."""
BAD_INPUT = 2
"""Exit code when the request cannot be fulfilled; the error says why, and what to do."""
PAUSED = 3
"""Exit code when the limit on wall time ended a session before the campaign was done; what was left
undone is printed, and a larger ``budget.wall_time`` lets it go on."""
OUTPUT_LOST = 74
"""Exit code when what was to be printed could not be written, as sysexits.h has it (EX_IOERR). A
reader that closes its pipe is no error."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells count it: 128 and the number of the signal."""
