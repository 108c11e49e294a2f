"""A fit from start to end: trees, then encoder and decoder by Eq. 5, then the transport."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from pyro.infer import TraceEnum_ELBO
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam

from alloop.models.dvae.inference import posterior_modes
from alloop.models.dvae.network import AlloyRows, tidy
from alloop.models.dvae.options import DvaeOptions
from alloop.models.dvae.trained import TrainedDvae

_RANDOM_WEIGHT = 0.3
"""Weight of an alloy drawn at random in the ELBO, against 1 for one of the data."""
_MOST_ELEMENTS = 6
_SPREAD = 2.0
"""Shape of the gamma draws that random fractions are made of; 1 would be uniform on the simplex."""
_FAR = 0.99
"""Share of the data that is nearer to its nearest neighbour than what counts as far."""
_SURROGATE_WIDTH = 64
_SURROGATE_BATCH = 512
_SURROGATE_STEPS = 400
_SURROGATE_RATE = 5e-3
_LESSONS = 8
"""Times during training that the surrogates learn what the trees say of decoded alloys."""
_LESSON_STEPS = 150
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

    The supervised term of Eq. 5 has no parameter in common with the rest here: trees are grown on
    the labels first, and what they say of other alloys (of labelled ones too, out of bag) is the
    q(φ|f(x)) of the ELBO.

    Args:
        dvae: new or trained before; trees are grown anew in any case.
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
        head.grow(descriptors, rows.labels[:, i], rows.observed[:, i], seed)
        for i, head in enumerate(dvae.heads)
    ]
    losses = _train(
        dvae,
        rows,
        outputs,
        {i: Surrogate(dvae, i, descriptors) for i in dvae.enumerated if options.consistency},
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


class Surrogate:
    """A network that imitates the head of one yes-or-no property: trees have no slopes.

    Only training uses it, to ask for consistency; what the model says is what its trees say.
    A decoder that is trained against it soon finds alloys about which it is wrong, so it is
    taught again and again what the trees say of what is decoded.

    Args:
        dvae: whose trees are grown.
        prop: place of the property among the model's.
        descriptors: standardised f(x) to learn from, shape (n, m).
    """

    def __init__(self, dvae: TrainedDvae, prop: int, descriptors: Tensor) -> None:
        self.node, self.head = dvae.nodes[prop], dvae.heads[prop]
        m, width = descriptors.shape[1], _SURROGATE_WIDTH
        layers = (nn.Linear(m, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())
        self.network = nn.Sequential(*layers, nn.Linear(width, 1))
        self.descriptors = descriptors[:0]
        self.said = descriptors[:0, 0]
        self.learn(descriptors, _SURROGATE_STEPS)

    def learn(self, descriptors: Tensor, steps: int) -> None:
        """Learn what the trees say of more alloys, (n, m), and not forget those before."""
        with torch.no_grad():
            said, _ = self.node.moments(self.head(descriptors))
        self.descriptors = torch.cat([self.descriptors, descriptors])
        self.said = torch.cat([self.said, said])
        self.network.requires_grad_(True)
        optimiser = Adam(self.network.parameters())
        for step in range(steps):
            _set_rate(optimiser, _SURROGATE_RATE, step / steps)
            rows = torch.randint(len(self.said), (_SURROGATE_BATCH,))
            optimiser.zero_grad()
            logits = self.logits(self.descriptors[rows])
            functional.binary_cross_entropy_with_logits(logits, self.said[rows]).backward()
            optimiser.step()
        self.network.requires_grad_(False)

    def logits(self, descriptors: Tensor) -> Tensor:
        """Return the log-odds of a yes, (n,), of descriptors (n, m)."""
        logits: Tensor = self.network(descriptors)[:, 0]
        return logits


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
    surrogates: dict[int, Surrogate],
    options: DvaeOptions,
    epochs: int,
    on_epoch: Callable[[int], None],
) -> dict[str, float]:
    """Train encoder and decoder by the ELBO and consistency; return the last epoch's losses.

    Args:
        dvae: whose trees are grown already.
        rows: all training rows.
        outputs: what the heads say of them, out of bag where observed, (members, n, outputs).
        surrogates: of the heads of the yes-or-no properties; none where consistency is not asked.
        options: batch size, learning rate and the weight of consistency.
        epochs: how long.
        on_epoch: called with the number of epochs done.
    """
    network = dvae.network
    elbo = TraceEnum_ELBO(max_plate_nesting=1)
    optimiser = Adam(network.parameters())
    losses: dict[str, float] = {}
    for epoch in range(epochs):
        _set_rate(optimiser, options.learning_rate, epoch / epochs)
        if epoch and epoch % max(1, epochs // _LESSONS) == 0:
            _teach(dvae, rows, outputs, surrogates)
        losses = {}
        for index in torch.randperm(len(rows)).split(options.batch_size):
            batch, said = rows[index], [output[:, index] for output in outputs]
            loss = elbo.differentiable_loss(network.model, network.guide, batch, said)
            terms = {"elbo": loss / len(index)}
            if surrogates:
                surprise = inconsistency(dvae, batch, said, surrogates)
                terms["consistency"] = options.consistency * surprise
            optimiser.zero_grad()
            torch.stack(list(terms.values())).sum().backward()
            optimiser.step()
            for name, term in terms.items():
                losses[name] = losses.get(name, 0.0) + float(term.detach()) * len(index) / len(rows)
        on_epoch(epoch + 1)
    return losses


def inconsistency(
    dvae: TrainedDvae,
    rows: AlloyRows,
    outputs: Sequence[Tensor],
    surrogates: dict[int, Surrogate],
) -> Tensor:
    """Return how unlikely the surrogates find the properties that were decoded for, in nats."""
    values = _asked(dvae, rows, outputs)
    described = _decoded_near(dvae, rows.fractions, values)
    surprise = [
        functional.binary_cross_entropy_with_logits(surrogate.logits(described), values[i])
        for i, surrogate in surrogates.items()
    ]
    return torch.stack(surprise).sum()


@torch.no_grad()
def _teach(
    dvae: TrainedDvae,
    rows: AlloyRows,
    outputs: Sequence[Tensor],
    surrogates: dict[int, Surrogate],
) -> None:
    described = _decoded_near(dvae, rows.fractions, _asked(dvae, rows, outputs))
    with torch.enable_grad():
        for surrogate in surrogates.values():
            surrogate.learn(described, _LESSON_STEPS)


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
    said, means = [], []
    for i, node in enumerate(dvae.nodes):
        mean, _ = node.moments(outputs[i])
        said.append((mean >= 0.5).float() if node.is_enumerated else mean)
        means.append(torch.where(rows.observed[:, i], rows.labels[:, i], mean))
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
