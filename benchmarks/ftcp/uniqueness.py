"""Carbon-24 without its duplicates: of its 2,032 validation rows less than half are different
crystals (arXiv 2509.12178), so that most of a random held-out fifth has been trained on.
"""

from collections import defaultdict

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher

from alloop.models.base import Dataset
from benchmarks.ftcp.data import carbons
from benchmarks.ftcp.reconstruction import structures_of

SAME = StructureMatcher()
"""Pymatgen's own tolerances, stricter than those of reconstruction rates."""
SAME_ENERGY = 0.02
"""Difference of energies up to which two crystals may be the same, eV/atom: it saves nine tenths of
the comparisons."""


def unique_carbons() -> Dataset:
    """Return the first row of each different crystal of Carbon-24's validation set."""
    data = carbons()
    primitive = [cell.get_primitive_structure() for cell in structures_of(data)]
    energies = data.labels[:, 0]
    kept: dict[int, list[int]] = defaultdict(list)  # by number of atoms
    for row, cell in enumerate(primitive):
        alike = (one for one in kept[len(cell)] if abs(energies[one] - energies[row]) < SAME_ENERGY)
        if not any(SAME.fit(primitive[one], cell) for one in alike):
            kept[len(cell)].append(row)
    return data.take(np.sort(np.concatenate([np.array(rows) for rows in kept.values()])))
