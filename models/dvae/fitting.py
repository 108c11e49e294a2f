"""A fit from start to end: scales, trees, networks, transport, and what the data covers."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from alloop.models.dvae.generator import TrainedDvae
from alloop.models.dvae.inference import posterior_modes
from alloop.models.dvae.network import Rows
from alloop.models.dvae.options import DvaeOptions
from alloop.models.dvae.space_filling import random_alloys
from alloop.models.dvae.training import Schedule, train

_HEAD_EPOCHS = 60
_HEAD_RATE = 3e-3
_HEAD_DECAY = 1.0
_RANDOM_WEIGHT = 0.3
"""Of an alloy drawn at random, against one that somebody made."""
_FAR = 0.99
"""An alloy is far from the data if it is farther than this share of the data from its nearest."""

Report = Callable[[float, str], None]


def fit_generator(
    generator: TrainedDvae,
    fractions: Tensor,
    labels: np.ndarray,
    options: DvaeOptions,
    *,
    seed: int,
    epochs: int,
    is_new: bool,
    report: Report,
) -> dict[str, float]:
    """Train a generator; return the losses of the last epoch.

    Args:
        generator: new or trained before; trees are grown anew in any case.
        fractions: of the training alloys, shape (n, e).
        labels: in the properties' units, NaN where unknown, shape (n, p).
        options: of the model.
        seed: of everything random but torch's global draws.
        epochs: how long.
        is_new: whether to set the scales of descriptors, which weights depend on.
        report: progress.
    """
    draws = torch.Generator().manual_seed(seed)
    for i, node in enumerate(generator.nodes):
        node.adapt(labels[:, i])
    if is_new:
        described = generator.describe(fractions)
        generator.descriptor_mean.copy_(described.mean(0))
        generator.descriptor_std.copy_(described.std(0).clamp_min(1e-6))
    rows = _rows(generator, fractions, labels, options.random_alloys, draws)
    scores, weights = [], []
    for i, head in enumerate(generator.heads):
        if is_new:
            head.encoding.fit(rows.descriptors[: len(fractions)], head.views.networks, draws)
        observed = rows.observed[:, i]
        scores.append(head.grow(rows.descriptors, rows.labels[:, i], observed, seed))
        weights.append(head.row_weights(observed, draws))
    schedule = Schedule(
        epochs=epochs,
        head_epochs=min(_HEAD_EPOCHS, epochs),
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        head_rate=_HEAD_RATE,
        head_decay=_HEAD_DECAY,
        supervision=options.supervision,
        consistency=options.consistency,
    )
    losses = train(
        generator,
        rows,
        scores,
        weights,
        schedule,
        lambda done: report(0.95 * done / epochs, f"epoch {done} of {epochs}"),
    )
    index = torch.arange(len(fractions))
    _fit_transport(generator, rows[index], [s[:, index] for s in scores], draws)
    generator.cover(fractions, _FAR)
    return losses


def _rows(
    generator: TrainedDvae,
    fractions: Tensor,
    labels: np.ndarray,
    n_random: int,
    draws: torch.Generator,
) -> Rows:
    drawn = random_alloys(fractions, n_random, draws)
    known = torch.from_numpy(labels).float()
    columns = [node.internal(known[:, i]) for i, node in enumerate(generator.nodes)]
    internal = torch.cat(
        [torch.stack(columns, 1), torch.full((len(drawn), len(columns)), torch.nan)]
    )
    weights = torch.cat([torch.ones(len(fractions)), torch.full((len(drawn),), _RANDOM_WEIGHT)])
    everything = torch.cat([fractions, drawn])
    return Rows(
        fractions=everything,
        descriptors=generator.standardised(everything),
        labels=internal.nan_to_num(0.0),
        observed=~internal.isnan(),
        weights=weights,
    )


@torch.no_grad()
def _fit_transport(
    generator: TrainedDvae, rows: Rows, scores: Sequence[Tensor], draws: torch.Generator
) -> None:
    said, means = [], []
    for i, (node, head) in enumerate(zip(generator.nodes, generator.heads, strict=True)):
        mean, _ = node.moments(head(rows.descriptors, scores[i]))
        said.append((mean >= 0.5).float() if node.is_enumerated else mean)
        means.append(torch.where(rows.observed[:, i], rows.labels[:, i], mean))
    u, weights = [], []
    for outcome in range(2 ** len(generator.enumerated)):
        values, weight = list(means), torch.ones(len(rows))
        for place, i in enumerate(reversed(generator.enumerated)):
            bit = (outcome >> place) & 1
            values[i] = torch.full((len(rows),), float(bit))
            weight = weight * (means[i] if bit else 1 - means[i])
        u.append(posterior_modes(generator.network, rows.fractions, values))
        weights.append(weight)
    places = torch.stack(u)
    generator.transport.fit(places, torch.stack(weights), draws)
    known = rows.observed[:, generator.enumerated].all(1)
    if known.any():
        believed = generator.outcome(said)[known]
        true = generator.outcome(list(rows.labels.T))[known]
        z = generator.transport.to_z(places[believed, known.nonzero().squeeze(1)], believed)
        generator.transport.align(z, true, believed)
