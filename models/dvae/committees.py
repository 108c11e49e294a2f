"""Committees of trees: where an alloy's property jumps, networks need a hint."""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from sklearn.tree import DecisionTreeRegressor, ExtraTreeRegressor
from torch import Tensor, nn

from alloop.models.dvae.trees import StoredTrees
from alloop.models.dvae.views import Columns, Views

_ROUNDS = 100
_RATE = 0.1
_BOOSTED_DEPTH = 8
_BOOSTED_LEAF = 2
_SUBSAMPLE = 0.7
_LEAST_SHARE = 0.005
"""Of yeses, that boosting starts from where all labels are the same."""
_COLUMNS_PER_SPLIT = 8
"""Of the descriptors, for each split of a boosted tree; of fewer than 16, about a third; of more
than 100, half as many again."""
_MANY = 100


@dataclass(frozen=True)
class CommitteeSizes:
    """How many trees a head has."""

    bagged: int
    """Committees whose trees vote independently."""
    trees: int
    """In each bagged committee."""
    boosted: int
    """Committees whose trees each correct those before."""

    @property
    def members(self) -> int:
        """Return how many committees there are."""
        return self.bagged + self.boosted


class TreeCommittees(nn.Module):
    """Bagged and boosted trees, each on its own bootstrap sample of the labelled rows.

    Bagged are extremely randomised trees (P. Geurts et al., Mach. Learn. 63 (2006) 3), every
    descriptor tried at every split, and, where the views say so, random forests (L. Breiman,
    Mach. Learn. 45 (2001) 5) in turn with them. Boosted is stochastic gradient boosting
    (J. Friedman, Comput. Stat. Data Anal. 38 (2002) 367), of log-odds for yes-or-no properties.
    They err differently: on cross-validated training rows the mean of both is better than either.

    Args:
        sizes: how many there are.
        start: every score, until trees are grown.
        is_yes_or_no: whether labels are 0 and 1.
        views: which descriptors each committee sees.
    """

    def __init__(
        self, sizes: CommitteeSizes, *, start: float, is_yes_or_no: bool, views: Views
    ) -> None:
        super().__init__()
        self.sizes, self.is_yes_or_no, self.views = sizes, is_yes_or_no, views
        self.bagged = StoredTrees(sizes.bagged * sizes.trees)
        self.boosted = StoredTrees(sizes.boosted * _ROUNDS)
        self.register_buffer("base", torch.tensor(start))
        self.register_buffer("offset", self._raw(torch.tensor(start)))

    base: Tensor
    """What scores are before any bagged tree has spoken."""
    offset: Tensor
    """What raw scores are before any boosted tree has spoken."""

    def grow(self, descriptors: Tensor, labels: Tensor, seed: int) -> Tensor:
        """Grow all trees; return out-of-bag scores (committees, n) of the rows.

        A row's out-of-bag score comes only from trees that never saw it, so that whatever
        is learned from the scores meets errors as large as those on new alloys.

        Args:
            descriptors: shape (n, m).
            labels: shape (n,), all known.
            seed: of the bootstrap samples and the splits.
        """
        rng = np.random.default_rng(seed)
        x, y = descriptors.numpy(), labels.numpy()
        self.base.fill_(float(y.mean()))
        return torch.cat([self._grow_bagged(x, y, rng), self._grow_boosted(x, y, rng)])

    def _grow_bagged(self, x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> Tensor:
        count, n = len(self.bagged.column), len(y)
        weights = np.stack([np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(count)])
        # Trees learn what is left over the mean: a tree that knows nothing says nought.
        trees, seen = [], []
        for i, weight in enumerate(weights):
            columns, grower = self._bagged_kind(i // self.sizes.trees)
            tree = grower.set_params(random_state=int(rng.integers(2**31)))
            tree.fit(x[:, columns], y - float(self.base), sample_weight=weight)
            trees.append(tree.tree_)
            seen.append(columns)
        self.bagged.store(trees, seen)
        unseen = torch.from_numpy(weights == 0).float()
        return self._votes(self.bagged(torch.from_numpy(x)), unseen)

    def _bagged_kind(self, committee: int) -> tuple[Columns, DecisionTreeRegressor]:
        if self.views.forests is not None and committee % 2:
            return self.views.forests, DecisionTreeRegressor(max_features="sqrt")
        return self.views.randomised, ExtraTreeRegressor(max_features=1.0)

    def _grow_boosted(self, x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> Tensor:
        n = len(x)
        is_logistic = self.is_yes_or_no and y.min() < y.max()
        boosting = GradientBoostingClassifier if is_logistic else GradientBoostingRegressor
        self.offset.copy_(torch.zeros(()) if is_logistic else self._raw(self.base))
        target = y if is_logistic else y - float(self.base)
        trees, unseen, seen = [], [], []
        for committee in range(self.sizes.boosted):
            columns = self.views.boosted[committee % len(self.views.boosted)]
            drawn = np.append(rng.integers(0, n, max(n - 2, 0)), [y.argmin(), y.argmax()])
            # One of the lowest, one of the highest: a classifier needs both classes.
            booster = boosting(
                n_estimators=_ROUNDS,
                learning_rate=_RATE,
                max_depth=_BOOSTED_DEPTH,
                min_samples_leaf=_BOOSTED_LEAF,
                subsample=_SUBSAMPLE,
                max_features=_columns_per_split(len(columns)),
                init="zero",
                random_state=int(rng.integers(2**31)),
            ).fit(x[drawn][:, columns], target[drawn])
            trees += [tree.tree_ for tree in booster.estimators_[:, 0]]
            unseen.append(~np.isin(np.arange(n), drawn))
            seen += [columns] * _ROUNDS
        self.boosted.store(trees, seen)
        scores, mask = self._sums(torch.from_numpy(x)), torch.from_numpy(np.stack(unseen)).float()
        # A committee that saw a row takes the word of those that did not.
        others = ((scores - self.base) * mask).sum(0) / mask.sum(0).clamp_min(1) + self.base
        return torch.where(mask > 0, scores, others)

    def forward(self, descriptors: Tensor) -> Tensor:
        """Return scores (committees, n) of descriptors (n, m): labels as the trees expect them."""
        leaves = self.bagged(descriptors)
        return torch.cat([self._votes(leaves, torch.ones_like(leaves)), self._sums(descriptors)])

    def _votes(self, leaves: Tensor, weights: Tensor) -> Tensor:
        shape = (self.sizes.bagged, -1, leaves.shape[-1])
        leaves, weights = leaves.reshape(shape), weights.reshape(shape)
        # A row that every tree of a committee saw (one in 10^10 for 50 trees) gets the mean.
        return (leaves * weights).sum(1) / weights.sum(1).clamp_min(1) + self.base

    def _sums(self, descriptors: Tensor) -> Tensor:
        leaves = self.boosted(descriptors)
        raw = _RATE * leaves.reshape(self.sizes.boosted, _ROUNDS, -1).sum(1) + self.offset
        return torch.sigmoid(raw) if self.is_yes_or_no else raw

    def _raw(self, score: Tensor) -> Tensor:
        return torch.logit(score, eps=_LEAST_SHARE) if self.is_yes_or_no else score


def _columns_per_split(descriptors: int) -> int:
    most = _COLUMNS_PER_SPLIT if descriptors <= _MANY else round(1.5 * _COLUMNS_PER_SPLIT)
    return min(most, max(1, round(0.35 * descriptors)))
