"""Calculated cells, and the checks they must pass."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pymatgen.core import Structure

from alloop.errors import MaterialError
from alloop.materials import material_from_json
from alloop.oracles.base import FailureKind
from alloop.oracles.failure import MeasurementFailed

SUCCESSFUL = "successful"
"""State that atomate2 gives a calculation whose forces and charges converged."""

FORCE_SLACK = 2.0
"""Factor by which a residual force may exceed the tolerance: programs count forces in their own
ways."""

MAX_RESIDUAL_PRESSURE = 3.0
"""Largest residual pressure of a relaxed cell, GPa. It costs less than 2 meV/atom in a metal;
Pulay's is no larger at a cutoff that deserves its name."""

MAX_ENERGY_PER_ATOM = 1e3
"""Energy in eV/atom above which a result is nonsense; all engines give negative ones."""


@dataclass(frozen=True)
class Calculation:
    """Result of one calculated cell."""

    structure: Structure
    energy: float
    """Energy of the cell, eV."""
    stress: tuple[tuple[float, ...], ...]
    """Stress tensor, GPa, shape (3, 3), positive where the cell wants to grow."""
    force: float
    """Largest force on an atom, eV/Å."""
    moment: float | None
    """Total magnetic moment of the cell, µB; None where the engine does not know it."""
    band_gap: float | None = None
    """Gap between occupied and empty states on the calculation's own mesh of k-points, eV, 0 for a
    metal; None where the engine does not know it."""

    @classmethod
    def from_json(cls, data: Any, *, identity: Mapping[str, Any]) -> Self:
        """Read what ``summarise`` wrote.

        Args:
            data: plain JSON.
            identity: what it must say of itself.

        Raises:
            MeasurementFailed: if it did not converge, says nothing, or says nonsense.
        """
        if not isinstance(data, Mapping):
            raise MeasurementFailed(
                FailureKind.ERROR, f"the flow returned {data!r}, no calculation"
            )
        if data.get("state") != SUCCESSFUL:
            raise MeasurementFailed(
                FailureKind.NOT_CONVERGED, f"the calculation ended as {data.get('state')!r}"
            )
        for quantity in ("energy", "stress", "force"):
            if data.get(quantity) is None:
                raise MeasurementFailed(
                    FailureKind.UNPHYSICAL, f"the flow returned no finite {quantity}"
                )
        stated = data.get("identity", {})
        for name, wanted in identity.items():
            if stated.get(name) != wanted:
                raise MeasurementFailed(
                    FailureKind.ERROR,
                    f"it was calculated with the {name} {stated.get(name)}, not {wanted}: "
                    "its energies are of another level of theory",
                )
        try:
            structure = material_from_json(data["structure"])
        except (KeyError, MaterialError) as error:
            raise MeasurementFailed(
                FailureKind.ERROR, f"the flow returned no structure ({error})"
            ) from error
        assert isinstance(structure, Structure)
        if data["energy"] > MAX_ENERGY_PER_ATOM * len(structure):
            raise MeasurementFailed(
                FailureKind.UNPHYSICAL, f"the energy of {data['energy']:.3g} eV is not plausible"
            )
        stress = tuple(tuple(row) for row in data["stress"])
        return cls(
            structure,
            data["energy"],
            stress,
            data["force"],
            data.get("moment"),
            data.get("band_gap"),
        )

    @property
    def pressure(self) -> float:
        """Pressure, GPa, positive where the cell wants to grow."""
        return sum(self.stress[i][i] for i in range(3)) / 3

    @property
    def energy_per_atom(self) -> float:
        """Energy per atom, eV/atom."""
        return self.energy / len(self.structure)

    @property
    def volume(self) -> float:
        """Volume of the cell, Å³."""
        return float(self.structure.volume)


def check_relaxation(
    before: Structure, after: Calculation, *, max_change: float, force_tolerance: float
) -> None:
    """Check that a relaxation ended at rest, in the material it began with.

    Raises:
        MeasurementFailed: if atoms changed; if the volume did by more than the given share, as
            that of a cell that collapses under a cutoff too small; if forces or pressure are left.
    """
    if [site.specie.symbol for site in before] != [site.specie.symbol for site in after.structure]:
        raise MeasurementFailed(
            FailureKind.ERROR,
            f"the composition changed from {before.formula} to {after.structure.formula}",
        )
    change = after.volume / before.volume - 1
    if abs(change) > max_change:
        raise MeasurementFailed(
            FailureKind.UNPHYSICAL,
            f"the volume changed by {change:+.0%}, more than max_volume_change ({max_change:.0%})",
        )
    if after.force > FORCE_SLACK * force_tolerance or abs(after.pressure) > MAX_RESIDUAL_PRESSURE:
        raise MeasurementFailed(
            FailureKind.NOT_CONVERGED,
            f"a force of {after.force:.3g} eV/Å on an atom and a pressure of "
            f"{after.pressure:.3g} GPa remain",
        )
