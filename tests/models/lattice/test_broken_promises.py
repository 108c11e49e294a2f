"""The conformance suite finds models that break their promises."""

import pytest
import torch

from alloop.models.base import Prediction
from alloop.models.lattice.model import LatticeModel
from alloop.testing.models import (
    check_decode,
    check_embed,
    check_encode,
    check_fit,
    check_predict,
)


class Forgetful(LatticeModel):
    """Uses up global random numbers, loses a row, is always sure, and rounds."""

    def fit(self, data, *, seed, on_progress=None):
        torch.rand(1)
        return super().fit(data, seed=seed, on_progress=on_progress)

    def decode(self, z, *, seed):
        return super().decode(z, seed=seed)[:-1]

    def predict(self, z):
        prediction = super().predict(z)
        return Prediction(prediction.property_names, prediction.mean, 0 * prediction.std)

    def embed(self, z):
        return super().embed(z).float()


@pytest.fixture(scope="module")
def forgetful(fitted, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model"
    fitted.save(path)
    return Forgetful.load(path)


def test_broken_promises_are_named(forgetful, fitted, dataset):
    few = dataset.take(range(4))
    z = fitted.encode(few.materials)
    with pytest.raises(AssertionError, match="global state"):
        check_fit(forgetful, few)
    with pytest.raises(AssertionError, match="one material per row"):
        check_decode(forgetful, z)
    with pytest.raises(AssertionError, match="deviation is positive"):
        check_predict(forgetful, z, few.property_names)
    with pytest.raises(AssertionError, match="precision"):
        check_embed(forgetful, z)
    with pytest.raises(AssertionError, match="refuse"):
        check_encode(fitted, few, foreign=[few.materials[0]])
