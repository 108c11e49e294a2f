import numpy as np
import pytest

from alloop.models.lattice.parent import ParentLattice
from alloop.models.lattice.waves import concentration_waves


@pytest.mark.parametrize("name", ["fcc", "bcc"])
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_waves_are_an_orthonormal_basis_whose_first_is_constant(name, n):
    parent = ParentLattice.alloy(name, n)
    waves = concentration_waves(parent)
    np.testing.assert_allclose(waves @ waves.T, np.eye(parent.n_sites), atol=1e-12)
    np.testing.assert_allclose(waves[0], parent.n_sites**-0.5)


@pytest.mark.parametrize("name", ["fcc", "bcc"])
def test_waves_diagonalise_every_shell_in_pairs(name):
    """Bloch's theorem: a sum over neighbours only scales a plane wave."""
    parent = ParentLattice.alloy(name, 3)
    waves = concentration_waves(parent)
    for neighbours in parent.shells:
        summed = waves[:, neighbours].sum(axis=2)
        factors = (summed * waves).sum(axis=1)
        np.testing.assert_allclose(summed, factors[:, None] * waves, atol=1e-12)


def test_the_b2_wave_of_bcc_is_one_of_them():
    """In B2 order the corners hold one element and the centres the other."""
    parent = ParentLattice.alloy("bcc", 3)
    is_corner = np.all(np.isclose(parent.sites * 3 % 1, 0), axis=1)
    b2 = np.where(is_corner, 1.0, -1.0) / np.sqrt(54)
    overlap = np.abs(concentration_waves(parent) @ b2)
    assert overlap.max() == pytest.approx(1.0)
