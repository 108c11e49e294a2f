"""What moves the lattice model's predictions: SHAP values add up, weights are those of the data."""

import numpy as np
import pytest

from alloop.errors import ModelError
from alloop.models.analyses import CanExplain, HasDescriptorWeights
from alloop.models.base import Dataset
from alloop.models.lattice.explanation import descriptor_names
from alloop.models.lattice.model import LatticeModel


def test_descriptors_are_named_as_many_as_there_are(fitted: LatticeModel, dataset: Dataset) -> None:
    names = descriptor_names(fitted)
    assert len(names) == fitted.embed(fitted.encode(dataset.materials[:2])).shape[1]
    assert names[:3] == ("share of bcc 2×2×2", "fraction of Ni", "fraction of Fe")
    assert len(set(names)) == len(names)


def test_shap_values_sum_to_prediction_minus_mean(fitted: LatticeModel, dataset: Dataset) -> None:
    assert isinstance(fitted, CanExplain)
    found = fitted.explain(
        dataset.materials[:8],
        background=dataset.materials,
        property_name="bulk_modulus",
        seed=0,
    )
    every = fitted.predict(fitted.encode(dataset.materials)).mean[:, 0].numpy()
    np.testing.assert_allclose(found.values, every[:8], rtol=1e-4)
    assert found.base == pytest.approx(every.mean(), rel=1e-4)
    np.testing.assert_allclose(found.base + found.shap_values.sum(axis=1), found.values)


def test_the_weight_of_nickel_is_the_slope_that_the_labels_have(
    fitted: LatticeModel, dataset: Dataset
) -> None:
    assert isinstance(fitted, HasDescriptorWeights)
    weights = fitted.descriptor_weights(dataset.materials, property_name="bulk_modulus")
    # Labels are 150 + 50 x(Ni): one standard deviation of x(Ni) changes them by 50 times as much.
    nickel = [material.composition.get_atomic_fraction("Ni") for material in dataset.materials]
    effects = dict(zip(weights.descriptor_names, weights.slopes * weights.spreads, strict=True))
    assert effects["fraction of Ni"] == pytest.approx(50 * np.std(nickel), rel=0.25)
    others = [abs(x) for name, x in effects.items() if name != "fraction of Ni"]
    assert max(others) < 0.4 * effects["fraction of Ni"]


def test_of_an_unknown_property_nothing_is_explained(
    fitted: LatticeModel, dataset: Dataset
) -> None:
    with pytest.raises(ModelError, match="knows no colour"):
        fitted.descriptor_weights(dataset.materials, property_name="colour")
