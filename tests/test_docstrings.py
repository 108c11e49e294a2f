"""Docstrings begin with what the thing is: a noun for attributes, a verb for functions.

"Of each atom." says nothing on its own, in an editor's hover or in a list of attributes.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("alloop", "loop", "campaigns", "models", "oracles", "benchmarks", "examples")
OPENINGS = ("Of ", "In ", "By ", "As ", "With ", "At ", "Likewise", "The same")
UNIT = re.compile(r"(Å|eV|GPa|µB|K|s|J|Ry|Shape|Nats)([²³]|/\w+[²³]?)*[.,;: ]")
"""A unit or a shape standing first, where the noun belongs."""


def docstrings(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of every docstring of a class, a function or an attribute."""
    for node in ast.walk(ast.parse(source)):
        body = getattr(node, "body", [])
        statements = body if isinstance(body, list) else []
        for previous, statement in zip([None, *statements], statements, strict=False):
            is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            is_own = previous is None and not isinstance(node, ast.Module)
            is_attribute = isinstance(previous, ast.Assign | ast.AnnAssign)
            if is_text and isinstance(statement.value.value, str) and (is_own or is_attribute):
                yield statement.lineno, statement.value.value


def faults(source: str) -> list[str]:
    """Return the docstrings that do not begin with what the thing is, with their lines."""
    return [
        f"{line}: {text.splitlines()[0]}"
        for line, text in docstrings(source)
        if text.startswith(OPENINGS) or UNIT.match(text)
    ]


def modules() -> list[Path]:
    """Return every module of the rooms that is a real file, not reached by a link."""
    found = {path.resolve() for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    return sorted(found)


@pytest.mark.parametrize("module", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_docstrings_say_what_the_thing_is(module: Path) -> None:
    assert faults(module.read_text()) == []


@pytest.mark.parametrize("text", ["Of each atom.", "eV/Å², by atom.", "Shape (n,).", "The same."])
def test_a_docstring_that_does_not_say_what_the_thing_is_is_found(text: str) -> None:
    assert faults(f'x = 1\n"""{text}"""') == [f"2: {text}"]
    assert faults(f'x = 1\n"""Energy, {text}"""') == []
