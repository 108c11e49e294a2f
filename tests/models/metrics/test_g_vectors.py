import math

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from alloop.errors import MaterialError
from alloop.models.lattice.parent import ParentLattice
from alloop.models.metrics.g_vectors import cp_g_distance, g_distance, g_vectors

BOX = Lattice.cubic(20)


def molecule(species: list[str], positions: list[list[float]]) -> Structure:
    return Structure(BOX, species, positions, coords_are_cartesian=True)


def radial(distance: float) -> np.ndarray:
    """Eight functions of one neighbour, from the formula."""
    centres = [0.5 + 0.5125 * i for i in range(8)]
    fade = 0.5 * (math.cos(math.pi * distance / 4.6) + 1)
    return np.array([math.exp(-8 * (distance - centre) ** 2) * fade for centre in centres])


def angular(one: float, other: float, angle: float) -> np.ndarray:
    """Four by eight functions of two neighbours, from the formula."""

    def fade(distance: float) -> float:
        return 0.5 * (math.cos(math.pi * distance / 3.1) + 1)

    return np.array(
        [
            2 ** (1 - 50)
            * (1 + math.cos(angle - math.pi / 8 * (i + 0.5))) ** 50
            * math.exp(-6 * ((one + other) / 2 - (0.5 + 0.65 * r)) ** 2)
            * fade(one)
            * fade(other)
            for r in range(4)
            for i in range(8)
        ]
    )


def test_a_pair_of_atoms_has_the_vectors_of_the_formula() -> None:
    pair = molecule(["Ni", "Cr"], [[1, 1, 1], [1, 1, 3.2]])
    vectors = g_vectors(pair, ["Cr", "Ni"])
    assert vectors.shape == (2, 2 * 8 + 3 * 32)
    assert vectors[0, :8] == pytest.approx(radial(2.2))  # nickel's neighbour is chromium
    assert vectors[1, 8:16] == pytest.approx(radial(2.2))
    assert not vectors[0, 8:].any()
    assert not vectors[1, :8].any()
    assert not vectors[1, 16:].any()


def test_an_angle_has_the_vectors_of_the_formula() -> None:
    """Three elements, two distances, one angle: each pair of elements has its own place."""
    angle = 1.1
    corner, coverage_of_pairs, far = np.array([5.0, 5, 5]), 2.0, 2.6
    arms = [
        coverage_of_pairs * np.array([1, 0, 0]),
        far * np.array([math.cos(angle), math.sin(angle), 0]),
    ]
    bent = molecule(["Fe", "Cr", "Ni"], [corner, corner + arms[0], corner + arms[1]])
    vectors = g_vectors(bent, ["Cr", "Fe", "Ni"])
    pairs = ["CrCr", "CrFe", "CrNi", "FeFe", "FeNi", "NiNi"]
    of_pair = dict(zip(pairs, vectors[0, 24:].reshape(6, 32), strict=True))
    assert of_pair.pop("CrNi") == pytest.approx(angular(coverage_of_pairs, far, angle))
    assert not any(values.any() for values in of_pair.values())
    assert vectors[0, :24] == pytest.approx(
        np.concatenate([radial(coverage_of_pairs), np.zeros(8), radial(far)])
    )


def test_the_distance_between_two_pairs_is_that_of_their_vectors() -> None:
    short = molecule(["Ni", "Ni"], [[0, 0, 0], [0, 0, 2.0]])
    long = molecule(["Ni", "Ni"], [[0, 0, 0], [0, 0, 2.5]])
    expected = float(np.linalg.norm(radial(2.0) - radial(2.5)))
    assert g_distance(short, long) == pytest.approx(expected)
    assert cp_g_distance(short, long) == pytest.approx(expected)


def test_atoms_are_matched_to_the_best_advantage() -> None:
    """Written in the other order, atoms would be compared with the wrong ones."""
    one = molecule(["Ni", "Ni", "Ni"], [[0, 0, 0], [0, 0, 2.0], [0, 0, 8.0]])
    other = molecule(["Ni", "Ni", "Ni"], [[0, 0, 8.0], [0, 0, 0], [0, 0, 2.0]])
    assert g_distance(one, other) == pytest.approx(0, abs=1e-12)


def test_rotation_and_images_do_not_matter() -> None:
    rng = np.random.default_rng(0)
    cell = ParentLattice.of_size("fcc", 16).structure(rng.permutation(["Ni", "Fe"] * 8).tolist())
    cell.perturb(0.1, seed=1)
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    coords = cell.frac_coords[::-1] + rng.integers(-2, 3, size=(16, 3))
    same = Structure(Lattice(cell.lattice.matrix @ rotation), cell.species[::-1], coords)
    assert g_distance(cell, same) == pytest.approx(0, abs=1e-7)


def test_the_phase_distance_does_not_see_elements() -> None:
    fcc = ParentLattice.of_size("fcc", 16)
    one = fcc.structure(["Ni"] * 8 + ["Cr"] * 8, volume_per_atom=11.5)
    other = fcc.structure(["Ni", "Cr"] * 8, volume_per_atom=11.5)
    bcc = ParentLattice.of_size("bcc", 16).structure(["Ni", "Cr"] * 8, volume_per_atom=11.5)
    assert cp_g_distance(one, other) == pytest.approx(0, abs=1e-9)
    assert g_distance(one, other) > 0.1
    assert cp_g_distance(one, bcc) > 0.1


def test_structures_of_different_size_are_refused() -> None:
    pair = molecule(["Ni", "Ni"], [[0, 0, 0], [0, 0, 2.0]])
    triple = molecule(["Ni"] * 3, [[0, 0, 0], [0, 0, 2.0], [0, 0, 4.0]])
    with pytest.raises(MaterialError, match="2 and 3 atoms"):
        g_distance(pair, triple)
