"""Run or continue the small campaign of people in RUN, answering it: drive_lab.py RUN."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "loop"))
from lab import fill_in, go

from loop.labelling import record_file


def main() -> None:
    run = Path(sys.argv[1])
    print("begun", flush=True)
    state = go(run, budget={"initial": 4, "rounds": 6, "measurements": [50]})
    while state.closed is None:
        # Half of a batch comes first, so that a kill may fall between.
        for share in (0.5, 1.0):
            if state.pending:
                record_file(run, fill_in(run, run.with_name("results.csv"), share=share))
                state = go(run)
    print("closed", flush=True)


if __name__ == "__main__":
    main()
