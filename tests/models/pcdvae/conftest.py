from collections.abc import Callable

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from alloop.models.lattice.parent import ParentLattice


@pytest.fixture
def decorated() -> Callable[..., Structure]:
    """Return an fcc or bcc cell with its elements shuffled and its atoms displaced."""

    def make(
        name: str = "fcc", *, atoms: int = 16, seed: int = 0, shake: float = 0.05
    ) -> Structure:
        rng = np.random.default_rng(seed)
        species = rng.permutation(np.resize(["Ni", "Fe", "Cr"], atoms)).tolist()
        structure = ParentLattice.of_size(name, atoms).structure(species)
        shifts = rng.normal(scale=shake, size=(atoms, 3)) if shake else np.zeros((atoms, 3))
        return Structure(
            structure.lattice,
            structure.species,
            structure.cart_coords + shifts,
            coords_are_cartesian=True,
        )

    return make


@pytest.fixture
def triclinic() -> Structure:
    """Return a crystal without any symmetry."""
    rng = np.random.default_rng(3)
    lattice = Lattice.from_parameters(4.1, 4.9, 5.7, 78, 97, 108)
    grid = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) / 2
    coords = grid + rng.normal(scale=0.03, size=(8, 3))
    return Structure(lattice, ["Ni", "Fe", "Cr", "Fe", "Ni", "Cr", "Fe", "Cr"], coords)
