"""AlloGen's Figure 3: crystals from the prior, relaxed and measured, and the hull they lie on."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.core import Structure

from alloop.campaigns.load import parse_spec
from alloop.files.cif import read_cif
from alloop.loop.state.hull import Phase, hull_of
from alloop.materials import formula_of
from alloop.models.metrics.coverage import property_distance
from alloop.models.metrics.matching import novelty, uniqueness
from alloop.models.metrics.validity import is_compositionally_valid, is_structurally_valid
from alloop.models.pcdvae.model import PcdvaeModel
from alloop.oracles.base import Status
from alloop.properties import FORMATION_ENERGY
from benchmarks.pcdvae.judged import Judge, Judged
from benchmarks.two_fidelity.pairs import SPEC

GENERATED = 300
"""AlloGen generates 500."""
ON_HULL = 1e-3
"""Tolerance of the hull, eV/atom; nearer is on the hull of everything known, the elements and what
was generated."""
COMPARED = 40
"""Number of correct crystals, the first of random draws, that are compared with each other and with
known ones: cells of 16 atoms take a second for each pair of one composition."""
PROMOTED = 3
ELEMENTS = ("Ni", "Fe", "Cr")
SYSTEMS = (("Ni", "Fe"), ("Fe", "Cr"), ("Ni", "Cr"), ELEMENTS)


def generation_figures(
    model: PcdvaeModel, known: Sequence[Judged], judge: Judge, folder: Path
) -> dict[str, float]:
    """Return validity, uniqueness, novelty, how many lie on or under the known hulls, and what
    the higher tier says of those nearest to them.

    Args:
        model: trained.
        known: the training data.
        judge: measures.
        folder: where the names of those on or under the hull are written.
    """
    decoded = model.decode(model.draw(GENERATED, seed=0), seed=0)
    structures = [one for one in decoded if isinstance(one, Structure)]
    judged = judge.judge(structures)
    correct = [one for one in judged if one.rejection is None and one.relaxed is not None]
    relaxed = [one.relaxed for one in correct if one.relaxed is not None]
    references = [one.relaxed for one in known if one.relaxed is not None]
    valid = [one for one in structures if is_structurally_valid(one)]
    figures = {
        "generated_n": float(len(structures)),
        "generated_validity_structural": len(valid) / len(structures),
        "generated_validity_compositional": float(
            np.mean([is_compositionally_valid(one.composition) for one in structures])
        ),
        "generated_n_correct": float(len(correct)),
    }
    if not relaxed:
        return figures
    stiffness = [one.properties["bulk_modulus"] for one in correct]
    theirs = [one.properties["bulk_modulus"] for one in known]
    figures |= {
        "generated_uniqueness": uniqueness(relaxed[:COMPARED]),
        "generated_novelty": novelty(relaxed[:COMPARED], references),
        "generated_bulk_modulus_wasserstein_gpa": property_distance(stiffness, theirs),
    }
    placed = []
    for system in SYSTEMS:
        found, name = _against_hull(system, correct, known), "".join(system).lower()
        above = [one["energy_above_hull"] for one in found]
        figures[f"generated_{name}_n"] = float(len(found))
        figures[f"generated_{name}_on_hull"] = float(sum(one <= ON_HULL for one in above))
        if above:
            figures[f"generated_{name}_least_ev_per_atom_above_hull"] = min(above)
        placed += found
    placed.sort(key=lambda one: float(one["energy_above_hull"]))
    named = [one for one in placed if one["energy_above_hull"] <= ON_HULL]
    (folder / "on-hull.json").write_text(json.dumps(named, indent=1), encoding="utf-8")
    return figures | _promoted(placed)


def _promoted(placed: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Hand those nearest to the hulls to the higher tier, CHGNet."""
    _, dear = parse_spec(SPEC, where="benchmark").build_oracles()
    figures: dict[str, float] = {"generated_promoted_n": 0.0}
    for one in placed[:PROMOTED]:
        structure = read_cif(one["cif"]).structure
        found = dear.measure(structure)
        above = one["energy_above_hull"]
        print(one["formula"], one[FORMATION_ENERGY], above, found.properties, found.failure)
        if found.status is not Status.OK:
            continue
        formula = one["formula"].lower()
        figures["generated_promoted_n"] += 1
        figures[f"generated_{formula}_lammps_ev_per_atom"] = one[FORMATION_ENERGY]
        figures[f"generated_{formula}_chgnet_ev_per_atom"] = found.properties[FORMATION_ENERGY]
    return figures


def _against_hull(
    system: Sequence[str], correct: Sequence[Judged], known: Sequence[Judged]
) -> list[dict[str, Any]]:
    """Say how far what is new lies above the hull of a system's elements and of all its phases."""
    new = [one for one in correct if _is_of(one, system)]
    lowest: dict[str, Phase] = {}
    for one in known:
        phase = _phase(one, None)
        best = lowest.get(phase.formula)
        if _is_within(one, system) and (
            best is None or phase.formation_energy < best.formation_energy
        ):
            lowest[phase.formula] = phase
    before = hull_of(tuple(system), tuple(lowest.values()))
    after = hull_of(
        tuple(system),
        (*before.phases, *(_phase(one, str(row)) for row, one in enumerate(new))),
    )
    return [
        {
            "system": "-".join(system),
            "formula": formula_of(one.decoded),
            "formation_energy_per_atom": one.properties[FORMATION_ENERGY],
            "energy_above_hull": after.energies_above[str(row)],
            "bulk_modulus": one.properties["bulk_modulus"],
            "cif": one.relaxed.to(fmt="cif") if one.relaxed else "",
        }
        for row, one in enumerate(new)
    ]


def _phase(one: Judged, name: str | None) -> Phase:
    return Phase(formula_of(one.decoded), one.properties[FORMATION_ENERGY], name)


def _is_of(one: Judged, system: Sequence[str]) -> bool:
    return {el.symbol for el in one.decoded.composition.elements} == set(system)


def _is_within(one: Judged, system: Sequence[str]) -> bool:
    return {el.symbol for el in one.decoded.composition.elements} <= set(system)
