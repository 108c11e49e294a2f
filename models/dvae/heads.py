"""q(φ|f(x)) of Eq. 4: committees of bagged trees, kept as plain tensors, and a network."""

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from sklearn.tree import ExtraTreeRegressor
from sklearn.tree._tree import Tree
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import AdamW
from torch.optim.lr_scheduler import CosineAnnealingLR

from alloop.models.dvae.nodes import PropertyNode

_BINS = 16
_SMALLEST_BIN = 1e-6
"""Width of a bin of standardised descriptors where quantiles coincide."""
_WIDTH = 64
_DROPOUT = 0.3
_STEPS = 300
_RATE = 3e-3
_DECAY = 1.0
_BATCH = (128, 64)
"""Rows with a label and without in a step of the network's training."""
_BLOCK = 256
"""Rows that walk down the trees together: what they look up fits into a processor's cache."""
_LET_GO = 3
"""Steps after which those that have reached their leaf are let go."""

FloatArray = npt.NDArray[np.float32]


class Head(nn.Module):
    """Belief about one property: committees of trees and a network that learned from them.

    Extremely randomised trees, each grown on its own bootstrap sample of the labelled rows, every
    descriptor tried at every split (P. Geurts et al., Mach. Learn. 63 (2006) 3), judge small
    tables best; but they have no slopes, along which a decoder could be trained. The network has.
    A committee is the mean of its trees; committees and network are the members of one q(φ|f(x)),
    whose disagreement is part of its standard deviation.

    Args:
        node: the property.
        descriptors: number of them.
        committees: of trees, in the ensemble.
        trees: in each committee.
        share: of the network in the ensemble's mean, below 1.
    """

    def __init__(
        self, node: PropertyNode, descriptors: int, *, committees: int, trees: int, share: float
    ) -> None:
        super().__init__()
        self.node, self.committees = node, committees
        self.votes = max(1, round(committees * share / (1 - share)))
        self.trees = StoredTrees(committees * trees)
        self.network = HeadNetwork(descriptors, node)
        self.register_buffer("base", node.prior().mean.clone())
        self.register_buffer("noise", torch.zeros(node.outputs - 1))

    votes: int
    """Members that the network counts for."""
    base: Tensor
    """Mean label, which the trees' leaves are differences from; the prior's until it is fitted."""
    noise: Tensor
    """Outputs of the node after the first, which say how noisy its labels are to the trees, shape
    (outputs − 1,); the same for all alloys."""

    def fit(self, descriptors: Tensor, labels: Tensor, observed: Tensor, seed: int) -> Tensor:
        """Learn from the observed rows; return outputs (members, n, outputs) of all rows.

        Trees are grown first. The network learns what they say of all rows, and of observed rows
        the mean of that and the label. An observed row's outputs come only from trees that never
        saw it (out of bag), so that whatever is learned from them meets errors as large as those
        on new alloys.

        Args:
            descriptors: standardised f(x), shape (n, m).
            labels: on the node's internal scale, shape (n,).
            observed: rows that have a label, shape (n,).
            seed: of the bootstrap samples and the splits; the network's draws are torch's own.
        """
        if not observed.any():
            return self(descriptors)
        scores = self._grow(descriptors, labels, observed, seed)
        said = scores.mean(0)
        self.network.fit(descriptors, torch.where(observed, (labels + said) / 2, said), observed)
        outputs = self._outputs(scores, descriptors)
        outputs[self.committees :, observed] = outputs[: self.committees, observed].mean(0)
        return outputs

    def _grow(self, descriptors: Tensor, labels: Tensor, observed: Tensor, seed: int) -> Tensor:
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
        return scores

    @torch.no_grad()
    def forward(self, descriptors: Tensor) -> Tensor:
        """Return the node's outputs, (members, n, outputs), of descriptors (n, m)."""
        scores = self._scores(descriptors, torch.ones(len(descriptors)))
        return self._outputs(scores, descriptors)

    def _scores(self, descriptors: Tensor, weights: Tensor) -> Tensor:
        """Return each committee's mean label, (committees, n), its trees weighted (trees, n)."""
        leaves = self.trees(descriptors)
        weights = weights.expand_as(leaves).reshape(self.committees, -1, len(descriptors))
        # A row that every tree of a committee saw (one in 10^8 for 40 trees) gets the mean label.
        total = (leaves.reshape(weights.shape) * weights).sum(1)
        return total / weights.sum(1).clamp_min(1) + self.base

    @torch.no_grad()
    def _outputs(self, scores: Tensor, descriptors: Tensor) -> Tensor:
        noise = self.noise.expand(*scores.shape, -1)
        committees = torch.cat([self.node.link(scores)[..., None], noise], -1)
        return torch.cat([committees, self.network(descriptors).expand(self.votes, -1, -1)])


class HeadNetwork(nn.Module):
    """A network of two hidden layers on standardised descriptors, which it sees in bins.

    Every descriptor becomes two numbers per quantile bin of the training data: how far the value
    has come through the bin (Y. Gorishniy et al., NeurIPS 2022, "On embeddings for numerical
    features"), and whether it has passed it. So it can draw the sharp boundaries that make trees
    good at such tables. Until it is fitted, it says what the property's prior says.

    Args:
        descriptors: number of them.
        node: the property, which says what outputs mean.
    """

    def __init__(self, descriptors: int, node: PropertyNode) -> None:
        super().__init__()
        self.node = node
        self.register_buffer("edges", torch.zeros(descriptors, _BINS + 1))
        sizes = (2 * descriptors * _BINS, _WIDTH, _WIDTH, node.outputs)
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self._reset()

    edges: Tensor
    """Edges of the bins, shape (m, bins + 1)."""

    def _reset(self) -> None:
        for layer in self.layers:
            cast(nn.Linear, layer).reset_parameters()
        last = cast(nn.Linear, self.layers[-1])
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        with torch.no_grad():
            last.bias[0] = self.node.link(self.node.prior().mean)

    def fit(self, descriptors: Tensor, targets: Tensor, observed: Tensor) -> None:
        """Learn from the start the targets (n,), internal scale, of descriptors (n, m).

        Bins are those of the observed rows (n,), of which two are drawn for each other one.
        """
        levels = torch.linspace(0, 1, _BINS + 1)
        self.edges.copy_(torch.quantile(descriptors[observed], levels, dim=0).T)
        self._reset()
        self.requires_grad_(True).train()
        optimiser = AdamW(self.parameters(), lr=_RATE, weight_decay=_DECAY)
        schedule = CosineAnnealingLR(optimiser, _STEPS)
        kinds = [torch.nonzero(kind).squeeze(-1) for kind in (observed, ~observed)]
        drawn = [(kind, size) for kind, size in zip(kinds, _BATCH, strict=True) if len(kind)]
        for _ in range(_STEPS):
            rows = torch.cat([kind[torch.randint(len(kind), (size,))] for kind, size in drawn])
            optimiser.zero_grad()
            outputs = self(descriptors[rows])[None]
            (-self.node.log_likelihood(outputs, targets[rows]).mean()).backward()
            optimiser.step()
            schedule.step()
        self.requires_grad_(False).eval()

    def forward(self, descriptors: Tensor) -> Tensor:
        """Return the node's outputs, (n, outputs), of descriptors (n, m)."""
        hidden = self.binned(descriptors).flatten(1)
        for layer in self.layers[:-1]:
            hidden = functional.dropout(functional.silu(layer(hidden)), _DROPOUT, self.training)
        outputs: Tensor = self.layers[-1](hidden)
        return outputs

    def binned(self, descriptors: Tensor) -> Tensor:
        """Return how far descriptors (n, m) have come through each bin, from 0 to 1, and whether
        they have passed it: shape (n, m, 2 bins)."""
        values = descriptors[..., None]
        low, high = self.edges[:, :-1], self.edges[:, 1:]
        through = ((values - low) / (high - low).clamp_min(_SMALLEST_BIN)).clamp(0, 1)
        return torch.cat([through, (values > high).to(through)], -1)


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

    def forward(self, descriptors: Tensor) -> Tensor:
        """Return each tree's leaf value, shape (trees, n), of descriptors (n, m)."""
        walk = _Walk(self)
        blocks = [walk.leaves(block.numpy()) for block in descriptors.detach().split(_BLOCK)]
        if not blocks:
            return self.value.new_empty(len(self.value), 0)
        return torch.from_numpy(np.concatenate(blocks, axis=1))


class _Walk:
    """Walk of rows down every tree at once, in one flat table of all trees' nodes.

    numpy's lookups take half the time of torch's, and rows that have reached their leaf are let go
    now and then: most leaves lie at a third of the largest depth.
    """

    def __init__(self, trees: StoredTrees) -> None:
        count, nodes = trees.column.shape
        self.roots = np.arange(count, dtype=np.int64) * nodes
        here = np.arange(count * nodes, dtype=np.int64)
        above, below = (
            (child.numpy() + self.roots[:, None]).reshape(-1)
            for child in (trees.above, trees.below)
        )
        self.children = np.stack([above, below], axis=-1).reshape(-1)
        self.is_inner = below != here  # a leaf leads to itself
        self.column = trees.column.numpy().reshape(-1)
        self.threshold = trees.threshold.numpy().reshape(-1)
        self.value = trees.value.numpy().reshape(-1)
        self.depth = int(trees.depth)

    def leaves(self, rows: FloatArray) -> FloatArray:
        """Return the value of the leaf that each row reaches, shape (trees, n), of rows (n, m)."""
        n, m = rows.shape
        values = rows.reshape(-1)
        end = np.repeat(self.roots, n)
        under_way = np.arange(len(end))
        node, start = end, np.tile(np.arange(n) * m, len(self.roots))
        for step in range(1, self.depth + 1):
            is_below = values[start + self.column[node]] <= self.threshold[node]
            node = self.children[2 * node + is_below]
            if step % _LET_GO == 0 or step == self.depth:
                end[under_way] = node
                goes_on = self.is_inner[node]
                under_way, node, start = under_way[goes_on], node[goes_on], start[goes_on]
        return self.value[end].reshape(-1, n)
