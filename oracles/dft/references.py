"""Reference crystals that energies are compared with: pure elements and ordered binaries."""

from itertools import permutations

import numpy as np
from pymatgen.core import Lattice, Structure

from alloop.lattices import CUBIC_SITES
from alloop.oracles.base import FailureKind
from alloop.oracles.element_crystals import element_crystal
from alloop.oracles.failure import MeasurementFailed


def reference_crystal(symbol: str) -> Structure:
    """Return ``element_crystal``.

    Raises:
        MeasurementFailed: where no simple crystal is known.
    """
    if (crystal := element_crystal(symbol)) is None:
        raise MeasurementFailed(
            FailureKind.UNSUPPORTED,
            f"no simple reference crystal is known for {symbol}; "
            "protocol: relax gives energies without one",
        )
    return crystal


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
