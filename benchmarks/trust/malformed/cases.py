"""Input that once gave a wrong answer, no answer or a traceback: each file made here, with what is
right about it. ``wrong_or_silent_cases`` is to be 0.
"""

import tempfile
import traceback
from pathlib import Path
from typing import Any

from benchmarks.trust.malformed import bound_cases, command_cases, format_cases
from benchmarks.trust.malformed.case import CASES

MODULES = (format_cases, bound_cases, command_cases)
"""Modules whose import registers the cases."""


def measure() -> dict[str, Any]:
    """Return how many cases there are and how many of them are wrong, which are printed."""
    wrong = []
    for name, check in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            try:
                check(Path(folder))
            except Exception:  # what is being counted
                wrong.append(name)
                print(f"{name}: {traceback.format_exc(limit=-2)}", flush=True)
    return {"cases": len(CASES), "wrong_or_silent_cases": len(wrong)}


if __name__ == "__main__":
    print(measure())
