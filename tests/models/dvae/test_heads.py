"""Trees kept as tensors say what the library's own trees say, and know what they never saw."""

import math

import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestRegressor

from alloop.models.dvae.heads import StoredTrees, TreeHead
from alloop.models.dvae.nodes import BernoulliNode, NormalNode, PropertyNode
from alloop.models.dvae.options import BernoulliPrior, NormalPrior

EVERY_ROW = torch.ones(200, dtype=torch.bool)


def head_of(node: PropertyNode | None = None) -> TreeHead:
    return TreeHead(
        node or BernoulliNode("phase", BernoulliPrior(probability=0.3)), committees=3, trees=20
    )


@pytest.fixture(scope="module")
def table() -> tuple[torch.Tensor, torch.Tensor]:
    """A step, with a tenth of the labels wrong."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 5)).astype(np.float32)
    y = (x[:, 0] + x[:, 1] > 0).astype(np.float32)
    wrong = rng.random(200) < 0.1
    return torch.from_numpy(x), torch.from_numpy(np.where(wrong, 1 - y, y))


def test_stored_trees_walk_as_the_library_does(table: tuple[torch.Tensor, torch.Tensor]) -> None:
    x, y = table
    forest = RandomForestRegressor(7, random_state=0).fit(x, y)
    stored = StoredTrees(7)
    stored.store([tree.tree_ for tree in forest.estimators_])
    expected = np.stack([tree.predict(x) for tree in forest.estimators_])
    np.testing.assert_allclose(stored(x).numpy(), expected, atol=1e-6)


def test_out_of_bag_scores_are_no_better_than_new_rows(
    table: tuple[torch.Tensor, torch.Tensor],
) -> None:
    x, y = table
    head = head_of()
    out_of_bag = torch.sigmoid(head.grow(x, y, EVERY_ROW, seed=1))[..., 0]
    seen = torch.sigmoid(head(x))[..., 0]
    assert out_of_bag.shape == seen.shape == (3, 200)
    right = ((out_of_bag.mean(0) > 0.5) == (y > 0.5)).float().mean()
    assert 0.75 < right < 0.95  # a tenth of the labels cannot be guessed
    assert ((seen.mean(0) > 0.5) == (y > 0.5)).float().mean() > right  # those seen can


def test_rows_without_a_label_teach_nothing(table: tuple[torch.Tensor, torch.Tensor]) -> None:
    x, y = table
    observed = torch.arange(200) < 150
    one, other = head_of(), head_of()
    outputs = one.grow(x, y, observed, seed=1)
    other.grow(x, torch.where(observed, y, 1 - y), observed, seed=1)
    assert torch.equal(one(x), other(x))
    assert torch.equal(outputs[:, 150:], one(x)[:, 150:])  # no tree has seen them


def test_before_they_are_grown_and_where_all_labels_agree_trees_say_one_thing(
    table: tuple[torch.Tensor, torch.Tensor],
) -> None:
    x, y = table
    head = head_of()
    assert torch.allclose(torch.sigmoid(head(x)), torch.tensor(0.3))
    head.grow(x, y, ~EVERY_ROW, seed=0)
    assert torch.allclose(torch.sigmoid(head(x)), torch.tensor(0.3))
    head.grow(x, torch.ones(200), EVERY_ROW, seed=0)
    assert (torch.sigmoid(head(x)) > 0.99).all()


def test_the_noise_of_a_normal_property_is_that_of_its_labels() -> None:
    # y is a step of ±1 and normal noise of 0.3: nothing that trees learn can say more.
    rng = np.random.default_rng(1)
    x = rng.normal(size=(2000, 2)).astype(np.float32)
    y = np.sign(x[:, 0]) + 0.3 * rng.normal(size=2000)
    head = head_of(NormalNode("energy", NormalPrior(mean=0.0, std=1.0)))
    every_row = torch.ones(2000, dtype=torch.bool)
    labels = torch.from_numpy(y).float()
    outputs = head.grow(torch.from_numpy(x), labels, every_row, seed=0)
    error = (outputs[..., 0] - labels).square().mean()
    # The likeliest variance of normal residuals is their mean square.
    assert float(head.noise) == pytest.approx(math.log(float(error)), abs=1e-3)
    assert 0.3**2 < math.exp(float(head.noise)) < 2 * 0.3**2
