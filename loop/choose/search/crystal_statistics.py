"""Descriptors of crystals without a model: statistics of their elements and of how they are packed.

A surrogate that sees them needs neither training nor an embedding. Those of the composition are as
in Magpie (L. Ward et al., npj Comput. Mater. 2, 16028 (2016)); what two polymorphs differ by are
volume, density and the shell of nearest neighbours.
"""

from collections import OrderedDict
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
from pymatgen.core import Element, Structure
from vesin import NeighborList

from alloop.loop.choose.moves.base import FloatArray
from alloop.materials import Material

ELEMENT_PROPERTIES = (
    "Number",
    "MendeleevNumber",
    "AtomicWeight",
    "MeltingT",
    "Column",
    "Row",
    "CovalentRadius",
    "Electronegativity",
    "NsValence",
    "NpValence",
    "NdValence",
    "NfValence",
    "NValence",
    "NsUnfilled",
    "NpUnfilled",
    "NdUnfilled",
    "NfUnfilled",
    "NUnfilled",
    "GSvolume_pa",
    "GSbandgap",
    "GSmagmom",
    "SpaceGroupNumber",
)
"""Magpie's 22 elemental properties, by their names in its tables."""
SHELL = 1.2
"""Largest distance of a nearest neighbour, over the shortest at its atom."""
FIRST_CUTOFF, MAX_CUTOFF = 4.0, 12.0
"""Cutoffs of the search for neighbours, Å: the first tried, and the largest; an atom without any
within it has none described."""
MAX_CACHED = 50_000
"""Number of crystals whose descriptors are kept in a process."""

_cached: "OrderedDict[bytes, FloatArray]" = OrderedDict()
"""Descriptors by every bit of a crystal: one that was written and read again has the same id and
other last digits, and a process that goes on must come to the same as one that never ended."""


def describe_crystals(materials: Sequence[Material]) -> FloatArray:
    """Return the descriptors of crystals, shape (n, ``4 × 22 + 16``)."""
    return np.array([_remembered(material) for material in materials]).reshape(len(materials), -1)


def _remembered(material: Material) -> FloatArray:
    assert isinstance(material, Structure)
    species = " ".join(site.specie.symbol for site in material).encode()
    key = material.lattice.matrix.tobytes() + material.frac_coords.tobytes() + species
    if key not in _cached:
        if len(_cached) >= MAX_CACHED:
            _cached.popitem(last=False)
        _cached[key] = describe_crystal(material)
    return _cached[key]


def describe_crystal(crystal: Structure) -> FloatArray:
    """Return the descriptors of one ordered crystal, shape (104,).

    Mean, mean absolute deviation, least and largest of each elemental property over the atoms;
    then, per Å³, atoms (inverted, and its logarithm), mass, spheres of covalent radius, valence
    electrons, p and d valence electrons, and melting points; volume over that of the elements;
    nearest neighbours: shortest distance in sums of covalent radii (least, mean, largest over the
    atoms), number (mean, least, largest), mean distance in Å, and the share that is of
    another element.
    """
    numbers = np.array([Element(site.specie.symbol).Z for site in crystal])
    of_elements, volume = _element_table()[numbers], float(crystal.volume)
    mean = of_elements.mean(axis=0)
    composition = (
        mean,
        np.abs(of_elements - mean).mean(axis=0),
        of_elements.min(axis=0),
        of_elements.max(axis=0),
    )
    column = dict(zip(ELEMENT_PROPERTIES, of_elements.T, strict=True))
    radii = column["CovalentRadius"] / 100  # Å
    per_atom = volume / len(numbers)
    packing = (
        per_atom,
        np.log(per_atom),
        column["AtomicWeight"].sum() / volume,
        4 / 3 * np.pi * (radii**3).sum() / volume,
        column["NValence"].sum() / volume,
        column["NpValence"].sum() / volume,
        column["NdValence"].sum() / volume,
        column["MeltingT"].sum() / volume,
        per_atom / column["GSvolume_pa"].mean(),
    )
    return np.concatenate([*composition, packing, _shell(crystal, numbers, radii)])


def _shell(crystal: Structure, numbers: npt.NDArray[np.int64], radii: FloatArray) -> FloatArray:
    """Return what the shells of nearest neighbours say, shape (8,)."""
    n, cutoff = len(numbers), FIRST_CUTOFF
    while True:
        first, second, distance = NeighborList(cutoff=cutoff, full_list=True).compute(
            points=crystal.cart_coords, box=crystal.lattice.matrix, periodic=True, quantities="ijd"
        )
        first, second = first.astype(np.int64), second.astype(np.int64)
        shortest = np.full(n, np.inf)
        np.minimum.at(shortest, first, distance)
        needed = SHELL * float(shortest.max())
        if needed <= cutoff or cutoff >= MAX_CUTOFF:
            break
        cutoff = min(needed if np.isfinite(needed) else 2 * cutoff, MAX_CUTOFF)
    reduced = np.full(n, np.inf)
    np.minimum.at(reduced, first, distance / (radii[first] + radii[second]))
    reduced = np.minimum(reduced, MAX_CUTOFF / (2 * radii))
    near = distance <= SHELL * shortest[first]
    first, second, distance = first[near], second[near], distance[near]
    count = np.bincount(first, minlength=n)
    unlike = float((numbers[first] != numbers[second]).mean()) if len(first) else 0.0
    length = float(distance.mean()) if len(first) else MAX_CUTOFF
    found = (reduced.min(), reduced.mean(), reduced.max(), count.mean(), count.min())
    return np.array([*found, count.max(), length, unlike], dtype=np.float64)


@cache
def _element_table() -> FloatArray:
    """Return Magpie's properties, shape (104, 22), by atomic number; zero where there is none."""
    # Only campaigns over crystals wait for matminer.
    from matminer.utils.data import MagpieData  # noqa: PLC0415

    magpie, table = MagpieData(), np.zeros((104, len(ELEMENT_PROPERTIES)))
    for number in range(1, 104):
        element = Element.from_Z(number)
        for column, name in enumerate(ELEMENT_PROPERTIES):
            table[number, column] = magpie.get_elemental_property(element, name)
    return np.nan_to_num(table)
