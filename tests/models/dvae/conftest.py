from collections.abc import Callable

import numpy as np
import pytest
from pymatgen.core import Composition

from alloop.models.base import Dataset
from alloop.models.dvae.model import DvaeModel
from alloop.models.dvae.options import DvaeOptions

ELEMENTS = ("Fe", "Ni", "Cr", "Al")
SMALL = DvaeOptions(
    descriptors="eight",
    latents=2,
    width=16,
    committees=2,
    trees=4,
    transport_layers=3,
    random_alloys=20,
    epochs=4,
    refit_epochs=1,
    batch_size=32,
)
PHASE = "single_phase_probability"


@pytest.fixture(scope="session")
def make_model() -> Callable[..., DvaeModel]:
    """Return a maker of untrained models that train in a second."""

    def make(**changes: object) -> DvaeModel:
        options = SMALL.model_copy(update=changes)
        return DvaeModel(options, ELEMENTS, (PHASE,))

    return make


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    """Random alloys; those with little aluminium are called a single phase."""
    draws = np.random.default_rng(3).dirichlet(np.ones(len(ELEMENTS)), 60)
    materials = tuple(Composition(dict(zip(ELEMENTS, row, strict=True))) for row in draws)
    labels = (draws[:, 3] < np.median(draws[:, 3])).astype(float)[:, None]
    return Dataset(materials, (PHASE,), labels, np.zeros(60, dtype=bool))


@pytest.fixture(scope="session")
def trained(make_model: Callable[..., DvaeModel], dataset: Dataset) -> DvaeModel:
    """A model that has learned the rule of ``dataset``."""
    model = make_model(epochs=60, random_alloys=100, trees=20, transport_layers=10, width=32)
    model.fit(dataset, seed=1)
    return model
