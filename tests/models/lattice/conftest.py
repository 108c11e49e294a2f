from collections.abc import Callable

import numpy as np
import pytest

from alloop.models.base import Dataset
from alloop.models.lattice.decorations import DecorationSpace
from alloop.models.lattice.model import LatticeModel
from alloop.models.lattice.options import LatticeOptions

SMALL = LatticeOptions(
    width=16, depth=1, ensemble=2, unlabelled=256, epochs=12, refit_epochs=1, batch_size=16
)
BOUNDS = {"Ni": (2, 10), "Fe": (2, 10), "Cr": (0, 8)}


@pytest.fixture(scope="session")
def make_model() -> Callable[..., LatticeModel]:
    """Return a maker of untrained models of 16 atoms that train in a second."""

    def make(**changes: object) -> LatticeModel:
        space = {
            "elements": ("Ni", "Fe", "Cr"),
            "lattices": ("fcc", "bcc"),
            "atoms": 16,
            "count_bounds": BOUNDS,
        } | changes
        options = space.pop("options", SMALL)
        names = ("bulk_modulus", "formation_energy_per_atom")
        return LatticeModel(options, DecorationSpace.of(**space), names)  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def dataset(make_model: Callable[..., LatticeModel]) -> Dataset:
    """Random cells with two made-up properties: the nickel share, and the iron count squared."""
    space = make_model().space
    codes, lattices = space.draw(40, np.random.default_rng(5))
    nickel, iron = (codes == 0).mean(axis=1), (codes == 1).sum(axis=1)
    return Dataset(
        materials=tuple(space.structure(c, lat) for c, lat in zip(codes, lattices, strict=True)),
        property_names=("bulk_modulus", "formation_energy_per_atom"),
        labels=np.stack([150 + 50 * nickel, iron**2 / 100], axis=1),
        is_augmented=np.zeros(40, dtype=bool),
    )


@pytest.fixture(scope="session")
def fitted(make_model: Callable[..., LatticeModel], dataset: Dataset) -> LatticeModel:
    """A trained model, not to be trained further by a test."""
    model = make_model()
    model.fit(dataset, seed=3)
    return model
