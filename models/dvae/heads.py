"""q(φ|f(x)) of Eq. 4: an ensemble of small networks and committees of trees."""

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from alloop.models.dvae.committees import CommitteeSizes, TreeCommittees
from alloop.models.dvae.nodes import PropertyNode
from alloop.models.dvae.views import Columns, Views

_DROPOUT = 0.3

_SMALLEST_BIN = 1e-6
"""Of standardised descriptors. Where quantiles coincide, a bin is a step of this width."""


@dataclass(frozen=True)
class HeadSizes:
    """How large a property's head is."""

    networks: int
    width: int
    bins: int
    """Quantile bins per descriptor that the networks see."""
    share: float
    """Of the descriptors that each network sees."""
    committees: CommitteeSizes


class DescriptorEncoding(nn.Module):
    """Each member's own view of the descriptors, along quantiles of the training data.

    Every descriptor becomes two rows of numbers per bin: how far the value has come through the
    bin (Y. Gorishniy et al., NeurIPS 2022, "On embeddings for numerical features"), and whether
    it has passed it. Networks on this can draw the sharp, axis-aligned boundaries that make
    trees so good on such tables. A member sees a random share of the descriptors.
    """

    def __init__(self, descriptors: int, *, members: int, share: float, bins: int) -> None:
        super().__init__()
        self.seen = max(1, round(share * descriptors))
        self.size = 2 * self.seen * bins
        columns = torch.zeros(members, self.seen, dtype=torch.long)
        self.register_buffer("columns", columns)
        self.register_buffer("edges", torch.zeros(members, self.seen, bins + 1))

    columns: Tensor
    edges: Tensor

    def fit(self, descriptors: Tensor, columns: Columns, generator: torch.Generator) -> None:
        """Choose each member's descriptors among columns, and its bins, from rows (n, m)."""
        members, seen = self.columns.shape
        descriptors = descriptors[:, : max(columns) + 1]
        useful = torch.nonzero(descriptors.std(0) > _SMALLEST_BIN).squeeze(-1)
        useful = useful[torch.isin(useful, torch.tensor(columns))]
        levels = torch.linspace(0, 1, self.edges.shape[-1])
        edges = torch.quantile(descriptors, levels, dim=0).T  # (m, bins + 1)
        for member in range(members):
            order = useful[torch.randperm(len(useful), generator=generator)]
            self.columns[member] = order.repeat(1 + seen // len(order))[:seen]
            self.edges[member] = edges[self.columns[member]]

    def forward(self, descriptors: Tensor) -> Tensor:
        """Return (members, n, size) of standardised descriptors (n, m)."""
        values = descriptors.T[self.columns].transpose(1, 2)[..., None]  # (members, n, seen, 1)
        low, high = self.edges[:, None, :, :-1], self.edges[:, None, :, 1:]
        through = (values - low) / (high - low).clamp_min(_SMALLEST_BIN)
        passed = (values > high).to(values.dtype)
        return torch.cat([through.clamp(0, 1), passed], -1).flatten(2)


class HeadEnsemble(nn.Module):
    """Members of two kinds, side by side: networks of two hidden layers, then tree committees.

    Trees are the better judges of small tables, networks err differently, and a mixture of both
    is better than either. Both are parts of one q(φ|f(x)): the mean of the members' beliefs.
    """

    def __init__(self, views: Views, node: PropertyNode, sizes: HeadSizes) -> None:
        super().__init__()
        self.node, self.networks, self.views = node, sizes.networks, views
        self.encoding = DescriptorEncoding(
            len(views.networks), members=sizes.networks, share=sizes.share, bins=sizes.bins
        )
        widths = (self.encoding.size, sizes.width, sizes.width, node.outputs)
        layers = list(pairwise(widths))
        n = sizes.networks
        self.weights = nn.ParameterList([_uniform(n, a, b, fan=a) for a, b in layers])
        self.biases = nn.ParameterList([_uniform(n, 1, b, fan=a) for a, b in layers])
        self.trees = TreeCommittees(
            sizes.committees,
            start=float(node.prior().mean),
            is_yes_or_no=node.is_enumerated,
            views=views,
        )
        self.spread = nn.Parameter(torch.zeros(node.outputs - 1))
        """The committees' noise, for properties that have any."""

    def forward(self, descriptors: Tensor, scores: Tensor | None = None) -> Tensor:
        """Return raw outputs (members, n, outputs) of standardised descriptors (n, m).

        Args:
            descriptors: standardised f(x).
            scores: of the committees, shape (committees, n), if they are known already.
        """
        scores = self.trees(descriptors) if scores is None else scores
        voices = self.node.link(scores)[..., None]
        spread = self.spread.expand(*voices.shape[:-1], -1)
        return torch.cat([self.network_outputs(descriptors), torch.cat([voices, spread], -1)])

    def network_outputs(self, descriptors: Tensor) -> Tensor:
        """Return the networks' outputs only, (networks, n, outputs): the part with slopes."""
        hidden = self.encoding(descriptors)
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            hidden = torch.baddbmm(bias, hidden, weight)
            if layer < len(self.weights) - 1:
                hidden = functional.dropout(functional.silu(hidden), _DROPOUT, self.training)
        return hidden

    def grow(self, descriptors: Tensor, labels: Tensor, observed: Tensor, seed: int) -> Tensor:
        """Grow the trees on the observed rows; return scores (committees, n) of all rows.

        Those of observed rows are out of bag.
        """
        if not observed.any():
            return self.trees(descriptors)
        own = self.trees.grow(descriptors[observed], labels[observed], seed)
        scores = self.trees(descriptors)
        scores[:, observed] = own
        return scores

    def row_weights(self, observed: Tensor, generator: torch.Generator) -> Tensor:
        """Return how much each member learns from each row, (members, n): bootstrap samples for
        the networks, every observed row for the committees' noise (their scores are out of bag).
        """
        networks = bootstrap_weights(observed, self.networks, generator)
        return torch.cat([networks, observed.float().expand(self.trees.sizes.members, -1)])


def bootstrap_weights(observed: Tensor, members: int, generator: torch.Generator) -> Tensor:
    """Return how often each member's bootstrap sample holds each row: (members, n).

    Rows that are not observed weigh nothing. A row that a member never saw can test it.
    """
    rows = torch.nonzero(observed).squeeze(-1)
    weights = torch.zeros(members, len(observed))
    if len(rows):
        draws = torch.randint(len(rows), (members, len(rows)), generator=generator)
        for member, drawn in enumerate(draws):
            weights[member] = torch.bincount(rows[drawn], minlength=len(observed)).float()
    return weights


def _uniform(*shape: int, fan: int) -> nn.Parameter:
    return nn.Parameter((torch.rand(*shape) * 2 - 1) / math.sqrt(fan))
