"""A small campaign of people who answer it, in a process of its own."""

import sys
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "loop"))
from lab import fill_in, go

from alloop.loop.people.labelling import record_file


def drive(pipe: Connection, run: Path) -> None:
    """Launch or continue it, to its end."""
    pipe.send("begun")
    state = go(run, budget={"initial": 4, "rounds": 6, "measurements": [50]})
    while state.closed is None:
        # Half of a batch comes first, so that a kill may fall between.
        for share in (0.5, 1.0):
            if state.pending:
                record_file(run, fill_in(run, run.with_name("results.csv"), share=share))
                state = go(run)
    pipe.send("closed")
