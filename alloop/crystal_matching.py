"""Whether two crystals are the same, by pymatgen's ``StructureMatcher``, each cell reduced once."""

from collections import OrderedDict

from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure

from alloop.materials import material_id

MOST_REDUCED = 4096
"""Reduced cells that are remembered."""


class CrystalMatcher:
    """Matcher that gives what ``StructureMatcher.fit`` gives.

    Half of its time, and more, goes into the primitive and Niggli cells of crystals that are
    compared again and again: here each is reduced once.

    Args:
        length: tolerance of the lattice's lengths, a share of them; pymatgen's ``ltol``.
        site: tolerance of positions in units of the cube root of the volume per atom; ``stol``.
        angle: tolerance of the lattice's angles, degrees; ``angle_tol``.
    """

    def __init__(self, *, length: float = 0.2, site: float = 0.3, angle: float = 5) -> None:
        self.tolerances = (length, site, angle)
        self._matcher = StructureMatcher(ltol=length, stol=site, angle_tol=angle)
        self._reduced: OrderedDict[str, Structure] = OrderedDict()

    def matches(self, one: Structure, other: Structure) -> bool:
        """Return whether two crystals are the same within the tolerances."""
        reduced = self._reduce(one), self._reduce(other)
        return bool(self._matcher.fit(*reduced, skip_structure_reduction=True))

    def distance(self, one: Structure, other: Structure) -> float | None:
        """Return the root mean square displacement between two crystals in units of the cube root
        of the volume per atom; None where they do not match."""
        found = self._matcher.get_rms_dist(one, other)
        return None if found is None else float(found[0])

    def _reduce(self, crystal: Structure) -> Structure:
        id = material_id(crystal)
        if (known := self._reduced.get(id)) is not None:
            self._reduced.move_to_end(id)
            return known
        found = crystal.get_reduced_structure("niggli").get_primitive_structure()
        self._reduced[id] = found
        if len(self._reduced) > MOST_REDUCED:
            self._reduced.popitem(last=False)
        return found
