"""How much somebody writes who brings an oracle: the example package that the tests install.

python -m benchmarks.house plugin
"""

from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "plugin"
OF_THE_MODEL = ("linear-fractions", "alloop.models")
"""What tells the lines of the package's description that concern its model."""


def figures() -> dict[str, float]:
    """Return ``plugin_lines``: lines with anything on them of the oracle's options and class, and
    of the description of a package that holds them alone.
    """
    module = _written(EXAMPLE / "hardness_rig.py")
    description = [
        line
        for line in _written(EXAMPLE / "pyproject.toml")
        if not any(word in line for word in OF_THE_MODEL)
    ]
    return {"plugin_lines": float(len(module) + len(description))}


def _written(path: Path) -> list[str]:
    return [line for line in path.read_text("utf-8").splitlines() if line.strip()]
