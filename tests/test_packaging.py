"""One namespace: what is installed is ``alloop`` alone, and nothing is imported by a flat name."""

import ast
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("campaigns", "loop", "models", "oracles")


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_are_links_inside_the_namespace(room: str) -> None:
    link = ROOT / "alloop" / room
    assert link.is_symlink()
    assert os.readlink(link) == f"../{room}"


def test_nothing_is_imported_by_a_flat_name() -> None:
    flat = []
    folders = ("alloop", *ROOMS, "tests", "benchmarks")
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.ImportFrom(module=str(module), level=0):
                    names = [module]
                case ast.Import(names=aliases):
                    names = [alias.name for alias in aliases]
                case _:
                    continue
            flat += [f"{path}: {name}" for name in names if name.partition(".")[0] in ROOMS]
    assert flat == []
