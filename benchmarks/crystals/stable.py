"""Stable phases of six chemical systems: ours against random candidates, random structures and a
model's latent search.

In two spaces: orderings of fcc, bcc and hcp cells, and AFLOW's prototypes, whose random filling is
what is called prototype substitution. Energies are those of potentials that come with LAMMPS: what
they call stable is not nature's, and all strategies are asked for the same. A phase is found by a
run if it measured it; it counts if it lies within ``NEAR`` of the hull of all runs of its system
together, compounds of one formula whose energies agree being one phase.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from pymatgen.core import Composition

from alloop.loop.run_folder import RunFolder
from alloop.loop.state.hull import Hull, Phase, hull_of
from alloop.materials import formula_of
from alloop.properties import FORMATION_ENERGY
from benchmarks.crystals.random_structures import measured_phases
from benchmarks.kept_runs import runs_folder
from benchmarks.search.figures import key_of
from benchmarks.search.seeds import OURS, Strategy, of_kind, run_seeds
from benchmarks.spread import spread

SYSTEMS = {
    ("Al", "Ni"): "NiAlH_jea.eam.alloy",
    ("Al", "Cu"): "AlCu.eam.alloy",
    ("Al", "Co"): "CoAl.eam.alloy",
    ("Cu", "Zr"): "CuZr_mm.eam.fs",
    ("Al", "Fe", "Ni"): "MoCoNiVFeAlCr_2nn.meam",
    ("Al", "Co", "Ni"): "MoCoNiVFeAlCr_2nn.meam",
}
"""Potential of each system."""
SPACES: Mapping[str, Mapping[str, Any]] = {
    "orderings": {"parents": ["fcc", "bcc", "hcp"], "atoms": 16},
    "prototypes": {"kind": "structures", "max_atoms": 8},
}
INITIAL, BATCH, LABELS = 16, 8, 64
SEEDS = (1, 2, 3)
MODELS: Mapping[str, str] = {
    "orderings": "model={kind: lattice}",
    "prototypes": "model={kind: ftcp, network: {kind: direct}}",
}
"""Model of each space whose latent points a search begins at as well."""
RANDOM_STRUCTURES = "random structures"
NEAR = 0.025
"""Energy above the hull up to which a phase counts, eV/atom."""
SAME = 0.002
"""Difference of two energies of one formula below which they are one phase, eV/atom."""
STEPS = 24
"""Steps of a fraction at which hulls are compared."""


@dataclass(frozen=True)
class Found:
    """Phases that a run measured, in the order of its labels; None for a failure."""

    phases: tuple[Phase | None, ...]

    @classmethod
    def read(cls, run: Path) -> "Found":
        """Return those of a run."""
        state = RunFolder.read(run).state
        phases: list[Phase | None] = []
        for evaluation in state.evaluations:
            m = state.recorded.get(evaluation.id)
            if m is None:
                continue
            energy = None if m.doubts.get(FORMATION_ENERGY) else m.properties.get(FORMATION_ENERGY)
            formula = formula_of(Composition(state.formulas[m.candidate]).reduced_composition)
            phases.append(None if energy is None else Phase(formula, energy, m.candidate))
        return cls(tuple(phases))

    @property
    def known(self) -> tuple[Phase, ...]:
        """Phases that were measured."""
        return tuple(phase for phase in self.phases if phase is not None)


def orderings() -> dict[str, Any]:
    """Return the figures of orderings of fcc, bcc and hcp cells."""
    return figures_of("orderings")


def prototypes() -> dict[str, Any]:
    """Return the figures of AFLOW's prototypes."""
    return figures_of("prototypes")


def figures_of(space: str) -> dict[str, Any]:
    """Return, over systems and seeds, the phases that ours and the others found in a space
    (``stable_found_SPACE``, ``…_NAME``), how much earlier ours had as many as the others in the
    end, or one where they have none (``stable_af_SPACE_NAME``), and how far its hull lies above
    that of all.
    """
    most_atoms = int(SPACES[space].get("atoms") or SPACES[space]["max_atoms"])
    strategies = (
        OURS,
        of_kind("random", BATCH),
        Strategy("with model", ("acquisition.strategy=latent-bo", MODELS[space])),
    )
    counts: dict[str, list[float]] = {}
    gaps: dict[str, list[float]] = {}
    ratios: dict[str, list[float]] = {}
    for elements, potential in SYSTEMS.items():
        with runs_folder(f"stable-{space}-{''.join(elements)}") as folder:
            spec = _spec(space, elements, potential)
            runs = run_seeds(spec, strategies, folder, seeds=SEEDS)
            found = {name: [Found.read(run) for run in of] for name, of in runs.items()}
        found[RANDOM_STRUCTURES] = [
            Found(measured_phases(elements, potential, LABELS, most_atoms, seed)) for seed in SEEDS
        ]
        every = tuple(p for of in found.values() for each in of for p in each.known)
        hull = hull_of(elements, every)
        stable = {name: [stable_after(each, hull) for each in of] for name, of in found.items()}
        for name, curves in stable.items():
            counts.setdefault(name, []).extend(float(curve[-1]) for curve in curves)
            gaps.setdefault(name, []).extend(gap(each, hull) for each in found[name])
        for other in found:
            if other == OURS.name:
                continue
            wanted = max(1.0, median(curve[-1] for curve in stable[other]))
            needed, theirs = (
                median(labels_to(curve, wanted) for curve in stable[name])
                for name in (OURS.name, other)
            )
            ratios.setdefault(other, []).append(theirs / needed)
    figures: dict[str, Any] = {}
    for name, of_all in counts.items():
        key = space if name == OURS.name else f"{space}_{key_of(name)}"
        figures[f"stable_found_{key}"] = spread(of_all)
        figures[f"stable_hull_gap_{key}_ev_per_atom"] = spread(gaps[name])
    for name, of_systems in ratios.items():
        figures[f"stable_af_{space}_{key_of(name)}"] = median(of_systems)
    return figures


def stable_after(found: Found, hull: Hull) -> list[int]:
    """Return the number of different phases near the hull after each label.

    Args:
        found: of a run.
        hull: of all runs of the system.
    """
    near: dict[str, list[float]] = {}
    numbers, n = [], 0
    for phase in found.phases:
        amounts = {} if phase is None else Composition(phase.formula).get_el_amt_dict()
        if phase is not None and len(amounts) > 1:
            above = phase.formation_energy - hull.energy_at(amounts)
            same = near.setdefault(phase.formula, [])
            if above <= NEAR and all(abs(phase.formation_energy - e) > SAME for e in same):
                same.append(phase.formation_energy)
                n += 1
        numbers.append(n)
    return numbers


def labels_to(curve: Sequence[int], wanted: float) -> int:
    """Return the labels after which a count was reached; one batch more than all if it was not."""
    reached = np.flatnonzero(np.asarray(curve) >= wanted)
    return int(reached[0]) + 1 if len(reached) else len(curve) + BATCH


def gap(found: Found, hull: Hull) -> float:
    """Return how far a run's hull lies above that of all runs, eV/atom, on average over the
    compositions of a grid."""
    own = hull_of(hull.elements, found.known)
    grid = [
        parts
        for parts in np.ndindex(*[STEPS + 1] * len(hull.elements))
        if sum(parts) == STEPS and sum(part > 0 for part in parts) > 1
    ]
    apart = []
    for parts in grid:
        amounts = {el: n / STEPS for el, n in zip(hull.elements, parts, strict=True) if n}
        apart.append(own.energy_at(amounts) - hull.energy_at(amounts))
    return float(np.mean(apart))


def _spec(space: str, elements: Sequence[str], potential: str) -> Mapping[str, Any]:
    rounds = (LABELS - INITIAL) // BATCH
    return {
        "name": "stable-" + "-".join(elements).lower(),
        "space": {**SPACES[space], "elements": list(elements)},
        "objectives": [{"property": "energy_above_hull", "goal": "minimise"}],
        "acquisition": {"strategy": "surrogate-bo", "batch": BATCH},
        "tiers": [{"kind": "lammps", "potential": potential}],
        "budget": {"initial": INITIAL, "rounds": rounds, "measurements": [LABELS]},
        "execution": {"kind": "local", "workers": 1},
    }
