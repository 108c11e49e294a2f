import numpy as np
import pytest
from pymatgen.core import Composition, Lattice, Structure

from alloop.errors import MaterialError
from alloop.models.pcdvae.networks.crystal import (
    ReducedCrystal,
    heights,
    read_crystals,
    reduced_cell,
)


def test_a_reduced_cell_spans_the_same_lattice() -> None:
    cell = np.array([[4.0, 0, 0], [0, 5.0, 0], [0, 0, 6.0]])
    skewed = np.array([[1, 0, 0], [3, 1, 0], [-2, 5, 1]]) @ cell
    reduced = reduced_cell(skewed)
    assert sorted(np.linalg.norm(reduced, axis=1)) == pytest.approx([4, 5, 6])
    steps = reduced @ np.linalg.inv(cell)
    assert np.allclose(steps, np.round(steps))


def test_heights_are_distances_between_faces() -> None:
    cell = np.array([[2.0, 0, 0], [1.0, 3.0, 0], [0, 0, 4.0]])
    volume = 24.0
    areas = [np.linalg.norm(np.cross(cell[i], cell[j])) for i, j in ((1, 2), (2, 0), (0, 1))]
    assert heights(cell) == pytest.approx(volume / np.array(areas))


@pytest.mark.parametrize(
    ("material", "message"),
    [
        (Composition("NiFe"), "no atoms"),
        (
            Structure(Lattice.cubic(3), [{"Ni": 0.5, "Fe": 0.5}, "Cr"], [[0, 0, 0], [0.5] * 3]),
            "partly occupied",
        ),
        (Structure(Lattice.cubic(3), ["Ni"], [[0, 0, 0]]), "at least two atoms"),
        (
            Structure(Lattice.cubic(4), ["Ni", "Fe"], [[0, 0, 0.02], [0, 0, 0.94]]),
            "overlap: they are 0.320 Å apart",
        ),
        (
            Structure(Lattice.orthorhombic(6, 6, 0.6), ["Ni", "Fe"], [[0, 0, 0], [0.5] * 3]),
            "too flat",
        ),
        (
            Structure(Lattice([[4, 0, 0], [0, 4, 0], [4, 4, 0]]), ["Ni", "Fe"], np.eye(3)[:2]),
            "volume",
        ),
        (
            Structure(Lattice.cubic(4), ["Ni", "Fe"], [[0, 0, 0], [np.nan, 0, 0]]),
            "finite",
        ),
    ],
)
def test_what_is_no_crystal_is_refused(material: Structure, message: str) -> None:
    with pytest.raises(MaterialError, match=message):
        ReducedCrystal.of(material)


def test_the_row_of_what_is_refused_is_named(triclinic: Structure) -> None:
    single = Structure(Lattice.cubic(3), ["Ni"], [[0, 0, 0]])
    with pytest.raises(MaterialError, match=r"material 1 \(Ni1\)"):
        read_crystals([triclinic, single])


def test_a_crystal_gives_its_structure_back(triclinic: Structure) -> None:
    back = ReducedCrystal.of(triclinic).structure()
    assert back.composition == triclinic.composition
    assert np.allclose(
        np.sort(back.distance_matrix, axis=1), np.sort(triclinic.distance_matrix, axis=1)
    )
