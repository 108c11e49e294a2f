"""Trees kept as tensors say what the library's own trees say; a network learns from them."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestRegressor

from alloop.models.dvae.heads import Head, HeadNetwork, StoredTrees
from alloop.models.dvae.nodes import BernoulliNode, NormalNode, PropertyNode
from alloop.models.dvae.options import BernoulliPrior, NormalPrior

EVERY_ROW = torch.ones(200, dtype=torch.bool)


@pytest.fixture(autouse=True)
def _same_draws() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def head_of(node: PropertyNode | None = None, descriptors: int = 5) -> Head:
    node = node or BernoulliNode("phase", BernoulliPrior(probability=0.3))
    return Head(node, descriptors, committees=3, trees=20, share=0.4)


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
    out_of_bag = torch.sigmoid(head.fit(x, y, EVERY_ROW, seed=1))[..., 0]
    seen = torch.sigmoid(head(x))[..., 0]
    assert out_of_bag.shape == seen.shape == (5, 200)
    right = ((out_of_bag.mean(0) > 0.5) == (y > 0.5)).float().mean()
    assert 0.75 < right < 0.95  # a tenth of the labels cannot be guessed
    assert ((seen.mean(0) > 0.5) == (y > 0.5)).float().mean() > right  # those seen can


def test_rows_without_a_label_teach_nothing(table: tuple[torch.Tensor, torch.Tensor]) -> None:
    x, y = table
    observed = torch.arange(200) < 150
    one, other = head_of(), head_of()
    torch.manual_seed(0)
    outputs = one.fit(x, y, observed, seed=1)
    torch.manual_seed(0)
    other.fit(x, torch.where(observed, y, 1 - y), observed, seed=1)
    assert torch.equal(one(x), other(x))
    assert torch.equal(outputs[:, 150:], one(x)[:, 150:])  # no tree has seen them


def test_before_it_is_fitted_and_where_all_labels_agree_a_head_says_one_thing(
    table: tuple[torch.Tensor, torch.Tensor],
) -> None:
    x, y = table
    head = head_of()
    assert torch.allclose(torch.sigmoid(head(x)), torch.tensor(0.3))
    head.fit(x, y, ~EVERY_ROW, seed=0)
    assert torch.allclose(torch.sigmoid(head(x)), torch.tensor(0.3))
    head.fit(x, torch.ones(200), EVERY_ROW, seed=0)
    assert (torch.sigmoid(head(x))[:3] > 0.99).all()  # the committees
    assert (head.node.moments(head(x))[0] > 0.9).all()  # with the network, never quite so sure


def test_the_noise_of_a_normal_property_is_that_of_its_labels() -> None:
    # y is a step of ±1 and normal noise of 0.3: nothing that trees learn can say more.
    rng = np.random.default_rng(1)
    x = rng.normal(size=(2000, 2)).astype(np.float32)
    y = np.sign(x[:, 0]) + 0.3 * rng.normal(size=2000)
    head = head_of(NormalNode("energy", NormalPrior(mean=0.0, std=1.0)), descriptors=2)
    every_row = torch.ones(2000, dtype=torch.bool)
    labels = torch.from_numpy(y).float()
    outputs = head.fit(torch.from_numpy(x), labels, every_row, seed=0)
    error = (outputs[:3, :, 0] - labels).square().mean()  # of the three committees
    # The likeliest variance of normal residuals is their mean square.
    assert float(head.noise) == pytest.approx(math.log(float(error)), abs=1e-3)
    assert 0.3**2 < math.exp(float(head.noise)) < 2 * 0.3**2


def test_the_network_has_its_share_of_the_mean(table: tuple[torch.Tensor, torch.Tensor]) -> None:
    x, y = table
    head = head_of()
    head.fit(x, y, EVERY_ROW, seed=1)
    mean, _ = head.node.moments(head(x))
    trees = torch.sigmoid(head(x)[:3, :, 0]).mean(0)
    network = torch.sigmoid(head.network(x)[:, 0])
    torch.testing.assert_close(mean, 0.6 * trees + 0.4 * network)


def test_the_network_agrees_with_the_trees_about_new_rows_and_has_slopes(
    table: tuple[torch.Tensor, torch.Tensor],
) -> None:
    x, y = table
    head = head_of()
    observed = torch.arange(200) < 150
    head.fit(x, y, observed, seed=1)
    fresh = torch.randn(500, 5).requires_grad_(True)
    said = head.network(fresh)[:, 0]
    trees = head(fresh.detach())[:3, :, 0].mean(0)
    rule = fresh[:, 0] + fresh[:, 1] > 0
    assert ((said > 0) == rule).float().mean() > 0.85
    assert ((said > 0) == (trees > 0)).float().mean() > 0.85
    (slope,) = torch.autograd.grad(said.sum(), fresh)
    assert (slope.abs().sum(1) > 0).all()


def test_the_way_through_all_bins_is_the_linear_interpolation_of_their_number() -> None:
    network = HeadNetwork(3, BernoulliNode("phase", BernoulliPrior()))
    x = torch.randn(300, 3)
    network.fit(x, (x[:, 0] > 0).float(), torch.arange(300) < 200)
    through, passed = network.binned(x).chunk(2, -1)
    for column in range(3):
        edges = np.quantile(x[:200, column].numpy(), np.linspace(0, 1, through.shape[-1] + 1))
        expected = np.interp(x[:, column].numpy(), edges, np.arange(len(edges)))
        np.testing.assert_allclose(through[:, column].sum(-1).numpy(), expected, atol=1e-3)
        gone = (x[:, column, None].numpy() > edges[1:]).sum(1)
        # Rounding of an edge may count one bin more or less where a row lies on it.
        assert np.abs(passed[:, column].sum(-1).numpy() - gone).max() <= 1
