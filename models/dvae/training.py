"""A fit from start to end: heads, then encoder and decoder by Eq. 5, then the transport."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from pyro.infer import Trace_ELBO, TraceEnum_ELBO
from torch import Tensor
from torch.optim import Adam

from alloop.models.dvae.inference import posterior_modes
from alloop.models.dvae.network import AlloyRows, tidy
from alloop.models.dvae.options import DvaeOptions
from alloop.models.dvae.trained import TrainedDvae

_RANDOM_WEIGHT = 0.3
"""Weight of an alloy drawn at random in the ELBO, against 1 for one of the data."""
_MOST_ELEMENTS = 6
_SPREAD = 2.0
"""Parameter of the gamma draws behind random fractions; 1 would be uniform on the simplex."""
_FAR = 0.99
"""Share of the data that is nearer to its nearest neighbour than what counts as far."""
_JITTER = 0.3
"""Standard deviation, in those of u, of the places around encoded alloys where decoding should
be consistent."""

Report = Callable[[float, str], None]


def fit(
    dvae: TrainedDvae,
    fractions: Tensor,
    labels: np.ndarray,
    options: DvaeOptions,
    *,
    seed: int,
    epochs: int,
    is_new: bool,
    report: Report,
) -> dict[str, float]:
    """Train a DVAE; return the losses of the last epoch.

    The supervised term of Eq. 5 has no parameter in common with the rest here: heads are fitted to
    the labels first, and what they say of other alloys (of labelled ones too, out of bag) is the
    q(φ|f(x)) of the ELBO.

    Args:
        dvae: new or trained before; heads are fitted anew in any case.
        fractions: of the training alloys, shape (n, e).
        labels: in the properties' units, NaN where unknown, shape (n, p).
        options: of the model.
        seed: of everything random but torch's global draws.
        epochs: how long.
        is_new: whether to set the scales of the descriptors.
        report: called with the share that is done and a message.
    """
    draws = torch.Generator().manual_seed(seed)
    for node, column in zip(dvae.nodes, labels.T, strict=True):
        node.adapt(column)
    if is_new:
        described = dvae.describe(fractions)
        dvae.descriptor_mean.copy_(described.mean(0))
        dvae.descriptor_std.copy_(described.std(0).clamp_min(1e-6))
    rows = _rows(dvae, fractions, labels, random_alloys(fractions, options.random_alloys, draws))
    descriptors = dvae.standardised(rows.fractions)
    outputs = [
        head.fit(descriptors, rows.labels[:, i], rows.observed[:, i], seed)
        for i, head in enumerate(dvae.heads)
    ]
    losses = _train(
        dvae,
        rows,
        outputs,
        options,
        epochs,
        lambda done: report(0.95 * done / epochs, f"epoch {done} of {epochs}"),
    )
    index = torch.arange(len(fractions))
    _fit_transport(dvae, rows[index], [output[:, index] for output in outputs], draws)
    dvae.cover(fractions, _FAR)
    return losses


def random_alloys(known: Tensor, n: int, generator: torch.Generator) -> Tensor:
    """Return element fractions (n, e) of random alloys of 2 to 6 elements.

    As unlabelled rows they show the decoder what else there is. Elements are drawn without
    replacement, as often as they occur in the known alloys (m, e), and each at least as often
    as if it were in one alloy of ten.
    """
    e = known.shape[1]
    occurrence = (known > 0).float().mean(0) + 0.1
    # Gumbel's trick: the k largest of log p + noise are k draws without replacement.
    noise = -torch.log(-torch.log(torch.rand(n, e, generator=generator)))
    rank = (occurrence.log() + noise).argsort(1, descending=True).argsort(1)
    count = torch.randint(min(2, e), min(_MOST_ELEMENTS, e) + 1, (n, 1), generator=generator)
    parts = torch._standard_gamma(torch.full((n, e), _SPREAD), generator=generator)
    parts = parts * (rank < count)
    return parts / parts.sum(1, keepdim=True)


def _rows(dvae: TrainedDvae, fractions: Tensor, labels: np.ndarray, drawn: Tensor) -> AlloyRows:
    known = torch.from_numpy(labels).float()
    columns = [node.internal(known[:, i]) for i, node in enumerate(dvae.nodes)]
    unknown = torch.full((len(drawn), len(columns)), torch.nan)
    internal = torch.cat([torch.stack(columns, 1), unknown])
    weights = torch.cat([torch.ones(len(fractions)), torch.full((len(drawn),), _RANDOM_WEIGHT)])
    return AlloyRows(
        fractions=torch.cat([fractions, drawn]),
        labels=internal.nan_to_num(0.0),
        observed=~internal.isnan(),
        weights=weights,
    )


def _train(
    dvae: TrainedDvae,
    rows: AlloyRows,
    outputs: Sequence[Tensor],
    options: DvaeOptions,
    epochs: int,
    on_epoch: Callable[[int], None],
) -> dict[str, float]:
    """Train encoder and decoder by the ELBO and consistency; return the last epoch's losses.

    Args:
        dvae: whose heads are fitted already.
        rows: all training rows.
        outputs: what the heads say of them, out of bag where observed, (members, n, outputs).
        options: batch size, learning rate and the weight of consistency.
        epochs: how long.
        on_epoch: called with the number of epochs done.
    """
    network = dvae.network
    # With nothing to sum over, Pyro's enumerating ELBO warns, and is the plain one.
    elbo = (TraceEnum_ELBO if dvae.enumerated else Trace_ELBO)(max_plate_nesting=1)
    optimiser = Adam(network.parameters())
    losses: dict[str, float] = {}
    for epoch in range(epochs):
        _set_rate(optimiser, options.learning_rate, epoch / epochs)
        losses = {}
        for index in torch.randperm(len(rows)).split(options.batch_size):
            batch, said = rows[index], [output[:, index] for output in outputs]
            loss = elbo.differentiable_loss(network.model, network.guide, batch, said)
            terms = {"elbo": loss / len(index)}
            if options.consistency and dvae.enumerated:
                few = index[: math.ceil(len(index) / 2)]  # dearer than the ELBO, row by row
                surprise = inconsistency(dvae, rows[few], [output[:, few] for output in outputs])
                terms["consistency"] = options.consistency * surprise
            optimiser.zero_grad()
            torch.stack(list(terms.values())).sum().backward()
            optimiser.step()
            for name, term in terms.items():
                losses[name] = losses.get(name, 0.0) + float(term.detach()) * len(index) / len(rows)
        on_epoch(epoch + 1)
    return losses


def inconsistency(dvae: TrainedDvae, rows: AlloyRows, outputs: Sequence[Tensor]) -> Tensor:
    """Return how unlikely the heads' networks find the properties that were decoded for, in nats.

    Places are drawn around those of the rows, each with its label or what its head says, (members,
    n, outputs).
    """
    values = _asked(dvae, rows, outputs)
    described = _decoded_near(dvae, rows.fractions, values)
    surprise = [
        -dvae.nodes[i].log_likelihood(dvae.heads[i].network(described)[None], values[i]).mean()
        for i in dvae.enumerated
    ]
    return torch.stack(surprise).sum()


def _asked(dvae: TrainedDvae, rows: AlloyRows, outputs: Sequence[Tensor]) -> list[Tensor]:
    """Return the values to decode rows for: labels, else what heads say; (n,) each."""
    values = []
    for i, node in enumerate(dvae.nodes):
        mean, _ = node.moments(outputs[i])
        value = torch.where(rows.observed[:, i], rows.labels[:, i], mean)
        values.append((value >= 0.5).to(value.dtype) if node.is_enumerated else value)
    return values


def _decoded_near(dvae: TrainedDvae, fractions: Tensor, values: Sequence[Tensor]) -> Tensor:
    """Return standardised f(x), (n, m), of what is decoded around encoded alloys (n, e)."""
    u, _ = dvae.network.encode(fractions, values)
    u = u + _JITTER * u.std(0) * torch.randn_like(u)
    return dvae.standardised(tidy(dvae.network.decode(u, values)))


@torch.no_grad()
def _fit_transport(
    dvae: TrainedDvae, rows: AlloyRows, outputs: Sequence[Tensor], draws: torch.Generator
) -> None:
    """Fit the transport to all alloys as if they were new: by what heads say of them out of bag.

    By its label an alloy would only enter the map of the outcome that it has, whereas a new alloy
    enters that of what the head finds. Values of other properties are labels where they are known.
    """
    said, means = [], []
    for i, node in enumerate(dvae.nodes):
        mean, _ = node.moments(outputs[i])
        said.append((mean >= 0.5).float() if node.is_enumerated else mean)
        is_label = rows.observed[:, i] & (not node.is_enumerated)
        means.append(torch.where(is_label, rows.labels[:, i], mean))
    u, weights = [], []
    for outcome in range(2 ** len(dvae.enumerated)):
        values, weight = list(means), torch.ones(len(rows))
        for place, i in enumerate(reversed(dvae.enumerated)):
            bit = (outcome >> place) & 1
            values[i] = torch.full((len(rows),), float(bit))
            weight = weight * (means[i] if bit else 1 - means[i])
        u.append(posterior_modes(dvae.network, rows.fractions, values))
        weights.append(weight)
    places = torch.stack(u)
    dvae.transport.fit(places, torch.stack(weights), draws)
    known = rows.observed[:, dvae.enumerated].all(1)
    if known.any():
        believed = dvae.outcome(said)[known]
        true = dvae.outcome(list(rows.labels.T))[known]
        z = dvae.transport.to_z(places[believed, known.nonzero().squeeze(1)], believed)
        dvae.transport.align(z, true, believed)


def _set_rate(optimiser: Adam, rate: float, done: float) -> None:
    """Set the learning rate of a cosine schedule, of which a share is done."""
    for group in optimiser.param_groups:
        group["lr"] = rate * max(0.5 * (1 + math.cos(math.pi * min(done, 1.0))), 0.01)
