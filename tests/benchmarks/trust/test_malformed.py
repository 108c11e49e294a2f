"""Input that once gave a wrong answer, none or a traceback: each file of the benchmark's is right.

Those that run a command of their own are the benchmark's alone; their parts are tested beside the
code.
"""

from pathlib import Path

import pytest

from benchmarks.trust.malformed import cases

RUN_COMMANDS = {
    "name_that_is_not_utf8",
    "terminal_that_is_not_utf8",
    "pipe_that_nobody_reads",
    "output_to_a_full_disk",
    "names_that_a_terminal_or_spreadsheet_would_obey",
    "run_moved_with_its_potential",
}


@pytest.mark.parametrize("name", sorted(cases.CASES.keys() - RUN_COMMANDS))
def test_case(name: str, tmp_path: Path) -> None:
    cases.CASES[name](tmp_path)


def test_what_is_wrong_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(folder: Path) -> None:
        raise AssertionError("never right")

    right = cases.CASES["utf8_with_a_mark"]
    monkeypatch.setattr(cases, "CASES", {"wrong": wrong, "right": right})
    assert cases.measure() == {"cases": 2, "wrong_or_silent_cases": 1}
