"""Crystals known again in a table: other coordinates, the same structure."""

from collections.abc import Mapping

from pymatgen.core import Structure

from alloop.crystal_matching import CrystalMatcher
from alloop.materials import Material, material_id

MATCHER = CrystalMatcher(length=0.3, site=0.5, angle=10)
"""Matcher with the tolerances under which generated perovskites count as rebuilt (T. Xie et al.,
ICLR 2022, section 5.1). Volumes are not compared: a crystal relaxes to its own."""


class RowMatcher:
    """Finder of the row whose crystal another one is.

    Args:
        rows: crystals by key.
    """

    def __init__(self, rows: Mapping[str, Material]) -> None:
        self._exact = {material_id(material): key for key, material in rows.items()}
        self._by_formula: dict[str, dict[str, Structure]] = {}
        for key, material in rows.items():
            if isinstance(material, Structure):
                self._by_formula.setdefault(_formula(material), {})[key] = material
        self._found: dict[str, str | None] = {}

    def find(self, material: Material) -> str | None:
        """Return the key of the row that a crystal is, the nearest where several match; None where
        none does."""
        id = material_id(material)
        if id in self._exact:
            return self._exact[id]
        if id not in self._found:
            self._found[id] = self._match(material)
        return self._found[id]

    def _match(self, material: Material) -> str | None:
        if not isinstance(material, Structure):
            return None
        rows = self._by_formula.get(_formula(material), {})
        # Whether two match is known at the first mapping of their lattices that does; how far they
        # are from each other, only after all of them.
        matching = [key for key, row in rows.items() if MATCHER.matches(row, material)]
        if len(matching) < 2:
            return next(iter(matching), None)
        found = {key: MATCHER.distance(rows[key], material) for key in matching}
        near = {key: distance for key, distance in found.items() if distance is not None}
        return min(near, key=lambda key: near[key], default=None)


def _formula(structure: Structure) -> str:
    """Return the formula, whatever the number of its units in the cell."""
    return str(structure.composition.reduced_formula)
