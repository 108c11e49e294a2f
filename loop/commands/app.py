"""The `alloop` command: errors become one line, and so does Ctrl-C at any moment."""

import atexit
import gc
import signal
import sys
from types import FrameType
from typing import NoReturn

from alloop.loop.commands.exit_codes import BAD_INPUT, INTERRUPTED, OUTPUT_LOST
from alloop.loop.commands.garbage import collect_as_usual, collect_seldom
from alloop.loop.commands.printing.output import lasting_output, output_problem


def main() -> None:
    """Run the command line; errors of the user's become one line and exit code 2."""
    # Set before anything heavy is imported: whoever stops a command while it starts sees a line,
    # not where in an import it was.
    before = signal.signal(signal.SIGINT, _stop)
    collect_seldom()
    atexit.register(gc.freeze)  # a process that ends need not look for garbage once more
    try:
        with lasting_output():
            _run()
    finally:
        collect_as_usual()
        signal.signal(signal.SIGINT, before)


def _run() -> None:
    from alloop.errors import AlloopError
    from alloop.loop.commands.printing.text import print_error
    from alloop.loop.commands.registry import app

    try:
        app(prog_name="alloop")  # however it was started; shells complete by this name
    except AlloopError as error:
        print_error(str(error))
        sys.exit(BAD_INPUT)
    finally:
        if problem := output_problem():
            print_error(f"the output could not be written ({problem})")
            sys.exit(OUTPUT_LOST)


def _stop(signum: int, frame: FrameType | None) -> NoReturn:
    print("interrupted", file=sys.stderr)
    raise SystemExit(INTERRUPTED)
