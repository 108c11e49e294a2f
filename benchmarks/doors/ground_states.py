"""Ground states that a campaign finds, and that enumeration by the same oracle confirms."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure

from alloop.campaigns.load import parse_spec
from alloop.campaigns.spec import CampaignSpec
from alloop.models.lattice.decorations import DecorationSpace
from alloop.oracles.base import Status
from benchmarks.doors.enumeration import inequivalent_orderings
from benchmarks.doors.parent_spaces import parent_campaign
from benchmarks.doors.parents import energies_of

SAME_ENERGY = 1e-4
"""Largest difference of the energies of one ordering, eV/atom: what relaxations leave open."""


def _of(first: str, second: str, share: float) -> dict[str, Any]:
    return {
        "elements": [first, second],
        "fractions": {first: [share, share], second: [1 - share, 1 - share]},
    }


GROUND_STATES: Mapping[str, tuple[dict[str, Any], dict[str, Any], Structure]] = MappingProxyType(
    {
        "l12_ni3al": (
            {"parent": "fcc", "supercell": [2, 2, 1], **_of("Ni", "Al", 0.75)},
            {"kind": "lammps", "potential": "NiAlH_jea.eam.alloy"},
            Structure.from_spacegroup(
                "Pm-3m", Lattice.cubic(3.57), ["Al", "Ni"], [[0, 0, 0], [0, 0.5, 0.5]]
            ),
        ),
        "l10_nial": (
            {"parent": "fcc", "supercell": [2, 2, 1], **_of("Ni", "Al", 0.5)},
            {"kind": "lammps", "potential": "NiAlH_jea.eam.alloy"},
            Structure.from_spacegroup(
                "P4/mmm", Lattice.tetragonal(2.7, 3.8), ["Ni", "Al"], [[0, 0, 0], [0.5] * 3]
            ),
        ),
        "layered_licoo2": (
            {
                "parent": "layered-oxide",
                "supercell": [2, 1, 1],
                "sublattices": {
                    "M": {"sites": ["A", "B"], **_of("Li", "Co", 0.5)},
                    "X": {"elements": ["O"]},
                },
            },
            {"kind": "mlip", "model": "chgnet", "strain": 0.0, "force_tolerance": 0.05},
            Structure.from_spacegroup(
                "R-3m:H",
                Lattice.hexagonal(2.816, 14.05),
                ["Li", "Co", "O"],
                [[0, 0, 0.5], [0, 0, 0], [0, 0, 0.2605]],
            ),
        ),
    }
)
"""Space of one composition, tier, and the ordering known from the literature (Ni₃Al: L1₂; on fcc
NiAl: L1₀; LiCoO₂: alternate layers, R-3m), by name."""

BUDGET = {"initial": 8, "rounds": 4, "measurements": [24]}
"""Measurements of the campaigns that look for a ground state."""


def measure() -> dict[str, float]:
    """Return the number of ground states found, with what it is made of."""
    figures: dict[str, float] = {}
    for name in GROUND_STATES:
        figures |= ground_state_figures(name)
    found = [figures[f"ground_state_found_{name}"] for name in GROUND_STATES]
    return {"ground_states_found": sum(found), **figures}


def ground_state_figures(name: str) -> dict[str, float]:
    """Return whether a campaign finds the lowest of all orderings, and whether that is the one the
    literature knows."""
    space, tier, published = GROUND_STATES[name]
    spec = {
        **parent_campaign("fcc"),
        "name": name.replace("_", "-"),
        "space": space,
        "tiers": [tier],
        "budget": BUDGET,
        "acquisition": {"strategy": "surrogate-bo", "batch": 4},
    }
    answers = energies_of(spec)
    read = parse_spec(spec, where=name)
    orderings = inequivalent_orderings(DecorationSpace.of_space(read.space))  # type: ignore[arg-type]
    energies = _energies(read, orderings)
    lowest = min(energies, key=lambda place: energies[place])
    best = min(answers)
    labels = 1 + next(n for n, e in enumerate(answers) if e < best + SAME_ENERGY)
    # In a cell that is no cube one ordering may lie in several ways.
    others = [e for e in energies.values() if e > energies[lowest] + SAME_ENERGY]
    gap = min(others) - energies[lowest]
    matcher = StructureMatcher(ltol=0.3, stol=0.4, angle_tol=10)
    print(f"{name}: {best:.5f}, lowest of {len(orderings)} {energies[lowest]:.5f}", flush=True)
    return {
        f"ground_state_found_{name}": float(best < energies[lowest] + SAME_ENERGY),
        f"ground_state_is_published_{name}": float(matcher.fit(orderings[lowest], published)),
        f"ground_state_labels_{name}": float(labels),
        f"ground_state_orderings_{name}": float(len(orderings)),
        f"ground_state_gap_{name}_ev_per_atom": gap,
        f"ground_state_failed_{name}": float(len(orderings) - len(energies)),
    }


def _energies(spec: CampaignSpec, orderings: list[Structure]) -> dict[int, float]:
    """Return the energies in eV/atom of the orderings that the campaign's oracle could measure."""
    oracle = spec.build_oracles()[0]
    found = {}
    for place, ordering in enumerate(orderings):
        measured = oracle.measure(ordering)
        if measured.status is not Status.FAILED:
            found[place] = measured.properties["energy_per_atom"]
    return found
