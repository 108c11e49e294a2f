"""Reference crystals that energies are compared with: pure elements and ordered binaries."""

from itertools import permutations

import numpy as np
from ase.build import bulk
from ase.data import atomic_numbers, reference_states
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor

from alloop.lattices import CUBIC_SITES
from alloop.oracles.base import FailureKind
from alloop.oracles.dft.failure import CalculationFailed

SIMPLE_STRUCTURES = frozenset({"fcc", "bcc", "hcp", "diamond"})
"""Structures of pure elements that ASE can build from its table alone."""


def element_crystal(symbol: str) -> Structure:
    """Return an element's crystal at room temperature (ASE's table, mostly Ashcroft and Mermin):
    fcc for nickel, copper and aluminium, bcc for iron, chromium and vanadium, hcp for cobalt,
    titanium and magnesium.

    It is the crystal that formation energies of the literature refer to, and the same at every
    level of theory. No search is made for the one that a level itself prefers: where that is
    another, some formation energies are too low by the difference. Its cell is relaxed.

    Chromium comes in its cubic cell of two atoms, which has room for antiferromagnetism.

    Raises:
        CalculationFailed: where the table has no simple crystal, as for manganese.
    """
    state = reference_states[atomic_numbers[symbol]] or {}
    if state.get("symmetry") not in SIMPLE_STRUCTURES:
        raise CalculationFailed(
            FailureKind.UNSUPPORTED,
            f"no simple reference crystal is known for {symbol}; "
            "protocol: relax gives energies without one",
        )
    return AseAtomsAdaptor.get_structure(bulk(symbol, cubic=symbol == "Cr"))


def ordered_binaries(first: str, second: str, volumes: dict[str, float]) -> list[Structure]:
    """Return the ordered cells of two elements that close-packed and bcc alloys begin from:
    L1₂ either way, L1₀ and B2.

    Args:
        first: an element.
        second: another.
        volumes: of the pure elements, Å³/atom; the cells begin with their mean.
    """
    crystals = []
    for one, other in permutations((first, second)):
        edge = np.cbrt(volumes[one] + 3 * volumes[other])
        species = [one, other, other, other]  # one at the corner, the other on the faces
        crystals.append(Structure(Lattice.cubic(edge), species, CUBIC_SITES["fcc"]))
    volume = volumes[first] + volumes[second]
    long = np.cbrt(2 * volume)
    centre = CUBIC_SITES["bcc"]
    crystals.append(Structure(Lattice.tetragonal(long / np.sqrt(2), long), [first, second], centre))
    crystals.append(Structure(Lattice.cubic(np.cbrt(volume)), [first, second], centre))
    return crystals
