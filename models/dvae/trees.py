"""Decision trees as plain tensors: a checkpoint holds no code."""

from collections.abc import Sequence

import numpy as np
import torch
from sklearn.tree._tree import Tree
from torch import Tensor, nn

from alloop.models.dvae.views import Columns


class StoredTrees(nn.Module):
    """Trees of one number per leaf, walked all at once."""

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
    """Descriptor that a node asks for, shape (trees, nodes)."""
    threshold: Tensor
    below: Tensor
    """Node that follows where the descriptor is at or below the threshold."""
    above: Tensor
    value: Tensor
    depth: Tensor
    """Of the deepest tree."""

    def store(self, trees: Sequence[Tree], seen: Sequence[Columns] | None = None) -> None:
        """Keep trees that scikit-learn grew.

        Args:
            trees: grown.
            seen: the descriptors that each was grown on, if not on all.
        """
        self.clear(len(trees), max(tree.node_count for tree in trees))
        self.depth.fill_(max(tree.max_depth for tree in trees))
        for i, tree in enumerate(trees):
            feature = tree.feature if seen is None else np.array(seen[i])[tree.feature]
            count, here = tree.node_count, np.arange(tree.node_count)
            is_leaf = tree.children_left < 0  # a leaf leads to itself
            columns = {
                "column": np.where(is_leaf, 0, feature),
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
