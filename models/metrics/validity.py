"""Structural and compositional validity as CDVAE defines them (section 5.2)."""

from collections.abc import Sequence

from pymatgen.core import Composition, Element, Structure
from vesin import NeighborList

MIN_DISTANCE = 0.5
"""Least distance between any two atoms, Å (Court et al. 2020, through CDVAE)."""
MIN_VOLUME = 0.1
"""Least volume of a cell, Å³."""
CHARGE = 1e-5
"""Unit in which charges per atom are added up, elementary charges."""


def is_structurally_valid(structure: Structure) -> bool:
    """Return whether all atoms and their images are at least 0.5 Å apart, in a cell with volume."""
    if not structure.volume >= MIN_VOLUME:
        return False
    search = NeighborList(cutoff=MIN_DISTANCE, full_list=False, n_threads=1)
    (pairs,) = search.compute(
        points=structure.cart_coords, box=structure.lattice.matrix, periodic=True, quantities="P"
    )
    return len(pairs) == 0


def is_compositionally_valid(composition: Composition) -> bool:
    """Return whether a composition is one element, an alloy of metals, or charge-neutral.

    Neutral means that oxidation states of the elements add up to zero with every cation less
    electronegative than every anion (the rules of SMACT: Davies et al., Chem 1, 617). The
    oxidation states are those that pymatgen lists.
    """
    amounts = composition.fractional_composition.get_el_amt_dict()
    elements = [Element(symbol) for symbol in amounts]
    if len(elements) == 1 or all(element.is_metal for element in elements):
        return True
    # Elements up to some electronegativity give, those above it take.
    return any(
        _adds_up(
            [
                [n * s for s in element.oxidation_states if s == 0 or (s > 0) is (cut >= element.X)]
                for element, n in zip(elements, amounts.values(), strict=True)
            ]
        )
        for cut in {element.X for element in elements}
    )


def _adds_up(charges: Sequence[Sequence[float]]) -> bool:
    """Return whether one charge of each row, elementary charges per atom, add up to zero.

    All sums that can be reached are kept as the bits of a number, so that thirty elements take no
    longer than their charges are many.
    """
    whole = [[round(charge / CHARGE) for charge in row] for row in charges]
    if not all(whole):
        return False
    lowest = sum(map(min, whole))
    reached = 1
    for row in whole:
        least = min(row)
        grown = 0
        for charge in row:
            grown |= reached << (charge - least)
        reached = grown
    # A sum of rounded charges is off by half of a unit for each.
    window = (1 << (2 * (len(whole) // 2) + 1)) - 1
    first = -lowest - len(whole) // 2
    return bool((reached >> first if first > 0 else reached << -first) & window)
