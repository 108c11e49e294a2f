"""Explanations add up to what the head says, and find what decides in the data."""

import numpy as np
import pytest

from alloop.models.base import Dataset
from alloop.models.dvae.explanation import explain
from alloop.models.dvae.model import DvaeModel
from alloop.models.explanation import Explanation
from alloop.models.explanation_plots import summary_plot


@pytest.fixture(scope="module")
def explanation(trained: DvaeModel, dataset: Dataset) -> Explanation:
    return explain(trained, dataset.materials[:15], seed=3)


def test_shap_values_sum_to_the_heads_value(
    explanation: Explanation, trained: DvaeModel, dataset: Dataset
) -> None:
    said = trained.assess(dataset.materials[:15]).prediction.mean[:, 0].numpy()
    total = explanation.base + explanation.shap_values.sum(1)
    np.testing.assert_allclose(total, said, atol=1e-5)
    np.testing.assert_allclose(explanation.values, said, atol=1e-6)


def test_importance_points_at_what_aluminium_changes(explanation: Explanation) -> None:
    # The data's rule is how much aluminium there is, and nothing follows it less than entropy.
    importance = explanation.importance()
    assert list(importance.values()) == sorted(importance.values(), reverse=True)
    assert next(iter(importance)) != "mixing_entropy"
    aluminium_like = max(
        importance[name] for name in ("melting_temperature", "valence_electron_concentration")
    )
    assert aluminium_like > importance["mixing_entropy"]


def test_an_explanation_is_the_same_again_and_leaves_global_state_alone(
    explanation: Explanation, trained: DvaeModel, dataset: Dataset
) -> None:
    before = np.random.get_state()[1].tolist()
    again = explain(trained, dataset.materials[:15], seed=3)
    assert np.random.get_state()[1].tolist() == before
    np.testing.assert_array_equal(again.shap_values, explanation.shap_values)


def test_plots_show_the_data(explanation: Explanation) -> None:
    summary = summary_plot(explanation)
    assert len(summary.data) == 8
    assert sum(len(trace.x) for trace in summary.data) == 15 * 8
