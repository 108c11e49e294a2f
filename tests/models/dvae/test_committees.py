"""Trees kept as tensors say what the library's own trees say, and know what they never saw."""

import numpy as np
import pytest
import torch
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor

from alloop.models.dvae.committees import CommitteeSizes, TreeCommittees
from alloop.models.dvae.trees import StoredTrees
from alloop.models.dvae.views import Views

SIZES = CommitteeSizes(bagged=3, trees=20, boosted=2)
VIEWS = Views.of_all(5)


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


def test_a_boosted_committee_is_the_librarys_sum(table: tuple[torch.Tensor, torch.Tensor]) -> None:
    x, y = table
    trees = TreeCommittees(SIZES, start=0.5, is_yes_or_no=False, views=VIEWS)
    booster = GradientBoostingRegressor(n_estimators=100, learning_rate=0.1, init="zero")
    booster.fit(x, y - y.mean())
    trees.boosted.store([tree.tree_ for tree in booster.estimators_[:, 0]] * 2)
    trees.offset.fill_(y.mean())
    expected = booster.predict(x) + float(y.mean())
    np.testing.assert_allclose(trees(x)[-1].numpy(), expected, atol=1e-5)


def test_out_of_bag_scores_are_no_better_than_new_rows(
    table: tuple[torch.Tensor, torch.Tensor],
) -> None:
    x, y = table
    trees = TreeCommittees(SIZES, start=0.5, is_yes_or_no=True, views=VIEWS)
    out_of_bag = trees.grow(x, y, seed=1)
    assert out_of_bag.shape == trees(x).shape == (5, 200)
    right = ((out_of_bag.mean(0) > 0.5) == (y > 0.5)).float().mean()
    assert 0.75 < right < 0.95  # a tenth of the labels cannot be guessed
    assert ((trees(x).mean(0) > 0.5) == (y > 0.5)).float().mean() > right  # those seen can


def test_before_they_are_grown_and_where_all_labels_agree_trees_say_one_thing(
    table: tuple[torch.Tensor, torch.Tensor],
) -> None:
    x, _ = table
    trees = TreeCommittees(SIZES, start=0.3, is_yes_or_no=True, views=VIEWS)
    assert torch.allclose(trees(x), torch.tensor(0.3))
    trees.grow(x, torch.ones(200), seed=0)
    assert (trees(x) > 0.99).all()


def test_a_committee_learns_only_from_what_it_sees(
    table: tuple[torch.Tensor, torch.Tensor],
) -> None:
    x, y = table
    # The step lies along columns 0 and 1; forests and every second boosted committee see neither.
    blind, everything = (2, 3, 4), (0, 1, 2, 3, 4)
    views = Views(everything, randomised=(0, 1), forests=blind, boosted=(everything, blind))
    trees = TreeCommittees(SIZES, start=0.5, is_yes_or_no=True, views=views)
    out_of_bag = trees.grow(x, y, seed=2)
    right = ((out_of_bag > 0.5) == (y > 0.5)).float().mean(1)
    assert right[[0, 2]].min() > 0.75  # extremely randomised
    assert right[1] < 0.65  # a forest
    bagged, boosted = (
        [set(committee.flatten().tolist()) for committee in stored.column.chunk(committees)]
        for stored, committees in ((trees.bagged, 3), (trees.boosted, 2))
    )
    # A leaf asks for column 0, in vain.
    assert bagged == [{0, 1}, {0, *blind}, {0, 1}]
    assert boosted == [set(everything), {0, *blind}]
    moved = x.clone()
    moved[:, blind] += 1.0
    before, after = trees(x), trees(moved)
    assert torch.equal(before[[0, 2]], after[[0, 2]])
    assert not torch.equal(before[1], after[1])
