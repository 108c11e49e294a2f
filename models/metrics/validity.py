"""Structural and compositional validity as CDVAE defines them (section 5.2)."""

import itertools
import math

from pymatgen.core import Composition, Element, Structure
from vesin import NeighborList

MIN_DISTANCE = 0.5
"""Least distance between any two atoms, Å (Court et al. 2020, through CDVAE)."""
MIN_VOLUME = 0.1
"""Least volume of a cell, Å³."""


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
    counts = composition.reduced_composition.get_el_amt_dict()
    elements = [Element(symbol) for symbol in counts]
    if len(elements) == 1 or all(element.is_metal for element in elements):
        return True
    return any(
        math.isclose(
            math.fsum(n * state for n, state in zip(counts.values(), states, strict=True)), 0
        )
        and _cations_give_to_anions(elements, states)
        for states in itertools.product(*(element.oxidation_states for element in elements))
    )


def _cations_give_to_anions(elements: list[Element], states: tuple[float, ...]) -> bool:
    cations = [el.X for el, state in zip(elements, states, strict=True) if state > 0]
    anions = [el.X for el, state in zip(elements, states, strict=True) if state < 0]
    return max(cations, default=-math.inf) < min(anions, default=math.inf)
