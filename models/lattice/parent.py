"""Parent lattices: the sites, their neighbours and symmetries, and decorations of them.

A parent is a supercell of a prototype or of a crystal of one's own, some sublattices of which are
open to several species. Alloys on fcc and bcc have the cells of the AlloGen data: two-atom cells
repeated n × n × n. The bcc cell is the cubic one; the fcc cell is the body-centred tetragonal one
with edges (a/√2, a/√2, a). In fractional coordinates the two are therefore the same point set, and
only c/a tells them apart.

A *decoration* is a sequence of species (element symbols, or ``vacancy``) on the open sites, one
sublattice after the other. Two decorations are equivalent when a symmetry of the supercell (a
translation times a point operation that maps the supercell onto itself) carries one into the other;
:meth:`ParentLattice.canonical` decides that.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt
from pymatgen.core import Element, Lattice, Structure

from alloop.errors import MaterialError
from alloop.lattices import SHELLS, TWO_ATOM_C_OVER_A, LatticeName, cells_per_edge
from alloop.materials import crystal_of
from alloop.models.lattice.fitting import fit
from alloop.models.lattice.neighbours import NeighbourList, neighbour_list
from alloop.models.lattice.symmetries import (
    distinct_rows,
    pooled_kinds,
    site_coords,
    site_permutations,
)
from alloop.parents.layout import FIXED, Supercell, alloy_supercell
from alloop.parents.sizes import Bond, volume_per_site
from alloop.parents.species import VACANCY

IntArray = npt.NDArray[np.integer[Any]]
FloatArray = npt.NDArray[np.float64]

EDGE_TOLERANCE = 0.10
"""Largest relative deviation of a cell edge from the parent's; relaxed cells stay below 1 %,
and fcc differs from bcc by 41 % in c/a."""

ANGLE_TOLERANCE = 5.0
"""Largest deviation of a cell angle from the parent's, degrees."""

N_SHELLS = len(SHELLS["fcc"])
"""Number of neighbour shells of every site."""

FEW_SITES = 16
"""Number of sites up to which symmetries are sorted by what they do, and not by operation."""


@dataclass(frozen=True)
class ParentLattice:
    """A periodic supercell whose open sites are decorated."""

    supercell: Supercell

    @classmethod
    def alloy(cls, name: LatticeName, n: int) -> "ParentLattice":
        """Return n × n × n two-atom cells of fcc or bcc, with every site open to every element."""
        return cls(alloy_supercell(name, n))

    @classmethod
    def of_size(cls, name: LatticeName, atoms: int) -> "ParentLattice":
        """Return the parent of alloys with 2 n³ = ``atoms`` sites.

        Raises:
            MaterialError: if no whole n gives that many.
        """
        n = cells_per_edge(atoms)
        if n < 1 or 2 * n**3 != atoms:
            raise MaterialError(
                f"{atoms} atoms do not fill n × n × n two-atom cells",
                remedy="Use cells of 2, 16, 54, 128, … atoms.",
            )
        return cls.alloy(name, n)

    @property
    def name(self) -> str:
        """Name of the prototype or of the file."""
        return self.supercell.name

    @property
    def title(self) -> str:
        """Name and repeats, for people: ``fcc 3×3×3``."""
        return f"{self.name} {'×'.join(map(str, self.supercell.repeats))}"

    @property
    def n_sites(self) -> int:
        """Number of open sites."""
        return int((self._groups != FIXED).sum())

    @property
    def n_all(self) -> int:
        """Number of all sites, fixed ones among them."""
        return self.supercell.n_sites

    @property
    def sites(self) -> FloatArray:
        """Fractional coordinates of the open sites by sublattice, shape (n_sites, 3)."""
        return self.all_sites[: self.n_sites]

    @cached_property
    def all_sites(self) -> FloatArray:
        """Fractional coordinates of all sites, the open ones first, shape (n_all, 3)."""
        return site_coords(self.supercell)[self._order]

    @cached_property
    def fixed(self) -> tuple[str, ...]:
        """Elements on the fixed sites, which come last."""
        symbols = np.tile(np.array(self.supercell.fixed, dtype=object), self.supercell.n_cells)
        return tuple(symbols[self._order][self.n_sites :].tolist())

    @cached_property
    def sublattice(self) -> IntArray:
        """Sublattice of each open site, shape (n_sites,)."""
        return self._groups[self._order][: self.n_sites]

    @cached_property
    def shells(self) -> tuple[IntArray, ...]:
        """Open neighbours of each open site per shell, shapes (n_sites, k); −1 behind the last of a
        site that has fewer than others.

        In small supercells a site appears once for each of its periodic images.
        """
        found = self.neighbours(N_SHELLS)
        shells = []
        for number in range(N_SHELLS):
            rows = [
                found.others[found.of(i)][found.shells[found.of(i)] == number]
                for i in range(self.n_sites)
            ]
            padded = np.full((self.n_sites, max(map(len, rows))), -1)
            for row, neighbours in zip(padded, rows, strict=True):
                row[: len(neighbours)] = neighbours
            shells.append(padded)
        return tuple(shells)

    def neighbours(self, n_shells: int) -> NeighbourList:
        """Return open neighbours of open sites, in a cell of one unit of volume per site."""
        return neighbour_list(self.vectors(1.0), self.sites, n_shells)

    @property
    def symmetries(self) -> IntArray:
        """Permutations of the open sites by symmetries that keep the sublattices, shape (g,
        n_sites).

        For alloys with n ≥ 2 there are 16 n_sites of them for fcc, 48 n_sites for bcc.
        ``species[perm]`` is equivalent to ``species`` for each row.
        """
        return _symmetries(self)[0]

    @property
    def equivalences(self) -> IntArray:
        """Permutations of the open sites by all symmetries, shape (g, n_sites): with those that
        exchange sublattices of common species."""
        return _symmetries(self)[1]

    @cached_property
    def site_classes(self) -> IntArray:
        """Number of the set of equivalent sites that each open site is of, shape (n_sites,)."""
        least = self.equivalences.min(axis=0)
        return np.unique(least, return_inverse=True)[1].ravel()

    def vectors(self, volume_per_site: float) -> FloatArray:
        """Return the supercell's vectors as rows, Å, for a volume in Å³/site, shape (3, 3)."""
        cell = self.supercell.cell
        scale = (volume_per_site * len(cell.labels) / cell.volume) ** (1 / 3)
        return scale * np.array(cell.vectors) * np.array(self.supercell.repeats)[:, None]

    def structure(
        self, species: Sequence[str], *, volume_per_atom: float | None = None
    ) -> Structure:
        """Return the unrelaxed structure of a decoration: atoms on open sites, then fixed ones.

        Args:
            species: in the order of the open sites; vacancies are left out.
            volume_per_atom: Å³ per site; by default the parent's own, or one that is guessed
                (``alloop.parents.sizes``).

        Raises:
            MaterialError: if the length is wrong or a species is unknown.
        """
        self._check_length(species)
        everything = (*species, *self.fixed)
        if volume_per_atom is None and self.supercell.cell.is_sized:
            volume_per_atom = self.supercell.cell.volume / len(self.supercell.cell.labels)
        if volume_per_atom is None:
            volume_per_atom = volume_per_site(everything, self._bonds)
        kept = [place for place, symbol in enumerate(everything) if symbol != VACANCY]
        symbols = [everything[place] for place in kept]
        return crystal_of(self.vectors(volume_per_atom), symbols, self.all_sites[kept])

    def decoration(self, structure: Structure) -> tuple[str, ...]:
        """Return which species sits on each open site.

        Atoms may be displaced by less than half the nearest-neighbour distance, listed in any
        order, outside the unit cell, and shifted together; the fitted origin is the one nearest
        to the given one. Elements come out without oxidation states.

        Raises:
            MaterialError: if the cell or the atoms do not fit this parent.
        """
        atoms = self.atoms_on_sites(structure)
        symbols = _symbols(structure)
        found = [VACANCY if atom < 0 else symbols[atom] for atom in atoms]
        for place, (symbol, fixed) in enumerate(
            zip(found[self.n_sites :], self.fixed, strict=True), start=self.n_sites
        ):
            if symbol != fixed:
                raise MaterialError(
                    f"site {place} of {self.title} holds {symbol}, and {fixed} is fixed there",
                    where=structure.composition.formula,
                )
        return tuple(found[: self.n_sites])

    def atoms_on_sites(self, structure: Structure) -> IntArray:
        """Return the atom on each site, open ones first, −1 where there is none, shape (n_all,).

        Raises:
            MaterialError: if the cell or the atoms do not fit this parent.
        """
        self._require_cell(structure)
        lattice = self.vectors(structure.volume / self.n_all)
        nearest = self._nearest_distance * (structure.volume / self.n_all) ** (1 / 3)
        found = fit(structure.frac_coords, self.all_sites, lattice, limit=nearest / 2)
        if not found.is_one_to_one or found.farthest > nearest / 2:
            raise MaterialError(
                f"the atoms do not lie on {self.title}: one is {found.farthest:.2f} Å from its "
                f"nearest site, or two share one (neighbours are {nearest:.2f} Å apart)",
                where=structure.composition.formula,
            )
        atoms = np.full(self.n_all, -1)
        atoms[found.site_of_atom] = np.arange(len(structure))
        return atoms

    def canonical(self, species: Sequence[str]) -> bytes:
        """Return the same bytes for all equivalent decorations, and only for those.

        They spell the parent and, as atomic numbers in site order, the lexicographically
        smallest image under the symmetry group.

        Raises:
            MaterialError: if the length is wrong or a species is unknown.
        """
        self._check_length(species)
        numbers = np.array([_atomic_number(symbol) for symbol in species], dtype=np.uint8)
        images = self.equivalences
        for site in range(self.n_sites):
            if len(images) == 1:
                break
            column = numbers[images[:, site]]
            images = images[column == column.min()]
        return f"{self.title}:".encode() + numbers[images[0]].tobytes()

    @cached_property
    def _groups(self) -> IntArray:
        """Sublattice of all sites, cell by cell."""
        return np.tile(np.array(self.supercell.groups), self.supercell.n_cells)

    @cached_property
    def _order(self) -> IntArray:
        """Sites, numbered cell by cell, in the order of the sublattices, the fixed ones last."""
        last = len(self.supercell.species)
        return np.argsort(np.where(self._groups == FIXED, last, self._groups), kind="stable")

    @cached_property
    def _all_neighbours(self) -> NeighbourList:
        """Nearest neighbours of all sites."""
        return neighbour_list(self.vectors(1.0), self.all_sites, 1)

    @cached_property
    def _nearest_distance(self) -> float:
        """Least distance of two sites, in cube roots of the volume per site."""
        return float(self._all_neighbours.lengths.min())

    @cached_property
    def _bonds(self) -> tuple[Bond, ...]:
        near = self._all_neighbours
        return tuple(
            zip(near.centres.tolist(), near.others.tolist(), near.lengths.tolist(), strict=True)
        )

    @cached_property
    def _may_be_vacant(self) -> bool:
        return any(VACANCY in species for species in self.supercell.species)

    def _check_length(self, species: Sequence[str]) -> None:
        if len(species) != self.n_sites:
            raise MaterialError(
                f"{len(species)} species for the {self.n_sites} sites of {self.title}"
            )

    def _require_cell(self, structure: Structure) -> None:
        where = structure.composition.formula
        n = len(structure)
        if n > self.n_all or (n < self.n_all and not self._may_be_vacant):
            raise MaterialError(
                f"{n} atoms for the {self.n_all} sites of {self.title}", where=where
            )
        ideal = Lattice(self.vectors(structure.volume / self.n_all))
        edges, angles = np.array(structure.lattice.abc), np.array(structure.lattice.angles)
        skew = np.abs(angles - np.array(ideal.angles)).max()
        if np.abs(edges / np.array(ideal.abc) - 1).max() > EDGE_TOLERANCE or skew > ANGLE_TOLERANCE:
            raise MaterialError(
                f"the cell ({_list(edges)} Å; {_list(angles)}°) is not {self.title} "
                f"({_list(ideal.abc)} Å; {_list(ideal.angles)}°)",
                where=where,
                remedy="Give it in the parent's own setting.",
            )


def read_decoration(
    structure: Structure, parents: "Sequence[ParentLattice]" = ()
) -> tuple[ParentLattice, tuple[str, ...]]:
    """Return the parent that a structure decorates, and the species on each of its open sites.

    What was read lately is remembered by its content: a round reads the same crystals for each
    model and surrogate that learns from them.

    Args:
        structure: as proposed, or relaxed a little.
        parents: that it may decorate; without any, alloys on fcc and bcc.

    Raises:
        MaterialError: as ``ParentLattice.decoration``, of the parent that fits best.
    """
    key = tuple(parents), _content(structure)
    if (known := _READ.get(key)) is None:
        if parents:
            known = _on_one_of(structure, parents)
        else:
            parent = identify(structure)
            known = parent, parent.decoration(structure)
        if len(_READ) >= MOST_REMEMBERED:
            _READ.clear()
        _READ[key] = known
    return known


MOST_REMEMBERED = 50_000
"""Number of structures whose reading is remembered, at most."""
_READ: dict[tuple[tuple[ParentLattice, ...], bytes], tuple[ParentLattice, tuple[str, ...]]] = {}


def _on_one_of(
    structure: Structure, parents: "Sequence[ParentLattice]"
) -> tuple[ParentLattice, tuple[str, ...]]:
    """Return the first parent that a structure decorates, in their order."""
    errors = []
    for parent in parents:
        try:
            return parent, parent.decoration(structure)
        except MaterialError as error:
            errors.append(error)
    raise errors[0]


def _content(structure: Structure) -> bytes:
    """Return a digest of cell, positions and species."""
    positions = np.concatenate([structure.lattice.matrix, structure.frac_coords])
    return blake2b(
        positions.tobytes() + " ".join(_symbols(structure)).encode(), digest_size=16
    ).digest()


def identify(structure: Structure) -> ParentLattice:
    """Return the parent of alloys whose cell a structure has, fcc or bcc with 2 n³ atoms;
    ``decoration`` then checks its atoms.

    Raises:
        MaterialError: if the cell or the number of atoms belongs to neither.
    """
    a, _, c = structure.lattice.abc
    name: LatticeName = min(
        TWO_ATOM_C_OVER_A, key=lambda key: abs(math.log(c / a / TWO_ATOM_C_OVER_A[key]))
    )
    parent = _known_alloy(name, len(structure))
    parent._require_cell(structure)
    return parent


@lru_cache(maxsize=32)
def _known_alloy(name: LatticeName, atoms: int) -> ParentLattice:
    """Return the parent once made, with what it has worked out."""
    return ParentLattice.of_size(name, atoms)


@lru_cache(maxsize=256)
def _atomic_number(symbol: str) -> int:
    """Return the atomic number, 0 of a vacancy."""
    if symbol == VACANCY:
        return 0
    if not Element.is_valid_symbol(symbol):
        raise MaterialError(f"{symbol!r} is not a chemical element")
    return int(Element(symbol).Z)


@lru_cache(maxsize=16)
def _symmetries(parent: ParentLattice) -> tuple[IntArray, IntArray]:
    """Return the permutations of the open sites that keep the sublattices, and all of them."""
    everything = site_permutations(parent.supercell, pooled_kinds(parent.supercell))
    place = np.empty(parent.n_all, dtype=everything.dtype)
    place[parent._order] = np.arange(parent.n_all)
    permutations = place[everything[:, parent._order[: parent.n_sites]]]
    if parent.n_sites <= FEW_SITES:
        permutations = np.unique(permutations, axis=0)
    else:
        permutations = distinct_rows(permutations)
    kept = (parent.sublattice[permutations] == parent.sublattice).all(axis=1)
    return permutations[kept], permutations


def _symbols(structure: Structure) -> list[str]:
    symbols = []
    for site in structure:
        (specie, amount), *others = site.species.items()
        if others or amount != 1:
            raise MaterialError("the structure has partly occupied sites", remedy="Order it first.")
        symbols.append(specie.symbol)
    return symbols


def _list(numbers: Sequence[float] | FloatArray) -> str:
    return ", ".join(f"{x:.4g}" for x in numbers)
