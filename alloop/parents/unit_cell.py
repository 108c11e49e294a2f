"""Unit cells of parent lattices: vectors, labelled sites, and how often they are repeated."""

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from alloop.lattices import CUBIC_SITES, TWO_ATOM_C_OVER_A, LatticeName
from alloop.parents.prototypes import PROTOTYPES, Prototype

Vector = tuple[float, float, float]

MOST_REPEATS = 64
"""Largest number of unit cells along an edge."""
SIZE_RANGE = 0.25
"""Largest relative deviation from N of a cell of *about* N sites, if any cell is so near."""
_PLACEHOLDERS = ("He", "Ne", "Ar", "Kr")
"""Elements that stand for the labels while pymatgen completes the orbits."""


@dataclass(frozen=True)
class UnitCell:
    """A unit cell: its vectors, and its sites with the label of each."""

    name: str
    vectors: tuple[Vector, Vector, Vector]
    """Vectors as rows, Å; in units of a where the cell has no size of its own."""
    labels: tuple[str, ...]
    """Label of each site: A, B, X of a prototype, or what a file calls its atoms."""
    elements: tuple[str, ...]
    """Element on each site as given; empty for a prototype."""
    coords: tuple[Vector, ...]
    """Fractional coordinates of the sites."""
    is_sized: bool = False
    """Whether lattice parameters were given; else they are guessed for every composition."""

    @property
    def volume(self) -> float:
        """Volume, in the unit of the vectors cubed."""
        (a, b, c), (d, e, f), (g, h, i) = self.vectors
        return abs(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g))

    def has(self, site: int, name: str) -> bool:
        """Return whether a site is called so: by its label or by its element."""
        return name == self.labels[site] or (bool(self.elements) and name == self.elements[site])

    def known_names(self) -> tuple[str, ...]:
        """Return the names that its sites can be called by, each once."""
        return tuple(dict.fromkeys((*self.elements, *self.labels)))


@lru_cache(maxsize=2)
def two_atom_cell(name: LatticeName) -> UnitCell:
    """Return the two-atom cell of fcc or bcc whose sites are, in fractions, the same for both."""
    vectors = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, TWO_ATOM_C_OVER_A[name])
    return UnitCell(name, vectors, ("A", "A"), (), CUBIC_SITES["bcc"])


@lru_cache(maxsize=64)
def prototype_cell(name: str, a: float | None, c: float | None) -> UnitCell:
    """Return the conventional cell of a prototype.

    Args:
        name: in ``PROTOTYPES``.
        a: lattice parameter, Å; None where it is to be guessed.
        c: the other one, Å, of a tetragonal or hexagonal cell; None for the ideal ratio.
    """
    from pymatgen.core import Lattice, Structure  # noqa: PLC0415 (a spec of alloys needs none)

    prototype = PROTOTYPES[name]
    edge = a or 1.0
    height = c or edge * prototype.c_over_a
    match prototype.system:
        case "hexagonal":
            lattice = Lattice.hexagonal(edge, height)
        case "tetragonal":
            lattice = Lattice.tetragonal(edge, height)
        case _:
            lattice = Lattice.cubic(edge)
    stands_for = dict(zip(_PLACEHOLDERS, _labels(prototype), strict=False))
    of_label = {label: element for element, label in stands_for.items()}
    crystal = Structure.from_spacegroup(
        prototype.space_group,
        lattice,
        [of_label[label] for label, _ in prototype.orbits],
        [position for _, position in prototype.orbits],
    )
    assert len(crystal) == prototype.n_sites
    labels = tuple(stands_for[site.specie.symbol] for site in crystal)
    first, second, third = _rows(lattice.matrix)
    coords = _rows(crystal.frac_coords % 1.0)
    return UnitCell(name, (first, second, third), labels, (), coords, a is not None)


def _labels(prototype: Prototype) -> tuple[str, ...]:
    return tuple(dict.fromkeys(label for label, _ in prototype.orbits))


def _rows(array: Any) -> tuple[Vector, ...]:
    return tuple((float(x), float(y), float(z)) for x, y, z in array)


def repeats_for(cell: UnitCell, sites: int, *, is_exact: bool) -> tuple[int, int, int] | None:
    """Return how often to repeat a cell along its axes for so many sites, as compactly as
    possible; None where no whole number of cells has them.

    Args:
        cell: to repeat.
        sites: number wanted.
        is_exact: whether the number must be met; else it may be a quarter off, or where nothing
            is that near, as near as possible.
    """
    each = len(cell.labels)
    if is_exact:
        return _most_compact(cell, sites // each) if sites % each == 0 and sites >= each else None
    low, high = sites * (1 - SIZE_RANGE), sites * (1 + SIZE_RANGE)
    numbers = range(max(1, math.ceil(low / each)), math.floor(high / each) + 1)
    if not numbers:
        nearest = max(1, round(sites / each))
        return _most_compact(cell, nearest)
    found = [_most_compact(cell, number) for number in numbers]
    return min(
        (each for each in found if each is not None),
        key=lambda one: (round(_elongation(cell, one), 2), abs(math.prod(one) * each - sites)),
        default=None,
    )


def _most_compact(cell: UnitCell, number: int) -> tuple[int, int, int] | None:
    """Return the factors of a number of cells whose supercell is nearest to a cube."""
    factors = [
        (i, j, number // i // j)
        for i, j in itertools.product(_divisors(number), repeat=2)
        if number // i % j == 0 and number % i == 0
    ]
    within = [three for three in factors if max(three) <= MOST_REPEATS]
    return min(within, key=lambda three: (_elongation(cell, three), three), default=None)


def _divisors(number: int) -> list[int]:
    return [i for i in range(1, number + 1) if number % i == 0]


def _elongation(cell: UnitCell, repeats: tuple[int, int, int]) -> float:
    """Return the longest edge of a supercell over its shortest, rounded against noise."""
    edges = [n * math.hypot(*v) for n, v in zip(repeats, cell.vectors, strict=True)]
    return round(max(edges) / min(edges), 6)
