"""Into LAMMPS's frame and back, for any cell."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation

from alloop.oracles.lammps.simulation.cell import LammpsCell

seeds = st.integers(0, 2**32 - 1)


def any_structure(seed: int) -> Structure:
    """Return atoms in a skew cell, right- or left-handed, some outside of it."""
    rng = np.random.default_rng(seed)
    while True:
        matrix = rng.normal(size=(3, 3)) * 4
        if abs(np.linalg.det(matrix)) > 8:
            break
    n = int(rng.integers(1, 6))
    species = rng.choice(["Ni", "Fe", "Cr"], n).tolist()
    return Structure(Lattice(matrix), species, rng.normal(size=(n, 3)))


@given(seeds)
def test_there_and_back_is_the_same_structure(seed: int) -> None:
    structure = any_structure(seed)
    cell = LammpsCell.of(structure)
    back = cell.deformed(np.eye(3), cell.positions)
    assert back.species == structure.species
    np.testing.assert_allclose(back.lattice.matrix, structure.lattice.matrix, atol=1e-9)
    np.testing.assert_allclose(back.frac_coords, structure.frac_coords, atol=1e-9)


@given(seeds)
def test_the_box_is_what_lammps_wants(seed: int) -> None:
    cell = LammpsCell.of(any_structure(seed))
    for vectors in (cell.lattice, cell.box):
        assert np.triu(vectors, 1).max(initial=0) == np.triu(vectors, 1).min(initial=0) == 0
        assert (np.diag(vectors) > 0).all()
    (lx, _, _), (xy, ly, _), (xz, yz, _) = cell.box
    assert max(abs(xy) / lx, abs(xz) / lx, abs(yz) / ly) <= 0.5 + 1e-9


@given(seeds)
def test_the_box_describes_the_same_crystal(seed: int) -> None:
    structure = any_structure(seed)
    cell = LammpsCell.of(structure)
    transformation = cell.box @ np.linalg.inv(cell.lattice)
    np.testing.assert_allclose(transformation, np.round(transformation), atol=1e-6)
    np.testing.assert_allclose(np.linalg.det(transformation), 1, atol=1e-6)
    in_box = np.linalg.solve(cell.box.T, cell.positions.T).T
    assert in_box.min() > -1e-9
    assert in_box.max() < 1 + 1e-9
    # Rotation and mirroring keep all distances between the atoms of a cell.
    original, there = structure.cart_coords, cell.positions + cell.shifts
    np.testing.assert_allclose(
        np.linalg.norm(there[:, None] - there, axis=-1),
        np.linalg.norm(original[:, None] - original, axis=-1),
        atol=1e-9,
    )
    periods = np.linalg.solve(cell.lattice.T, cell.shifts.T).T
    np.testing.assert_allclose(periods, np.round(periods), atol=1e-6)


def test_a_deformation_acts_in_lammps_frame_and_is_turned_back() -> None:
    structure = Structure(Lattice.orthorhombic(3, 4, 5), ["Ni", "Fe"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    turned = Structure(
        Lattice(structure.lattice.matrix @ Rotation.random(rng=1).as_matrix()),
        structure.species,
        structure.frac_coords,
    )
    cell = LammpsCell.of(turned)
    stretch = np.diag([1.1, 1.0, 0.9])
    found = cell.deformed(stretch, cell.positions @ stretch.T)
    np.testing.assert_allclose(found.lattice.abc, [3.3, 4.0, 4.5], atol=1e-9)
    np.testing.assert_allclose(found.frac_coords, structure.frac_coords, atol=1e-9)


def test_right_angles_are_recognised_in_any_orientation_and_despite_rounding() -> None:
    rotation = Rotation.random(rng=2).as_matrix()
    for angle, expected in ((90.0, True), (90 + 1e-6, True), (90.01, False), (60.0, False)):
        lattice = Lattice.from_parameters(7, 8, 9, 90, angle, 90)
        structure = Structure(Lattice(lattice.matrix @ rotation), ["Ni"], [[0, 0, 0]])
        assert LammpsCell.of(structure).is_orthogonal is expected
