"""The figures of execution: `make bench-execution`.

`python -m benchmarks.execution N` is a trial with N measurements that records nothing.
"""

import sys
import tempfile
from pathlib import Path

from benchmarks.execution.measure_many import measure_many
from benchmarks.recording import record

MEASUREMENTS = 10_000


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else MEASUREMENTS
    with tempfile.TemporaryDirectory() as folder:
        outcome = measure_many(Path(folder), n)
    rss = outcome.rss
    figures = {
        "measurements": outcome.measurements,
        "lost": outcome.lost,
        "twice": outcome.twice,
        "workers_killed": outcome.workers_killed,
        "tried_again": outcome.tried_again,
        "controller_rss_mb_at_start": rss[0],
        "controller_rss_mb_at_quarter": rss[len(rss) // 4],
        "controller_rss_mb_at_half": rss[len(rss) // 2],
        "controller_rss_mb_at_end": rss[-1],
        "seconds": outcome.seconds,
        "measurements_per_second": outcome.measurements / outcome.seconds,
    }
    print(figures)
    if n == MEASUREMENTS:
        record("execution", figures, command="make bench-execution")


if __name__ == "__main__":
    main()
