"""Commands typed in this process, as a terminal of some width sees them."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from alloop.loop.commands.app import main

Typed = Callable[..., tuple[int, str, str]]
"""Runs an alloop command, given by its words: exit code, output, errors."""


def typed_at(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Typed:
    """Return a function that types commands in a terminal of so many columns."""

    def run(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["alloop", *map(str, words)])
        monkeypatch.setenv("COLUMNS", str(columns))
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run
