"""q(φ|f(x)) of Eq. 4: a bagged ensemble of small networks on encoded descriptors."""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.dvae.trees import TreeCommittees

_SMALLEST_BIN = 1e-6
"""Of standardised descriptors. Where quantiles coincide, a bin is a step of this width."""


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

    def fit(self, descriptors: Tensor, generator: torch.Generator) -> None:
        """Choose each member's descriptors and bins from training rows (n, m)."""
        members, seen = self.columns.shape
        useful = torch.nonzero(descriptors.std(0) > _SMALLEST_BIN).squeeze(-1)
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
    """Members side by side, each a committee of trees and a network that corrects it.

    A member's first output is a + b·s + g(f(x)): s is its committee's score, on the scale of the
    output, g a network of two hidden layers, a and b learned. Without trees it is g alone.
    """

    def __init__(
        self,
        descriptors: int,
        outputs: int,
        *,
        members: int,
        trees: int,
        smallest_leaf: int,
        share: float,
        bins: int,
        width: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.encoding = DescriptorEncoding(descriptors, members=members, share=share, bins=bins)
        sizes = (self.encoding.size, width, width, outputs)
        layers = list(pairwise(sizes))
        self.weights = nn.ParameterList([_uniform(members, a, b, fan=a) for a, b in layers])
        self.biases = nn.ParameterList([_uniform(members, 1, b, fan=a) for a, b in layers])
        self.dropout = dropout
        self.trees = TreeCommittees(members, trees, smallest_leaf=smallest_leaf) if trees else None
        self.slope = nn.Parameter(torch.ones(members, 1))
        self.shift = nn.Parameter(torch.zeros(members, 1))

    def forward(self, descriptors: Tensor, scores: Tensor | None = None) -> Tensor:
        """Return raw outputs (members, n, outputs) of standardised descriptors (n, m).

        Args:
            descriptors: standardised f(x).
            scores: of the committees, shape (members, n), if they are known already.
        """
        hidden = self.encoding(descriptors)
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            hidden = torch.baddbmm(bias, hidden, weight)
            if layer < len(self.weights) - 1:
                hidden = functional.dropout(functional.silu(hidden), self.dropout, self.training)
        if self.trees is None:
            return hidden
        scores = self.trees(descriptors) if scores is None else scores
        first = hidden[..., 0] + self.slope * scores + self.shift
        return torch.cat([first[..., None], hidden[..., 1:]], -1)


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
