"""One calculated cell, and what it must be to be believed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from pymatgen.core import Structure

from alloop.errors import MaterialError
from alloop.materials import material_from_json
from oracles.base import FailureKind
from oracles.dft.failure import Undetermined

SUCCESSFUL = "successful"
"""atomate2's word for a calculation whose forces and charges converged."""

HIGHEST = 1e3
"""eV/atom above which an energy is nonsense; all engines give negative ones."""


@dataclass(frozen=True)
class Calculation:
    """A calculated cell."""

    structure: Structure
    energy: float
    """eV, of the cell."""
    pressure: float
    """GPa, positive where the cell wants to grow."""
    moment: float | None
    """Total magnetic moment in µB, of the cell; None where the engine does not know."""

    @classmethod
    def from_json(cls, data: Any, *, pseudopotentials: Sequence[str] | None) -> Self:
        """Read what ``summarise`` wrote.

        Args:
            data: plain JSON.
            pseudopotentials: names that must have been used, in the order of the species; None
                where there are none.

        Raises:
            Undetermined: if it did not converge, says nothing, or says nonsense.
        """
        if not isinstance(data, Mapping):
            raise Undetermined(FailureKind.ERROR, f"the flow returned {data!r}, no calculation")
        if data.get("state") != SUCCESSFUL:
            raise Undetermined(FailureKind.NOT_CONVERGED, f"it ended as {data.get('state')!r}")
        energy, pressure = data.get("energy"), data.get("pressure")
        if energy is None or pressure is None:
            missing = "energy" if energy is None else "stress"
            raise Undetermined(FailureKind.ERROR, f"the flow returned no {missing}")
        if not (math.isfinite(energy) and math.isfinite(pressure)):
            raise Undetermined(FailureKind.ABSURD, f"energy {energy} eV, pressure {pressure} GPa")
        _check_pseudopotentials(data.get("pseudopotentials"), pseudopotentials)
        try:
            structure = material_from_json(data["structure"])
        except (KeyError, MaterialError) as error:
            raise Undetermined(FailureKind.ERROR, f"the flow returned no structure ({error})") from error
        assert isinstance(structure, Structure)
        if energy > HIGHEST * len(structure):
            raise Undetermined(FailureKind.ABSURD, f"an energy of {energy:.3g} eV")
        return cls(structure, energy, pressure, data.get("moment"))

    @property
    def energy_per_atom(self) -> float:
        """eV/atom."""
        return self.energy / len(self.structure)

    @property
    def volume(self) -> float:
        """Å³, of the cell."""
        return float(self.structure.volume)


def check_same_material(before: Structure, after: Calculation, *, max_change: float) -> None:
    """Check that a relaxation ended in the material it began with.

    Raises:
        Undetermined: if atoms changed, or the volume by more than the given share: a cell that
            collapsed (as under a cutoff too small) or fell apart.
    """
    if [site.specie.symbol for site in before] != [site.specie.symbol for site in after.structure]:
        raise Undetermined(
            FailureKind.ERROR,
            f"{before.formula} went in and {after.structure.formula} came out",
        )
    change = after.volume / before.volume - 1
    if abs(change) > max_change:
        raise Undetermined(
            FailureKind.ABSURD,
            f"the volume changed by {change:+.0%}, more than max_volume_change ({max_change:.0%})",
        )


def _check_pseudopotentials(used: Any, wanted: Sequence[str] | None) -> None:
    if wanted is None:
        return
    names = [str(title).split()[1] if " " in str(title) else str(title) for title in used or ()]
    if names != list(wanted):
        raise Undetermined(
            FailureKind.ERROR,
            f"it ran with the pseudopotentials {names}, not with {list(wanted)}: "
            "its energies are of another level of theory",
        )
