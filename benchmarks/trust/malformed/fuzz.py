"""Many mutated files through every reader: `make fuzz`, or ``python -m`` this module and a number.

Counts what ends in anything but an answer or a refusal in a sentence, and what takes longer than
``HANG`` seconds or ``MEMORY`` bytes. Each input is known by its target and number, from which it is
made again.
"""

import logging
import multiprocessing
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks.trust.malformed.fuzz_targets import TARGETS, fed

INPUTS = 102_000
"""Inputs of one measurement, all targets together."""
HANG = 5.0
"""Seconds after which an input hangs: twice what a refusal may take, on a machine that is busy."""
MEMORY = 4_000_000_000
"""Bytes of address space that a process may take; libraries and threads' stacks take one third."""


class Hung(BaseException):
    """Raised in an input that takes too long; nothing catches it on the way."""


@dataclass
class Findings:
    """What came of the inputs of one target."""

    target: str
    n_inputs: int = 0
    n_taken: int = 0
    faults: list[str] = field(default_factory=list)
    """One line for each input that ended in a traceback: number, exception, where."""
    hung: list[int] = field(default_factory=list)
    slowest: float = 0.0


def feed(target: str, numbers: Sequence[int], folder: Path) -> Findings:
    """Feed a target inputs by their numbers."""
    found = Findings(target)
    signal.signal(signal.SIGALRM, _hung)
    warnings.simplefilter("ignore")
    for number in numbers:
        began = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, HANG)
        try:
            found.n_taken += fed(TARGETS[target], folder, random.Random(f"{target} {number}"))
        except Hung:
            found.hung.append(number)
        except Exception as error:  # what is being counted
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(where.filename).name}:{where.lineno}"
            found.faults.append(f"{number}: {type(error).__name__}: {error} at {place}"[:300])
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        found.n_inputs += 1
        found.slowest = max(found.slowest, time.perf_counter() - began)
    return found


def measure(n_inputs: int = INPUTS) -> dict[str, Any]:
    """Return the figures, with the first faults of each target printed."""
    each = n_inputs // len(TARGETS)
    began = time.perf_counter()
    context = multiprocessing.get_context("spawn")
    with context.Pool(2, _prepare_process, maxtasksperchild=1) as pool:
        results = pool.map(_feed_in_a_folder, [(name, each) for name in TARGETS], chunksize=1)
    for found in results:
        print(
            f"{found.target}: {found.n_inputs} inputs, {found.n_taken} taken, {len(found.faults)} "
            f"tracebacks, {len(found.hung)} hung, slowest {found.slowest:.2f} s",
            flush=True,
        )
        kinds = Counter(fault.partition(": ")[2] for fault in found.faults)
        examples = {fault.partition(": ")[2]: fault for fault in found.faults}
        for kind, n in kinds.most_common(8):
            print(f"  {n} × {examples[kind]}", flush=True)
    return {
        "fuzz_inputs": sum(found.n_inputs for found in results),
        "fuzz_tracebacks": sum(len(found.faults) for found in results),
        "fuzz_hangs": sum(len(found.hung) for found in results),
        "fuzz_faults": sum(len(found.faults) + len(found.hung) for found in results),
        "fuzz_taken_share": round(sum(f.n_taken for f in results) / (each * len(results)), 3),
        "fuzz_slowest_seconds": round(max(found.slowest for found in results), 2),
        "fuzz_seconds": round(time.perf_counter() - began),
    }


def _feed_in_a_folder(task: tuple[str, int]) -> Findings:
    target, n = task
    with tempfile.TemporaryDirectory() as folder:
        return feed(target, range(n), Path(folder))


def _prepare_process() -> None:
    logging.disable(logging.WARNING)  # a spool says of each file why it is not believed
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _hung(signum: int, frame: FrameType | None) -> None:
    raise Hung


if __name__ == "__main__":
    figures = measure(*map(int, sys.argv[1:2]))
    print(figures)
    sys.exit(figures["fuzz_tracebacks"] + figures["fuzz_hangs"] > 0)
