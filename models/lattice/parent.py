"""Parent lattices: the sites, their neighbours and symmetries, and decorations of them.

The cells are the AlloGen data's: two-atom cells repeated n × n × n. The bcc cell is the cubic
one; the fcc cell is the body-centred tetragonal one with edges (a/√2, a/√2, a). In fractional
coordinates the two are therefore the same point set, and only c/a tells them apart.

A *decoration* is a sequence of element symbols in site order. Two decorations are equivalent
when a symmetry of the supercell (a translation times a point operation that maps the supercell
onto itself) carries one into the other; :meth:`ParentLattice.canonical` decides that.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt
from pymatgen.core import Element, Lattice, Structure
from scipy.constants import Avogadro

from alloop.errors import MaterialError
from alloop.lattices import SHELLS, TWO_ATOM_C_OVER_A, LatticeName

IntArray = npt.NDArray[np.integer[Any]]
FloatArray = npt.NDArray[np.float64]

EDGE_TOLERANCE = 0.10
"""Largest relative deviation of a cell edge from the parent's; relaxed cells stay below 1 %,
and fcc differs from bcc by 41 % in c/a."""

ANGLE_TOLERANCE = 5.0
"""Largest deviation of a cell angle from 90°."""


@dataclass(frozen=True)
class ParentLattice:
    """A periodic fcc or bcc supercell of 2 n³ sites."""

    name: LatticeName
    n: int
    """Number of two-atom cells along each edge."""

    @classmethod
    def of_size(cls, name: LatticeName, atoms: int) -> "ParentLattice":
        """Return the parent with 2 n³ = ``atoms`` sites.

        Raises:
            MaterialError: if no whole n gives that many.
        """
        n = round((atoms / 2) ** (1 / 3))
        if n < 1 or 2 * n**3 != atoms:
            raise MaterialError(
                f"{atoms} atoms do not fill n × n × n two-atom cells",
                remedy="Use cells of 2, 16, 54, 128, … atoms.",
            )
        return cls(name, n)

    @property
    def n_sites(self) -> int:
        """Number of sites, 2 n³."""
        return 2 * self.n**3

    @property
    def sites(self) -> FloatArray:
        """Fractional coordinates, shape (n_sites, 3)."""
        return _grid(self.n) / (2 * self.n)

    @property
    def shells(self) -> tuple[IntArray, ...]:
        """Neighbour sites per shell, shapes (n_sites, k) with k from ``SHELLS``.

        In small supercells a site appears once for each of its periodic images.
        """
        return _shells(self)

    @property
    def symmetries(self) -> IntArray:
        """Site permutations of the supercell's symmetry group, shape (g, n_sites).

        For n ≥ 2 there are 16 n_sites of them for fcc, 48 n_sites for bcc. ``species[perm]``
        is equivalent to ``species`` for each row.
        """
        return _symmetries(self)

    def edges(self, volume_per_atom: float) -> tuple[float, float, float]:
        """Return the supercell's edges in Å for a volume in Å³/atom."""
        ratio = TWO_ATOM_C_OVER_A[self.name]
        edge = self.n * (2 * volume_per_atom / ratio) ** (1 / 3)
        return edge, edge, ratio * edge

    def structure(
        self, species: Sequence[str], *, volume_per_atom: float | None = None
    ) -> Structure:
        """Return the unrelaxed structure of a decoration.

        Args:
            species: element symbols in site order.
            volume_per_atom: Å³; by default the mean of the elements' (see ``element_volume``).

        Raises:
            MaterialError: if the length is wrong or an element is unknown.
        """
        self._check_length(species)
        if volume_per_atom is None:
            volumes = {symbol: element_volume(symbol) for symbol in set(species)}
            volume_per_atom = math.fsum(volumes[symbol] for symbol in species) / self.n_sites
        lattice = Lattice.orthorhombic(*self.edges(volume_per_atom))
        return Structure(lattice, list(species), self.sites)

    def decoration(self, structure: Structure) -> tuple[str, ...]:
        """Return which element sits on each site.

        Atoms may be displaced by less than half the nearest-neighbour distance, listed in any
        order, outside the unit cell, and shifted together; the fitted origin is the one nearest
        to the given one. Elements come out without oxidation states.

        Raises:
            MaterialError: if the cell or the atoms do not fit this parent.
        """
        _require_cell(self, structure)
        symbols = _symbols(structure)
        site_of_atom = _assign_sites(self, structure)
        return tuple(symbols[atom] for atom in np.argsort(site_of_atom))

    def canonical(self, species: Sequence[str]) -> bytes:
        """Return the same bytes for all equivalent decorations, and only for those.

        They spell the parent and, as atomic numbers in site order, the lexicographically
        smallest image under the symmetry group.

        Raises:
            MaterialError: if the length is wrong or an element is unknown.
        """
        self._check_length(species)
        numbers = np.array([_atomic_number(symbol) for symbol in species], dtype=np.uint8)
        images = self.symmetries
        for site in range(self.n_sites):
            if len(images) == 1:
                break
            column = numbers[images[:, site]]
            images = images[column == column.min()]
        return f"{self.name}{self.n}:".encode() + numbers[images[0]].tobytes()

    def _check_length(self, species: Sequence[str]) -> None:
        if len(species) != self.n_sites:
            raise MaterialError(
                f"{len(species)} species for the {self.n_sites} sites of {self.name} {self.n}³"
            )


def read_decoration(structure: Structure) -> tuple[ParentLattice, tuple[str, ...]]:
    """Return the parent that a structure decorates, and the element on each of its sites.

    What was read lately is remembered by its content: a round reads the same crystals for each
    model and surrogate that learns from them.

    Raises:
        MaterialError: as ``identify`` and ``ParentLattice.decoration``.
    """
    key = _content(structure)
    if (known := _READ.get(key)) is None:
        parent = identify(structure)
        known = parent, parent.decoration(structure)
        if len(_READ) >= MOST_REMEMBERED:
            _READ.clear()
        _READ[key] = known
    return known


MOST_REMEMBERED = 50_000
"""Number of structures whose reading is remembered, at most."""
_READ: dict[bytes, tuple[ParentLattice, tuple[str, ...]]] = {}


def _content(structure: Structure) -> bytes:
    """Return a digest of cell, positions and species."""
    positions = np.concatenate([structure.lattice.matrix, structure.frac_coords])
    return blake2b(
        positions.tobytes() + " ".join(_symbols(structure)).encode(), digest_size=16
    ).digest()


def identify(structure: Structure) -> ParentLattice:
    """Return the parent whose cell a structure has; ``decoration`` then checks its atoms.

    Raises:
        MaterialError: if the cell or the number of atoms belongs to no parent.
    """
    a, _, c = structure.lattice.abc
    name: LatticeName = min(
        TWO_ATOM_C_OVER_A, key=lambda key: abs(math.log(c / a / TWO_ATOM_C_OVER_A[key]))
    )
    parent = ParentLattice.of_size(name, len(structure))
    _require_cell(parent, structure)
    return parent


def element_volume(symbol: str) -> float:
    """Return an element's volume in Å³/atom, from the molar volume that pymatgen tabulates.

    Mixing these linearly (Zen's law) starts a cell within about 1 % of the relaxed AlloGen
    volumes; it only sets the scale from which an oracle relaxes.

    Raises:
        MaterialError: if the element is unknown or has no tabulated volume.
    """
    _atomic_number(symbol)
    molar = Element(symbol).molar_volume  # cm³/mol
    if molar is None:
        raise MaterialError(
            f"no molar volume is tabulated for {symbol}", remedy="Give volume_per_atom."
        )
    return float(molar) * 1e24 / Avogadro


@lru_cache(maxsize=256)
def _atomic_number(symbol: str) -> int:
    if not Element.is_valid_symbol(symbol):
        raise MaterialError(f"{symbol!r} is not a chemical element")
    return int(Element(symbol).Z)


@lru_cache(maxsize=16)
def _grid(n: int) -> IntArray:
    """Return the sites in half cell edges: integers modulo 2n whose three parities agree, (n_sites,
    3)."""
    corners = np.array(list(itertools.product(range(n), repeat=3))) * 2
    return np.stack([corners, corners + 1], axis=1).reshape(-1, 3)


@lru_cache(maxsize=16)
def _site_at(n: int) -> IntArray:
    """Return the site index at each point of the half-edge grid, −1 where there is none."""
    table = np.full((2 * n,) * 3, -1)
    table[tuple(_grid(n).T)] = np.arange(2 * n**3)
    return table


@lru_cache(maxsize=16)
def _shells(parent: ParentLattice) -> tuple[IntArray, ...]:
    return tuple(
        _site_at(parent.n)[
            tuple(np.moveaxis((_grid(parent.n)[:, None] + steps) % (2 * parent.n), -1, 0))
        ]
        for steps in shell_steps(parent.name)
    )


@lru_cache(maxsize=2)
def shell_steps(name: LatticeName) -> tuple[IntArray, ...]:
    """Return the vectors to the neighbours of each shell, in half cell edges, (k, 3) each."""
    steps = np.array([s for s in itertools.product(range(-3, 4), repeat=3) if any(s)])
    steps = steps[np.all(steps % 2 == steps[:, :1] % 2, axis=1)]
    # In units of (half edge)²; c² = 2 a² for fcc keeps them whole, so shells compare exactly.
    squared = steps**2 @ np.array([1, 1, 2 if name == "fcc" else 1])
    shells = [steps[squared == length] for length in np.unique(squared)[: len(SHELLS[name])]]
    return tuple(shells)


@lru_cache(maxsize=16)
def _symmetries(parent: ParentLattice) -> IntArray:
    grid, n = _grid(parent.n), parent.n
    images = grid @ _point_group(parent.name).transpose(0, 2, 1)  # (r, sites, 3)
    images = (images[:, None] + grid[None, :, None]) % (2 * n)  # (r, translations, sites, 3)
    dtype = np.min_scalar_type(parent.n_sites)
    permutations = _site_at(n)[tuple(np.moveaxis(images, -1, 0))].astype(dtype)
    permutations = permutations.reshape(-1, parent.n_sites)
    # In the smallest cells different operations move the sites alike.
    return permutations if n > 2 else np.unique(permutations, axis=0)


def _point_group(name: LatticeName) -> IntArray:
    """Return the point operations that keep the supercell, on fractional coordinates, shape (r, 3,
    3)."""
    operations = []
    for axes in itertools.permutations(range(3)):
        if name == "fcc" and axes[2] != 2:
            continue  # the cell is tetragonal: c stays c
        for signs in itertools.product((1, -1), repeat=3):
            operations.append(np.eye(3, dtype=int)[list(axes)] * np.array(signs))
    return np.array(operations)


def _symbols(structure: Structure) -> list[str]:
    symbols = []
    for site in structure:
        (specie, amount), *others = site.species.items()
        if others or amount != 1:
            raise MaterialError("the structure has partly occupied sites", remedy="Order it first.")
        symbols.append(specie.symbol)
    return symbols


def _require_cell(parent: ParentLattice, structure: Structure) -> None:
    where, remedy = structure.composition.formula, "Give it in the parent's own setting."
    if len(structure) != parent.n_sites:
        raise MaterialError(
            f"{len(structure)} atoms for the {parent.n_sites} sites of {parent.name} {parent.n}³",
            where=where,
        )
    edges = np.array(structure.lattice.abc)
    ideal = np.array(parent.edges(structure.volume / parent.n_sites))
    skew = np.abs(np.array(structure.lattice.angles) - 90.0).max()
    if np.abs(edges / ideal - 1).max() > EDGE_TOLERANCE or skew > ANGLE_TOLERANCE:
        lengths, angles = structure.lattice.abc, structure.lattice.angles
        raise MaterialError(
            f"the cell ({_list(lengths)} Å; {_list(angles)}°) is not {parent.name} {parent.n}³ "
            f"({_list(tuple(ideal))} Å; 90°)",
            where=where,
            remedy=remedy,
        )


def _list(numbers: tuple[float, ...]) -> str:
    return ", ".join(f"{x:.4g}" for x in numbers)


def _assign_sites(parent: ParentLattice, structure: Structure) -> IntArray:
    """Return the site of each atom, shape (n_sites,)."""
    edges = np.array(parent.edges(structure.volume / parent.n_sites))
    nearest_neighbour = edges[0] / parent.n * (math.sqrt(3) / 2 if parent.name == "bcc" else 1)
    origin = _origin(parent, structure.frac_coords, edges)
    apart = (structure.frac_coords - origin)[:, None] - parent.sites[None]  # (atoms, sites, 3)
    apart = (apart - np.round(apart)) * edges
    distances = np.linalg.norm(apart, axis=-1)
    site_of_atom = distances.argmin(axis=1)
    farthest = float(distances.min(axis=1).max())
    if len(set(site_of_atom.tolist())) < parent.n_sites or farthest > nearest_neighbour / 2:
        raise MaterialError(
            f"the atoms do not lie on {parent.name} {parent.n}³: one is {farthest:.2f} Å from its "
            f"nearest site, or two share one (neighbours are {nearest_neighbour:.2f} Å apart)",
            where=structure.composition.formula,
        )
    return site_of_atom


def _origin(parent: ParentLattice, frac_coords: FloatArray, edges: FloatArray) -> FloatArray:
    """Return the common shift of the atoms off the sites, fractional, shape (3,).

    Modulo half a cell edge it is a circular mean. That leaves open which of the half-edge
    grid's points are sites; the four answers are tried.
    """
    half_edges = 2 * parent.n * frac_coords
    phase = np.angle(np.exp(2j * np.pi * half_edges).mean(axis=0)) / (2 * np.pi)
    choices = [phase + np.array(extra) for extra in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))]
    return min(choices, key=lambda shift: _misfit(half_edges - shift, edges)) / (2 * parent.n)


def _misfit(half_edges: FloatArray, edges: FloatArray) -> float:
    """Return the mean squared distance to the nearest site of either parity, in Å² up to a
    factor."""
    lower = half_edges - 2 * np.round(half_edges / 2)
    upper = half_edges - 1 - 2 * np.round((half_edges - 1) / 2)
    return float(np.minimum((lower**2) @ edges**2, (upper**2) @ edges**2).mean())
