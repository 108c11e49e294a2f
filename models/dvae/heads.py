"""q(φ|f(x)) of Eq. 4: committees of bagged trees, kept as plain tensors."""

from collections.abc import Sequence

import numpy as np
import torch
from sklearn.tree import ExtraTreeRegressor
from sklearn.tree._tree import Tree
from torch import Tensor, nn

from alloop.models.dvae.nodes import PropertyNode


class TreeHead(nn.Module):
    """Belief about one property: committees of extremely randomised trees.

    Each tree is grown on its own bootstrap sample of the labelled rows, every descriptor tried
    at every split (P. Geurts et al., Mach. Learn. 63 (2006) 3). A committee is the mean of its
    trees; the committees are the members of one q(φ|f(x)), whose disagreement is part of its
    standard deviation.

    Args:
        node: the property.
        committees: members of the ensemble.
        trees: in each committee.
    """

    def __init__(self, node: PropertyNode, *, committees: int, trees: int) -> None:
        super().__init__()
        self.node, self.committees = node, committees
        self.trees = StoredTrees(committees * trees)
        self.register_buffer("base", node.prior().mean.clone())
        self.register_buffer("noise", torch.zeros(node.outputs - 1))

    base: Tensor
    """Mean label, which the trees' leaves are differences from; the prior's until it is fitted."""
    noise: Tensor
    """Outputs of the node after the first, which say how noisy its labels are, shape
    (outputs − 1,); the same for all alloys."""

    def grow(self, descriptors: Tensor, labels: Tensor, observed: Tensor, seed: int) -> Tensor:
        """Grow all trees on the observed rows; return outputs (committees, n, outputs) of all rows.

        An observed row's outputs come only from trees that never saw it (out of bag), so that
        whatever is learned from them meets errors as large as those on new alloys.

        Args:
            descriptors: standardised f(x), shape (n, m).
            labels: on the node's internal scale, shape (n,).
            observed: rows that have a label, shape (n,).
            seed: of the bootstrap samples and the splits.
        """
        if not observed.any():
            return self(descriptors)
        rng = np.random.default_rng(seed)
        x, y = descriptors[observed].numpy(), labels[observed].numpy()
        count, n = len(self.trees.column), len(y)
        self.base.fill_(float(y.mean()))
        weights = np.stack([np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(count)])
        grown = []
        for weight in weights:
            tree = ExtraTreeRegressor(max_features=1.0, random_state=int(rng.integers(2**31)))
            grown.append(tree.fit(x, y - float(self.base), sample_weight=weight).tree_)
        self.trees.store(grown)
        unseen = torch.ones(count, len(descriptors))
        unseen[:, observed] = torch.from_numpy(weights == 0).float()
        scores = self._scores(descriptors, unseen)
        self.noise.copy_(self.node.fitted_noise(scores[:, observed], labels[observed]))
        return self._outputs(scores)

    def forward(self, descriptors: Tensor) -> Tensor:
        """Return the node's outputs, (committees, n, outputs), of descriptors (n, m)."""
        return self._outputs(self._scores(descriptors, torch.ones(len(descriptors))))

    def _scores(self, descriptors: Tensor, weights: Tensor) -> Tensor:
        """Return each committee's mean label, (committees, n), its trees weighted (trees, n)."""
        leaves = self.trees(descriptors)
        weights = weights.expand_as(leaves).reshape(self.committees, -1, len(descriptors))
        # A row that every tree of a committee saw (one in 10^8 for 40 trees) gets the mean label.
        total = (leaves.reshape(weights.shape) * weights).sum(1)
        return total / weights.sum(1).clamp_min(1) + self.base

    def _outputs(self, scores: Tensor) -> Tensor:
        noise = self.noise.expand(*scores.shape, -1)
        return torch.cat([self.node.link(scores)[..., None], noise], -1)


class StoredTrees(nn.Module):
    """Trees of one number per leaf as tensors, walked all at once: a checkpoint holds no code."""

    def __init__(self, trees: int) -> None:
        super().__init__()
        self.clear(trees, nodes=1)

    def clear(self, trees: int, nodes: int) -> None:
        """Make room for trees of so many nodes; until they are stored, every leaf is nought."""
        for name in ("column", "below", "above"):
            self.register_buffer(name, torch.zeros(trees, nodes, dtype=torch.int32))
        self.register_buffer("threshold", torch.zeros(trees, nodes))
        self.register_buffer("value", torch.zeros(trees, nodes))
        self.register_buffer("depth", torch.zeros((), dtype=torch.int32))

    column: Tensor
    """Descriptor that each node compares, shape (trees, nodes)."""
    threshold: Tensor
    """Value it is compared with, shape (trees, nodes)."""
    below: Tensor
    """Node that follows where the descriptor is at or below the threshold, (trees, nodes)."""
    above: Tensor
    """Node that follows elsewhere, shape (trees, nodes)."""
    value: Tensor
    """Prediction at each leaf, shape (trees, nodes)."""
    depth: Tensor
    """Depth of the deepest tree."""

    def store(self, trees: Sequence[Tree]) -> None:
        """Keep trees that scikit-learn grew."""
        self.clear(len(trees), max(tree.node_count for tree in trees))
        self.depth.fill_(max(tree.max_depth for tree in trees))
        for i, tree in enumerate(trees):
            count, here = tree.node_count, np.arange(tree.node_count)
            is_leaf = tree.children_left < 0  # a leaf leads to itself
            columns = {
                "column": np.where(is_leaf, 0, tree.feature),
                "threshold": tree.threshold,
                "below": np.where(is_leaf, here, tree.children_left),
                "above": np.where(is_leaf, here, tree.children_right),
                "value": tree.value[:, 0, 0],
            }
            for name, values in columns.items():
                buffer = self.get_buffer(name)
                buffer[i, :count] = torch.from_numpy(values).to(buffer.dtype)

    @torch.no_grad()
    def forward(self, descriptors: Tensor) -> Tensor:
        """Return each tree's leaf value, shape (trees, n), of descriptors (n, m)."""
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
