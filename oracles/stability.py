"""Stability against everything that one oracle measured."""

from collections.abc import Sequence

from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
from pymatgen.core import Composition

from alloop.errors import AlloopError
from alloop.materials import Material, composition_of
from oracles.base import Measurement

FORMATION_ENERGY = "formation_energy_per_atom"


class IncomparableEnergies(AlloopError):
    """Energies that cannot stand in one phase diagram."""


def energies_above_hull(measured: Sequence[tuple[Material, Measurement]]) -> list[float]:
    """Return each material's energy above the convex hull of all of them and the elements, eV/atom.

    The pure elements are at 0, in the structures that formation energies are against; one that
    was measured in a lower structure takes their place.

    Args:
        measured: materials with their measurements by one and the same oracle.

    Raises:
        IncomparableEnergies: if the fingerprints differ, or one has no formation energy.
    """
    if not measured:
        return []
    if len(fingerprints := {measurement.fingerprint for _, measurement in measured}) > 1:
        raise IncomparableEnergies(
            f"{len(fingerprints)} different fingerprints among the measurements",
            remedy="Compare energies of one potential and one procedure only.",
        )
    entries = [_entry(material, measurement) for material, measurement in measured]
    elements = sorted({element for entry in entries for element in entry.composition})
    diagram = PhaseDiagram([*entries, *(PDEntry(Composition(el.symbol), 0.0) for el in elements)])
    return [_above(diagram, entry) for entry in entries]


def _above(diagram: PhaseDiagram, entry: PDEntry) -> float:
    energy = diagram.get_e_above_hull(entry)
    assert energy is not None, "the entry is one of the diagram's own"
    return float(energy)


def _entry(material: Material, measurement: Measurement) -> PDEntry:
    if FORMATION_ENERGY not in measurement.properties:
        formula = composition_of(material).reduced_formula
        raise IncomparableEnergies(
            f"a measurement of {formula} has no {FORMATION_ENERGY}",
            remedy="Leave out failures, and elements without a reference crystal.",
        )
    return PDEntry(composition_of(material), measurement.properties[FORMATION_ENERGY])
