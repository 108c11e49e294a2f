"""Bagged trees grown on the labelled rows: where an alloy property jumps, networks need a hint."""

from typing import Any

import numpy as np
import torch
from sklearn.tree import ExtraTreeRegressor
from torch import Tensor, nn


class TreeCommittees(nn.Module):
    """Extremely randomised trees (P. Geurts et al., Mach. Learn. 63 (2006) 3), each on its own
    bootstrap sample of the labelled rows, in committees whose scores are averaged.

    Splits are drawn at random within every descriptor and the best is taken, by squared error;
    for labels 0 and 1 that is the Gini criterion. Stored as plain tensors: a checkpoint holds no
    code.
    """

    def __init__(self, members: int, trees: int, *, smallest_leaf: int) -> None:
        super().__init__()
        self.members, self.smallest_leaf = members, smallest_leaf
        shape = (members * trees, 1)
        self.register_buffer("column", torch.zeros(shape, dtype=torch.int32))
        self.register_buffer("threshold", torch.zeros(shape))
        self.register_buffer("below", torch.zeros(shape, dtype=torch.int32))
        self.register_buffer("above", torch.zeros(shape, dtype=torch.int32))
        self.register_buffer("value", torch.zeros(shape))
        self.register_buffer("depth", torch.zeros((), dtype=torch.int32))

    column: Tensor
    threshold: Tensor
    below: Tensor
    above: Tensor
    value: Tensor
    depth: Tensor

    def grow(self, descriptors: Tensor, labels: Tensor, seed: int) -> Tensor:
        """Grow all trees; return out-of-bag scores (members, n) of the rows.

        A row's out-of-bag score comes only from trees that never saw it, so that whatever
        is trained on top of the scores meets errors as large as those on new alloys.

        Args:
            descriptors: shape (n, m).
            labels: shape (n,), all known.
            seed: of the bootstrap samples and the splits.
        """
        rng = np.random.default_rng(seed)
        x, y = descriptors.numpy(), labels.numpy()
        n, count = len(y), len(self.column)
        weights = np.stack([np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(count)])
        grown = [
            ExtraTreeRegressor(
                max_features=1.0,
                min_samples_leaf=self.smallest_leaf,
                random_state=int(rng.integers(2**31)),
            ).fit(x, y, sample_weight=weight)
            for weight in weights
        ]
        self._store([tree.tree_ for tree in grown])
        unseen = torch.from_numpy(weights == 0).float()
        leaves = self._leaves(descriptors)
        return self._averages(leaves, unseen)

    def forward(self, descriptors: Tensor) -> Tensor:
        """Return scores (members, n) of descriptors (n, m): labels as the trees expect them."""
        leaves = self._leaves(descriptors)
        return self._averages(leaves, torch.ones_like(leaves))

    def _averages(self, leaves: Tensor, weights: Tensor) -> Tensor:
        shape = (self.members, -1, leaves.shape[-1])
        leaves, weights = leaves.reshape(shape), weights.reshape(shape)
        total = weights.sum(1)
        # A row that every tree of a committee saw (one in 10^4 for 20 trees) gets the overall mean.
        mean = (leaves * weights).sum() / weights.sum()
        return torch.where(total > 0, (leaves * weights).sum(1) / total.clamp_min(1), mean)

    @torch.no_grad()
    def _leaves(self, descriptors: Tensor) -> Tensor:
        values = descriptors.T  # (m, n)
        trees, n = len(self.column), len(descriptors)
        place = torch.zeros(trees, n, dtype=torch.long)
        rows = torch.arange(n).expand(trees, n)
        for _ in range(int(self.depth)):
            column = self.column.gather(1, place).long()
            low = values[column, rows] <= self.threshold.gather(1, place)
            place = torch.where(
                low, self.below.gather(1, place), self.above.gather(1, place)
            ).long()
        return self.value.gather(1, place)

    def _store(self, trees: list[Any]) -> None:
        size = max(tree.node_count for tree in trees)
        kinds = {"column": torch.int32, "below": torch.int32, "above": torch.int32}
        for name in ("column", "threshold", "below", "above", "value"):
            dtype = kinds.get(name, torch.float32)
            setattr(self, name, torch.zeros(len(trees), size, dtype=dtype))
        self.depth = torch.tensor(max(tree.max_depth for tree in trees), dtype=torch.int32)
        for i, tree in enumerate(trees):
            count, here = tree.node_count, np.arange(tree.node_count)
            leaf = tree.children_left < 0  # a leaf leads to itself
            self.column[i, :count] = torch.from_numpy(np.where(leaf, 0, tree.feature))
            self.threshold[i, :count] = torch.from_numpy(tree.threshold)
            self.below[i, :count] = torch.from_numpy(np.where(leaf, here, tree.children_left))
            self.above[i, :count] = torch.from_numpy(np.where(leaf, here, tree.children_right))
            self.value[i, :count] = torch.from_numpy(tree.value[:, 0, 0])
