"""Supercells with their sublattices: which sites are open, to what, and which are fixed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alloop.lattices import LatticeName, cells_per_edge
from alloop.parents.options import ParentOptions, Repeats, SublatticeOptions, number_of
from alloop.parents.species import VACANCY
from alloop.parents.unit_cell import UnitCell, two_atom_cell

SLACK = 1e-9
"""Float slack for fractions × sites: 0.6 * 5 == 3.0000000000000004."""
FIXED = -1
"""Index of the sublattice of a site that nothing is exchanged on."""


@dataclass(frozen=True)
class OpenSublattice:
    """Sites of one kind that several species may sit on."""

    name: str
    species: tuple[str, ...]
    """Elements and ``vacancy``, in the order given."""
    n_sites: int
    """Number of sites in a supercell."""
    count_bounds: tuple[tuple[int, int], ...]
    """Fewest and most sites of each species."""

    @classmethod
    def of(
        cls, name: str, species: Sequence[str], n_sites: int, shares: Sequence[tuple[float, float]]
    ) -> "OpenSublattice":
        """Return the sublattice with whole numbers of sites within the shares."""
        counts = (
            (math.ceil(low * n_sites - SLACK), math.floor(high * n_sites + SLACK))
            for low, high in shares
        )
        return cls(name, tuple(species), n_sites, tuple(counts))

    def problem(self) -> str | None:
        """Return why no whole numbers of sites lie within the bounds; None where some do."""
        for species, (low, high) in zip(self.species, self.count_bounds, strict=True):
            if low > high:
                return (
                    f"no whole number of {species} atoms out of {self.n_sites} lies within its "
                    "fractions; widen them or take a larger cell"
                )
        least, most = (sum(bound[end] for bound in self.count_bounds) for end in (0, 1))
        if not least <= self.n_sites <= most:
            return (
                f"the fractions on sublattice {self.name} allow {least} to {most} atoms, never "
                f"{self.n_sites}; loosen the bounds so that they can sum to one"
            )
        return None


@dataclass(frozen=True)
class Supercell:
    """A supercell of a parent, and what may sit on the sites of its unit cell."""

    cell: UnitCell
    repeats: Repeats
    groups: tuple[int, ...]
    """Sublattice of each site of the unit cell, or ``FIXED``."""
    fixed: tuple[str, ...]
    """Element on each site of the unit cell that is fixed; empty on the others."""
    species: tuple[tuple[str, ...], ...]
    """Species of each open sublattice."""

    @property
    def name(self) -> str:
        """Name of the parent."""
        return self.cell.name

    @property
    def n_cells(self) -> int:
        """Number of unit cells."""
        return math.prod(self.repeats)

    @property
    def n_sites(self) -> int:
        """Number of sites, of which vacancies leave some empty."""
        return self.n_cells * len(self.cell.labels)

    def n_open(self, sublattice: int) -> int:
        """Return the number of sites of an open sublattice."""
        return self.n_cells * self.groups.count(sublattice)


@dataclass(frozen=True)
class Layout:
    """The supercells that a space decorates, and their common open sublattices."""

    supercells: tuple[Supercell, ...]
    sublattices: tuple[OpenSublattice, ...]

    @property
    def n_open(self) -> int:
        """Number of open sites, the same in every supercell."""
        return sum(one.n_sites for one in self.sublattices)

    @property
    def species(self) -> tuple[str, ...]:
        """Species on any open sublattice, each once."""
        return tuple(dict.fromkeys(each for one in self.sublattices for each in one.species))

    @property
    def fixed_counts(self) -> Mapping[str, int]:
        """Number of fixed atoms of each element, in the first supercell."""
        first = self.supercells[0]
        present = dict.fromkeys(symbol for symbol in first.fixed if symbol)
        return {symbol: first.n_cells * first.fixed.count(symbol) for symbol in present}


def alloy_supercell(name: LatticeName, n: int, species: Sequence[str] = ()) -> Supercell:
    """Return n × n × n two-atom cells of fcc or bcc, all sites of which are open."""
    return Supercell(two_atom_cell(name), (n, n, n), (0, 0), ("", ""), (tuple(species),))


def alloy_layout(
    names: Sequence[LatticeName],
    n: int,
    elements: Sequence[str],
    shares: Sequence[tuple[float, float]],
) -> Layout:
    """Return the layout of alloys on fcc and bcc, 2 n³ atoms each."""
    return Layout(
        tuple(alloy_supercell(name, n, elements) for name in names),
        (OpenSublattice.of("A", elements, 2 * n**3, shares),),
    )


def layout_of(
    parents: Sequence[ParentOptions],
    sublattices: Mapping[str, SublatticeOptions],
    elements: Sequence[str],
    shares: Mapping[str, tuple[float, float]],
    *,
    supercell: Repeats | None,
    atoms: int | str,
) -> Layout:
    """Return the supercells of some parents with their sublattices.

    Args:
        parents: at least one.
        sublattices: by name; without any, all sites of parents with one kind of site are open.
        elements: on these, where no sublattices are named.
        shares: least and largest fractions, likewise.
        supercell: of parents that have none of their own.
        atoms: number of sites, or *about N*, of parents that have neither.

    Raises:
        ValueError: naming the parent and sublattice that do not fit.
    """
    open_names: list[str] = []
    found: list[Supercell] = []
    for parent in parents:
        cell = cell_for(parent, supercell, atoms)
        if not sublattices:
            labels = list(dict.fromkeys(cell.elements or cell.labels))
            if len(labels) > 1:
                raise ValueError(
                    f"{parent.name} has the sites {', '.join(labels)}: say what may sit on each, "
                    f"sublattices: {{{labels[0]}: {{elements: [{elements[0]}, …]}}, …}}"
                )
            chosen = {"A": SublatticeOptions(sites=(labels[0],), elements=tuple(elements))}
            chosen["A"] = chosen["A"].model_copy(update={"fractions": dict(shares)})
        else:
            chosen = dict(sublattices)
        repeats = parent.repeats(cell, supercell, atoms)
        laid, open_names = _laid_out(parent.name, cell, repeats, chosen)
        found.append(laid)
    first = found[0]
    for other in found[1:]:
        for index, name in enumerate(open_names):
            if other.n_open(index) != first.n_open(index):
                raise ValueError(
                    f"{first.name} has {first.n_open(index)} sites of sublattice {name}, "
                    f"{other.name} has {other.n_open(index)}; give each parent a supercell so that "
                    "the numbers are equal"
                )
    open_ones = []
    for index, name in enumerate(open_names):
        told = chosen[name]
        bounds = [told.bounds(each) for each in told.elements]
        open_ones.append(OpenSublattice.of(name, told.elements, first.n_open(index), bounds))
    return Layout(tuple(found), tuple(open_ones))


def cell_for(parent: ParentOptions, supercell: Repeats | None, atoms: int | str) -> UnitCell:
    """Return the unit cell; of fcc with 2 n³ atoms the two-atom one, which fills a cube best."""
    cell = parent.unit_cell()
    wanted = parent.atoms if parent.atoms is not None else atoms
    if cell.is_sized or cell.name != "fcc" or parent.supercell or supercell:
        return cell
    number, is_exact = number_of(wanted)
    n = cells_per_edge(number)
    return two_atom_cell("fcc") if is_exact and 2 * n**3 == number else cell


def _laid_out(
    parent: str, cell: UnitCell, repeats: Repeats, sublattices: Mapping[str, SublatticeOptions]
) -> tuple[Supercell, list[str]]:
    owner: list[str | None] = [None] * len(cell.labels)
    for name, told in sublattices.items():
        sites = told.sites or (name,)
        its_sites = [i for i in range(len(owner)) if any(cell.has(i, each) for each in sites)]
        if not its_sites:
            raise ValueError(
                f"sublattice {name} is empty: {parent} has no sites {', '.join(sites)}, it has "
                f"{', '.join(cell.known_names())}; name them under sites"
            )
        for site in its_sites:
            if owner[site] is not None:
                raise ValueError(
                    f"sublattices {owner[site]} and {name} overlap: both have the site "
                    f"{cell.labels[site]} of {parent}; give each site to one"
                )
            owner[site] = name
    left = [i for i, name in enumerate(owner) if name is None]
    if left and not cell.elements:
        names = ", ".join(dict.fromkeys(cell.labels[i] for i in left))
        raise ValueError(
            f"nothing is said of the sites {names} of {parent}; add "
            f"sublattices: {{{cell.labels[left[0]]}: {{elements: […]}}}}"
        )
    is_open = {name: len(told.elements) > 1 for name, told in sublattices.items()}
    open_names = [name for name in sublattices if is_open[name]]
    if not open_names:
        raise ValueError(
            "no sublattice has two species, so there is nothing to order; give one of them more"
        )
    groups, fixed = [], []
    for site, mine in enumerate(owner):
        if mine is not None and is_open[mine]:
            groups.append(open_names.index(mine))
            fixed.append("")
        else:
            groups.append(FIXED)
            fixed.append(cell.elements[site] if mine is None else sublattices[mine].elements[0])
    if VACANCY in fixed:
        raise ValueError(f"a fixed site of {parent} is vacant; leave it out of the parent")
    species = tuple(sublattices[name].elements for name in open_names)
    return Supercell(cell, repeats, tuple(groups), tuple(fixed), species), open_names
