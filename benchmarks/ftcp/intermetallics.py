"""A data set that needs no download: ternary prototypes with substituted elements.

Five well-known structure types of ternary intermetallics, whose elements are close-packed, bcc
or diamond by themselves, so that an energy of formation against the elements is easily had.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from pymatgen.core import Element, Lattice, Structure

from alloop.errors import MaterialError

METALS = (
    "Li", "Mg", "Al", "Ca", "Sc", "Ti", "V", "Fe", "Co", "Ni", "Cu", "Zn", "Sr", "Y", "Zr", "Nb",
    "Mo", "Ru", "Rh", "Pd", "Ag", "Hf", "Ta", "W", "Re", "Os", "Ir", "Pt", "Au",
)  # fmt: skip
PARTNERS = ("Al", "Si", "Ge")
"""Main-group elements that close the valence band of such compounds."""

_FCC = np.array([[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]])


@dataclass(frozen=True)
class Prototype:
    """A ternary structure type: a cell, its sites, and which sites share an element."""

    name: str
    cell: np.ndarray
    """Lattice vectors as rows, in units of the cube root of the volume once ``build`` is done."""
    roles: str
    """One letter per site: sites of the same letter hold the same element."""
    coords: np.ndarray
    """Fractional coordinates of the sites, shape (n, 3)."""

    @property
    def is_carbide(self) -> bool:
        """Whether carbon is its third element."""
        return self.name.endswith("carbide")

    def build(self, elements: tuple[str, str, str]) -> Structure:
        """Return the cell with elements for A, B, C, its volume the sum of those of the
        elements by themselves (pymatgen's molar volumes).
        """
        species = [elements["ABC".index(role)] for role in self.roles]
        structure = Structure(Lattice(self.cell), species, self.coords)
        volume = sum(float(Element(symbol).molar_volume) for symbol in species) / 0.602214
        structure.scale_lattice(volume)
        return structure


def _tetragonal_body(ratio: float) -> np.ndarray:
    """Return primitive vectors of a body-centred tetragonal cell with c / a of ``ratio``."""
    return np.array([[-1.0, 1.0, ratio], [1.0, -1.0, ratio], [1.0, 1.0, -ratio]]) / 2


PROTOTYPES = (
    Prototype("half-Heusler", _FCC, "ABC", np.array([[0.0] * 3, [0.5] * 3, [0.25] * 3])),
    Prototype("Heusler", _FCC, "AABC", np.array([[0.25] * 3, [0.75] * 3, [0.5] * 3, [0.0] * 3])),
    Prototype(
        "inverse Heusler", _FCC, "AABC", np.array([[0.0] * 3, [0.25] * 3, [0.5] * 3, [0.75] * 3])
    ),
    Prototype(
        "antiperovskite carbide",
        np.eye(3),
        "AAABC",
        np.array([[0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5], [0, 0, 0], [0.5, 0.5, 0.5]]),
    ),
    Prototype(
        "ThCr2Si2",
        _tetragonal_body(2.5),
        "BAACC",
        np.array(
            [[0, 0, 0], [0.75, 0.25, 0.5], [0.25, 0.75, 0.5], [0.37] * 2 + [0], [0.63] * 2 + [0]]
        ),
    ),
)
"""Structure types that are drawn from; A is the majority metal, B the minority metal, C a
main-group element or carbon."""


def draw_prototypes(n: int, seed: int, *, elements: Sequence[str] | None = None) -> list[Structure]:
    """Return up to n different crystals, in random order: type, metals and partner uniform.

    Sites are in the order of A, B, C for every type but ThCr2Si2, where the minority comes first.

    Args:
        n: fewer are returned only where the elements allow fewer.
        seed: of the order.
        elements: that may be used; by default all of ``METALS``, ``PARTNERS`` and carbon.

    Raises:
        MaterialError: if no prototype can be made of the elements.
    """
    metals, partners = (
        tuple(symbol for symbol in known if elements is None or symbol in elements)
        for known in (METALS, PARTNERS)
    )
    has_carbon = elements is None or "C" in elements
    left = {
        (prototype.name, a, b, c)
        for prototype in PROTOTYPES
        for a, b in permutations(metals, 2)
        for c in ((("C",) if has_carbon else ()) if prototype.is_carbide else partners)
        if c not in (a, b)
    }
    if not left:
        raise MaterialError(
            f"no ternary prototype can be made of {', '.join(elements or ())}",
            remedy=f"Take two of {', '.join(METALS)}, and one of {', '.join(PARTNERS)} or C.",
        )
    rng = np.random.default_rng(seed)
    crystals: list[Structure] = []
    while left and len(crystals) < n:
        prototype = PROTOTYPES[rng.integers(len(PROTOTYPES))]
        a, b = (str(symbol) for symbol in rng.choice(metals, 2, replace=False))
        c = "C" if prototype.is_carbide or not partners else str(rng.choice(partners))
        if (key := (prototype.name, a, b, c)) in left:
            left.remove(key)
            crystals.append(prototype.build((a, b, c)))
    return crystals
