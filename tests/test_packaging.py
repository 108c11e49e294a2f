"""What is in the repository is in the distribution."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_package_is_listed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for room in ("alloop", "campaigns", "loop", "models", "oracles")
        for path in (ROOT / room).rglob("__init__.py")
    }
    assert sorted(listed) == sorted(found)
