"""One namespace: what is installed is ``alloop`` alone, and nothing is imported by a flat name."""

import ast
import os
from pathlib import Path

import pytest

from benchmarks.house.structure import build_both, names_in, top_level

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


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheel of the tree, and that of its source distribution."""
    return build_both(tmp_path_factory.mktemp("built"))


def test_the_wheel_puts_one_package_in_place(wheels: tuple[Path, Path]) -> None:
    assert top_level(wheels[0]) == {"alloop"}


def test_the_wheel_holds_every_file_of_the_rooms(wheels: tuple[Path, Path]) -> None:
    files = {
        (Path("alloop") / path.relative_to(ROOT)).as_posix()
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    kinds = {name.rpartition(".")[2] for name in files}
    assert {"py", "yaml", "j2", "css", "js", "meam"} <= kinds
    missing = (files | {"alloop/__init__.py", "alloop/py.typed"}) - names_in(wheels[0])
    assert missing == set()


def test_the_source_distribution_makes_the_same_wheel(wheels: tuple[Path, Path]) -> None:
    of_tree, of_sdist = (
        {name for name in names_in(wheel) if ".dist-info/" not in name} for wheel in wheels
    )
    assert of_sdist == of_tree
