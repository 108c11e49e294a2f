"""Made-up alloys whose label follows from their composition, and campaigns over them."""

import itertools
from pathlib import Path
from typing import Any

ELEMENTS = ("Fe", "Ni", "Cr", "Co")
SMALL_DVAE = {
    "kind": "dvae",
    "descriptors": "eight",
    "latents": 2,
    "width": 8,
    "committees": 1,
    "trees": 5,
    "transport_layers": 2,
    "random_alloys": 16,
    "epochs": 3,
    "refit_epochs": 1,
}


def is_single_phase(fractions: tuple[float, ...]) -> bool:
    """Return the label: nickel and cobalt together make up half or more."""
    return fractions[1] + fractions[3] >= 0.5


def write_table(path: Path, steps: int = 5) -> Path:
    """Write every alloy on a grid, formula and label: 56 of them for 5 steps."""
    rows = ["Alloys,Class"]
    for parts in itertools.product(range(steps + 1), repeat=len(ELEMENTS)):
        if sum(parts) == steps:
            fractions = tuple(part / steps for part in parts)
            formula = "".join(f"{el}{n}" for el, n in zip(ELEMENTS, parts, strict=True) if n)
            rows.append(f"{formula},{int(is_single_phase(fractions))}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(rows) + "\n")
    return path


def write_hea(folder: Path) -> Path:
    """Write a small table with the columns of the published one, where it is looked for."""
    rows = ["# made up", "Alloys,Class," + ",".join(ELEMENTS)]
    for parts in itertools.product(range(5), repeat=len(ELEMENTS)):
        if sum(parts) == 4:
            fractions = tuple(part / 4 for part in parts)
            formula = "".join(f"{el}{n}" for el, n in zip(ELEMENTS, parts, strict=True) if n)
            label = int(is_single_phase(fractions))
            rows.append(f"{formula},{label}," + ",".join(map(str, fractions)))
    rows.append(rows[2])  # as in the published one, an alloy stands twice
    path = folder / "hea" / "HEA_top30_comps.csv"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(rows) + "\n")
    return path


def retrospective(table: Path, **changes: Any) -> dict[str, Any]:
    """Return the mapping of a campaign over the table."""
    return {
        "name": "alloys",
        "seed": 1,
        "space": {"kind": "compositions", "elements": list(ELEMENTS)},
        "objectives": [{"property": "single_phase_probability", "goal": "maximise"}],
        "model": SMALL_DVAE,
        "acquisition": {"strategy": "uncertainty", "candidates": "table", "batch": 4},
        "tiers": [
            {
                "kind": "table",
                "file": str(table),
                "formula": "Alloys",
                "properties": {"single_phase_probability": "Class"},
            }
        ],
        "budget": {"initial": 8, "rounds": 2, "measurements": [100]},
    } | changes
