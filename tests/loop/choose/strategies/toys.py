"""Problems with a known optimum, and campaigns that search for it."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.core import Composition, Structure

from alloop.campaigns.load import parse_spec
from alloop.campaigns.spec import CampaignSpec
from alloop.canonical import sha256
from alloop.loop.controller import Controller
from alloop.loop.run_folder import RunFolder
from alloop.materials import Material, composition_of
from alloop.models.lattice.parent import ParentLattice
from alloop.oracles.base import Measurement, Oracle
from tests.loop.alloys import SMALL_DVAE
from tests.loop.observers import Silent

FCC = ParentLattice.of_size("fcc", 16)
FRACTIONS = {"Ni": 0.25, "Fe": 0.25, "Cr": 0.5}
SPINS = {"Ni": 1.0, "Fe": 0.2, "Cr": -0.6}
"""Numbers whose products over pairs of sites are the pairs' energies."""
ORDERING: dict[str, Any] = {
    "name": "ordering",
    "seed": 1,
    "space": {
        "elements": list(FRACTIONS),
        "lattices": ["fcc"],
        "atoms": 16,
        "fractions": {el: [x, x] for el, x in FRACTIONS.items()},
    },
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "model": {"width": 8, "depth": 1, "epochs": 1, "unlabelled": 16},
    "budget": {"initial": 16, "rounds": 4, "measurements": [48]},
    "acquisition": {"batch": 8},
}
TARGET = {"Ni": 0.42, "Fe": 0.17, "Co": 0.30, "Mn": 0.11}
COMPOSITION: dict[str, Any] = ORDERING | {
    "name": "composition",
    "space": {"kind": "compositions", "elements": list(TARGET)},
    "model": SMALL_DVAE,
}
CRYSTAL: dict[str, Any] = ORDERING | {
    "name": "crystal",
    "space": {
        "kind": "structures",
        "elements": ["Li", "Ni", "Cu", "Al", "Si", "Fe"],
        "max_atoms": 4,
    },
    "model": {"kind": "ftcp"},
}
WORTH = {"Li": 1.0, "Ni": 3.0, "Cu": 4.0, "Al": 2.0, "Si": 5.0, "Fe": 6.0}
"""What an element adds to a crystal's value, by its fraction."""


def pair_energy(numbers: np.ndarray) -> np.ndarray:
    """Return the value of orderings, shape (n, 16), of spins: a linear function of pair
    correlations that favours unlike first and like second neighbours."""
    first, second = FCC.shells[:2]
    one = (numbers[:, :, None] * numbers[:, first]).mean(axis=(1, 2))
    other = (numbers[:, :, None] * numbers[:, second]).mean(axis=(1, 2))
    return 150.0 - 30.0 * one + 10.0 * other


@cache
def best_ordering() -> float:
    """Return the largest value of all 900,900 orderings of 4, 4 and 8 atoms, by enumeration."""
    rest = np.array(list(itertools.combinations(range(12), 4)))
    best = -np.inf
    for sites in itertools.combinations(range(16), 4):
        if sites[0]:
            break  # by symmetry one atom of nickel may be put on the first site
        others = np.setdiff1d(np.arange(16), sites)
        spins = np.full((len(rest), 16), SPINS["Cr"])
        spins[:, sites] = SPINS["Ni"]
        np.put_along_axis(spins, others[rest], SPINS["Fe"], axis=1)
        best = max(best, float(pair_energy(spins).max()))
    return best


@dataclass(frozen=True)
class Toy:
    """Answers with an analytic function of the material."""

    name: str = "toy"

    def fingerprint(self) -> str:
        return sha256("toy")

    def measure(self, material: Material) -> Measurement:
        values = {"bulk_modulus": toy_value(material)}
        return Measurement.succeeded(values, oracle=self.name, fingerprint=self.fingerprint())


def toy_value(material: Material) -> float:
    """Return an ordering's value by its pairs, a crystal's by its elements, an alloy's by its
    distance from the target."""
    composition = composition_of(material)
    if isinstance(material, Structure) and len(material) == FCC.n_sites:
        spins = np.array([SPINS[symbol] for symbol in FCC.decoration(material)])
        return float(pair_energy(spins[None])[0])
    if isinstance(material, Structure):
        return sum(WORTH[symbol] * composition[symbol] for symbol in composition.as_dict())
    return -sum((float(composition[el]) - x) ** 2 for el, x in TARGET.items())


def write_grid(path: Path, steps: int) -> Path:
    """Write a table of all alloys of the target's elements on a grid, with their values."""
    rows = ["formula,K"]
    for parts in itertools.product(range(steps + 1), repeat=len(TARGET)):
        if sum(parts) == steps:
            alloy = Composition({el: n / steps for el, n in zip(TARGET, parts, strict=True) if n})
            formula = "".join(f"{el}{n}" for el, n in zip(TARGET, parts, strict=True) if n)
            rows.append(f"{formula},{toy_value(alloy)}")
    path.write_text("\n".join(rows) + "\n")
    return path


def spec_of(base: dict[str, Any], strategy: str, table: Path, **changes: Any) -> CampaignSpec:
    """Return a campaign with a strategy; the toy stands in for its tier."""
    is_crystal = base["space"].get("kind") != "compositions"
    tier = {"kind": "lammps", "potential": "NiFeCr-Wu2017"} if is_crystal else of_table(table)
    acquisition = base["acquisition"] | {"strategy": strategy} | changes.pop("acquisition", {})
    data = base | {"tiers": [tier], "cache": False, "acquisition": acquisition} | changes
    return parse_spec(data, where="toy")


def of_table(table: Path) -> dict[str, Any]:
    return {"kind": "table", "file": str(table), "properties": {"bulk_modulus": "K"}}


def search(run: Path, spec: CampaignSpec | None, observer: Silent | None = None) -> RunFolder:
    """Run or continue a campaign to its end."""
    watcher = observer or Silent()
    with Controller(run, spec, build_oracles=oracles_of, observer=watcher) as running:
        running.run()
    return RunFolder.read(run)


def oracles_of(spec: CampaignSpec) -> Sequence[Oracle]:
    """Return the table's own oracle where rows of it are chosen, the toy otherwise."""
    is_table = spec.acquisition.candidates == "table"
    return spec.build_oracles() if is_table else [Toy()]


def best_value(folder: RunFolder) -> float:
    best = folder.state.best()
    assert best is not None
    return best.properties["bulk_modulus"]
