import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.core import Composition, Lattice, Structure

from alloop.oracles.base import FailureKind
from alloop.oracles.dft.crystal import SortedStructure
from alloop.oracles.dft.references import ordered_binaries, reference_crystal
from alloop.oracles.failure import MeasurementFailed

SYMBOLS = ["Ni", "Fe", "Cr", "Ni", "Fe", "Cr", "Ni", "Fe"]


@given(st.permutations(SYMBOLS))
def test_sites_come_back_in_the_order_they_were_proposed_in(symbols):
    original_indices = np.stack(np.meshgrid(*[[0.0, 0.5]] * 3, indexing="ij"), -1).reshape(-1, 3)
    proposed = Structure(Lattice.cubic(5.0), symbols, original_indices)
    crystal = SortedStructure.of(proposed)
    kinds = [site.specie.symbol for site in crystal.structure]
    assert kinds == sorted(kinds, key=["Cr", "Fe", "Ni"].index)  # by electronegativity, as VASP's
    assert crystal.structure == crystal.structure.get_sorted_structure()
    back = crystal.in_original_order(crystal.structure)
    assert [site.specie.symbol for site in back] == symbols
    assert np.array_equal(back.frac_coords, proposed.frac_coords)


@pytest.mark.parametrize(
    ("material", "kind"),
    [
        (Composition("FeNi"), FailureKind.UNSUPPORTED),
        (Structure(Lattice.cubic(3), [{"Fe": 0.5, "Ni": 0.5}], [[0.0] * 3]), "unsupported"),
        (Structure(Lattice.cubic(3), ["Fe", "Fe"], [[0.0] * 3, [0.02] * 3]), "lost_atoms"),
        (Structure(Lattice.cubic(20), ["Fe"], [[0.0] * 3]), FailureKind.UNPHYSICAL),
        (Structure(Lattice.cubic(3), ["Fe"], [[float("nan")] * 3]), FailureKind.UNPHYSICAL),
    ],
)
def test_what_is_no_crystal_is_refused(material, kind):
    with pytest.raises(MeasurementFailed) as caught:
        SortedStructure.of(material)
    assert caught.value.failure.kind == kind


def test_elements_have_the_crystals_of_the_textbook():
    assert reference_crystal("Fe").get_space_group_info() == ("Im-3m", 229)
    assert reference_crystal("Ni").get_space_group_info() == ("Fm-3m", 225)
    assert len(reference_crystal("Cr")) == 2
    with pytest.raises(MeasurementFailed, match="Mn"):
        reference_crystal("Mn")


def test_ordered_binaries_are_the_four_prototypes_at_the_mean_volume():
    cells = ordered_binaries("Fe", "Ni", {"Fe": 11.0, "Ni": 10.0})
    found = {(cell.composition.reduced_formula, cell.get_space_group_info()[1]) for cell in cells}
    assert found == {("FeNi3", 221), ("Fe3Ni", 221), ("FeNi", 123), ("FeNi", 221)}
    for cell in cells:
        fractions = cell.composition.fractional_composition
        assert cell.volume / len(cell) == pytest.approx(10 + fractions["Fe"])
