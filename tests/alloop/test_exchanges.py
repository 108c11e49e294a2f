from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from alloop.exchanges import exchanged, exchanged_structure, unlike_pairs
from alloop.materials import material_id

SPECIES = st.lists(st.sampled_from(["Ni", "Fe", "Cr"]), min_size=2, max_size=12)


@given(species=SPECIES, draw=st.data())
def test_an_exchange_keeps_the_composition_and_undoes_itself(
    species: list[str], draw: st.DataObject
) -> None:
    site = st.integers(0, len(species) - 1)
    swap = draw.draw(site), draw.draw(site)
    after = exchanged(species, swap)
    assert Counter(after) == Counter(species)
    assert list(exchanged(after, swap)) == species
    assert (after[swap[0]], after[swap[1]]) == (species[swap[1]], species[swap[0]])


@given(species=SPECIES)
def test_unlike_pairs_are_all_whose_exchange_changes_something(species: list[str]) -> None:
    counts = Counter(species).values()
    n = len(species)
    assert len(unlike_pairs(species)) == (n**2 - sum(c**2 for c in counts)) // 2
    assert all(list(exchanged(species, pair)) != species for pair in unlike_pairs(species))


def test_a_structure_keeps_its_sites_and_its_labels_follow_the_elements() -> None:
    start = Structure(Lattice.cubic(2.9), ["Ni", "Cr"], [[0, 0, 0], [0.5, 0.5, 1.5]])
    after = exchanged_structure(start, (0, 1))
    assert [site.specie.symbol for site in after] == ["Cr", "Ni"]
    assert after.labels == ["Cr", "Ni"]
    np.testing.assert_array_equal(after.frac_coords, start.frac_coords)
    assert material_id(exchanged_structure(after, (0, 1))) == material_id(start)
