"""Eq. 5, minimised: the ELBO, exact over the yes-or-no properties, and the supervised term.

A third term asks that what is decoded for a yes-or-no property has it, by the heads' networks.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from pyro.infer import TraceEnum_ELBO
from torch import Tensor
from torch.optim import Adam, AdamW, Optimizer

from alloop.models.dvae.generator import TrainedDvae
from alloop.models.dvae.network import Rows

OnEpoch = Callable[[int], None]


@dataclass(frozen=True)
class Schedule:
    """How long, how fast, and with what weight."""

    epochs: int
    head_epochs: int
    """The heads learn this long, together with the rest, and are held fixed afterwards."""
    batch_size: int
    learning_rate: float
    head_rate: float
    head_decay: float
    supervision: float
    """γ of Eq. 5."""
    consistency: float
    """Weight of the third term, once the heads are held."""


def train(
    generator: TrainedDvae,
    rows: Rows,
    scores: Sequence[Tensor],
    row_weights: Sequence[Tensor],
    schedule: Schedule,
    on_epoch: OnEpoch,
) -> dict[str, float]:
    """Train heads, encoder and decoder; return the mean losses of the last epoch.

    Args:
        generator: whose trees are grown already.
        rows: all training rows.
        scores: of each head's tree committees for the rows, out of bag where observed,
            shape (committees, n).
        row_weights: how much each member of each head learns from each row, (members, n).
        schedule: what its fields say.
        on_epoch: called with the number of epochs done.
    """
    network = generator.network
    heads = AdamW(
        network.heads.parameters(), lr=schedule.head_rate, weight_decay=schedule.head_decay
    )
    coders = Adam([*network.encoder.parameters(), *network.decoder.parameters()])
    step = _Step(generator, rows, scores, row_weights, schedule)
    network.train()
    losses: dict[str, float] = {}
    for epoch in range(schedule.epochs):
        _set_rate(coders, schedule.learning_rate, epoch / schedule.epochs)
        _set_rate(heads, schedule.head_rate, epoch / schedule.head_epochs)
        if epoch == schedule.head_epochs:
            step.hold_heads()
        losses = {}
        for index in torch.randperm(len(rows)).split(schedule.batch_size):
            coders.zero_grad()
            heads.zero_grad()
            for name, loss in step(index).items():
                losses[name] = losses.get(name, 0.0) + loss * len(index) / len(rows)
            coders.step()
            if epoch < schedule.head_epochs:
                heads.step()
        on_epoch(epoch + 1)
    network.eval()
    network.heads.requires_grad_(True)
    return losses


class _Step:
    """One batch's losses and gradients."""

    def __init__(
        self,
        generator: TrainedDvae,
        rows: Rows,
        scores: Sequence[Tensor],
        row_weights: Sequence[Tensor],
        schedule: Schedule,
    ) -> None:
        self.generator, self.network = generator, generator.network
        self.rows, self.scores = rows, scores
        self.row_weights, self.schedule = row_weights, schedule
        self.elbo = TraceEnum_ELBO(max_plate_nesting=1)
        self.held: list[Tensor] | None = None

    @torch.no_grad()
    def hold_heads(self) -> None:
        """Compute the heads' outputs once: from now on they do not change."""
        self.network.eval()
        self.network.heads.requires_grad_(False)
        self.held = [
            head(self.rows.descriptors, scores)
            for head, scores in zip(self.network.heads, self.scores, strict=True)
        ]

    def __call__(self, index: Tensor) -> dict[str, float]:
        rows = self.rows[index]
        if self.held is None:
            outputs = [
                head(rows.descriptors, scores[:, index])
                for head, scores in zip(self.network.heads, self.scores, strict=True)
            ]
        else:
            outputs = [held[:, index] for held in self.held]
        network, n = self.network, len(index)
        losses = {
            "elbo": self.elbo.differentiable_loss(network.model, network.guide, rows, outputs) / n
        }
        if self.held is None:
            losses["supervision"] = self.schedule.supervision * self._supervision(
                outputs, rows, index
            )
        elif self.schedule.consistency and self.generator.enumerated:
            losses["consistency"] = self.schedule.consistency * self.generator.inconsistency(
                rows, outputs
            )
        torch.stack(list(losses.values())).sum().backward()
        return {name: float(loss.detach()) for name, loss in losses.items()}

    def _supervision(self, outputs: Sequence[Tensor], rows: Rows, index: Tensor) -> Tensor:
        total = rows.labels.new_zeros(())
        for i, (node, output) in enumerate(zip(self.network.nodes, outputs, strict=True)):
            # A label that is not there is nought, which a beta node would find impossible.
            label = torch.where(rows.observed[:, i], rows.labels[:, i], node.prior().mean)
            likelihood = node.log_likelihood(output, label)
            total = total - (likelihood * self.row_weights[i][:, index]).sum()
        return total / len(rows)


def _set_rate(optimiser: Optimizer, rate: float, done: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate * max(0.5 * (1 + math.cos(math.pi * min(done, 1.0))), 0.01)
