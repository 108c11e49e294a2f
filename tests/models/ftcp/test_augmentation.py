import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure

from alloop.models.ftcp.augmentation import (
    reordered_axes,
    reordered_sites,
    shifted,
    symmetry_copies,
)
from alloop.models.ftcp.representation.crystals import EMPTY, Size, read_crystals, to_structures


def chiral():
    """A crystal without any symmetry, on which every mistake shows."""
    return Structure(
        Lattice.from_parameters(4.0, 5.0, 6.5, 80.0, 95.0, 102.0),
        ["Fe", "O", "O", "C"],
        [[0.1, 0.2, 0.3], [0.45, 0.8, 0.15], [0.7, 0.55, 0.9], [0.3, 0.5, 0.65]],
    )


def copies(change, n=60):
    structure = chiral()
    crystals = read_crystals([structure] * n, Size(4, 6))
    return structure, crystals, change(crystals, np.random.default_rng(0))


def test_every_copy_is_the_same_crystal():
    matcher = StructureMatcher(ltol=1e-3, stol=1e-3, angle_tol=0.1, primitive_cell=False)
    for change in (shifted, reordered_sites, reordered_axes, symmetry_copies):
        structure, _, changed = copies(change)
        assert all(matcher.fit(structure, copy) for copy in to_structures(changed))


def test_axes_keep_the_hand():
    structure, _, changed = copies(reordered_axes)
    assert len({tuple(row) for row in changed.lattices.round(6)}) == 6
    for copy in to_structures(changed):
        # bonds from iron to its neighbours, by shortest image: their triple product has a sign
        volumes = [
            np.linalg.det(
                [cell.lattice.get_cartesian_coords(nearest(cell, 0, j)) for j in (1, 2, 3)]
            )
            for cell in (structure, copy)
        ]
        assert np.isclose(*volumes, rtol=1e-4)


def nearest(cell, i, j):
    _, image = cell[i].distance_and_image(cell[j])
    return cell[j].frac_coords + image - cell[i].frac_coords


def test_columns_follow_the_order_of_sites():
    _, _, changed = copies(reordered_sites)
    for row in range(len(changed)):
        occupants = changed.occupants[row]
        present = occupants[occupants != EMPTY]
        assert (occupants[len(present) :] == EMPTY).all()
        firsts = list(dict.fromkeys(present.tolist()))
        assert firsts == sorted(firsts)
        assert changed.elements[row].tolist().count(EMPTY) == 1
    assert len({tuple(row) for row in changed.site_elements}) > 3


def test_shifts_leave_empty_sites_alone():
    _, before, changed = copies(shifted)
    assert not changed.coords[:, 4:].any()
    moved = (changed.coords - before.coords)[:, :4] % 1
    assert np.allclose(moved, moved[:, :1])
