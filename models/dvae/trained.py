"""A trained DVAE on tensors: heads, encoder, decoder and transport as one module."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from alloop.models.dvae.descriptors import EightDescriptors, RichDescriptors
from alloop.models.dvae.heads import Head
from alloop.models.dvae.inference import posterior_modes
from alloop.models.dvae.network import DisentangledVae, tidy
from alloop.models.dvae.nodes import PropertyNode, node_of
from alloop.models.dvae.options import DvaeOptions
from alloop.models.dvae.transport import Transport

Descriptors = EightDescriptors | RichDescriptors

_DESCRIPTORS: dict[str, type[Descriptors]] = {"eight": EightDescriptors, "rich": RichDescriptors}
_KNOTS = 40
_NEAR = 0.2
"""Largest standard deviation of the places around z where decoding is retried; that of z is 1."""
_TRIES = 16
_MOST_EXCHANGED = 0.5
"""Share of the atoms by which such an alloy may differ from what z itself decodes to."""
_LEAST_STD = 1e-4
"""Least standard deviation of a prediction: members that agree to the bit are still not certain."""


@dataclass(frozen=True)
class Belief:
    """What the heads expect of alloys, in the properties' units: shape (n, p) each."""

    mean: Tensor
    std: Tensor


class TrainedDvae(nn.Module):
    """Everything of a DVAE that is learned, on element fractions (n, e).

    Values of properties are (n, p) in the properties' units.
    """

    def __init__(
        self, options: DvaeOptions, elements: Sequence[str], property_names: Sequence[str]
    ) -> None:
        super().__init__()
        self.describe: Descriptors = _DESCRIPTORS[options.descriptors](elements)
        m = len(self.describe.names)
        self.register_buffer("descriptor_mean", torch.zeros(m))
        self.register_buffer("descriptor_std", torch.ones(m))
        self.nodes: list[PropertyNode] = [
            node_of(name, options.prior(name)) for name in property_names
        ]
        self._heads = nn.ModuleList(
            Head(
                node,
                m,
                committees=options.committees,
                trees=options.trees,
                share=options.network_share,
            )
            for node in self.nodes
        )
        self.network = DisentangledVae(
            len(elements), self.nodes, latents=options.latents, width=options.width
        )
        self.register_buffer("known", torch.zeros(0, len(elements)))
        self.register_buffer("far", torch.zeros(()))
        self.enumerated = [i for i, node in enumerate(self.nodes) if node.is_enumerated]
        self.transport = Transport(
            options.latents,
            outcomes=2 ** len(self.enumerated),
            layers=options.transport_layers,
            knots=_KNOTS,
        )

    descriptor_mean: Tensor
    descriptor_std: Tensor
    known: Tensor
    """Element fractions of the alloys of the last fit, shape (n, e)."""
    far: Tensor
    """Distance from the nearest of them above which an alloy is far from the data; share of
    atoms, scalar."""

    @property
    def heads(self) -> list[Head]:
        """The properties' heads, in order."""
        return [cast(Head, head) for head in self._heads]

    def standardised(self, fractions: Tensor) -> Tensor:
        """Return f(x), standardised by the training data: shape (n, m)."""
        described: Tensor = self.describe(fractions)
        return (described - self.descriptor_mean) / self.descriptor_std

    def believe(self, fractions: Tensor) -> Belief:
        """Return what the heads expect of element fractions (n, e)."""
        return self.judge(self.standardised(fractions))

    def judge(self, descriptors: Tensor) -> Belief:
        """Return what the heads expect of standardised descriptors (n, m)."""
        columns = []
        for node, head in zip(self.nodes, self.heads, strict=True):
            mean, std = node.moments(head(descriptors))
            columns.append((node.external(mean), (std * node.scale).clamp_min(_LEAST_STD)))
        means, stds = zip(*columns, strict=True)
        return Belief(torch.stack(means, -1), torch.stack(stds, -1))

    def cover(self, fractions: Tensor, level: float) -> None:
        """Remember the data's alloys (n, e), and how far apart this share of them are at most."""
        self.known = fractions.clone()
        self.far = torch.quantile(self._distances(fractions).topk(2, largest=False)[0][:, 1], level)

    def distance(self, fractions: Tensor) -> Tensor:
        """Return the least share of atoms to exchange for an alloy of the data, shape (n,)."""
        return self._distances(fractions).amin(1)

    def _distances(self, fractions: Tensor) -> Tensor:
        return torch.cdist(fractions, self.known, p=1.0) / 2

    def encode(self, fractions: Tensor, values: Tensor) -> Tensor:
        """Return posterior modes of z, (n, d) in double precision, given the properties' values.

        A probability counts as the more probable of yes and no.
        """
        internal = self.internal(self.rounded(values))
        u = posterior_modes(self.network, fractions, internal)
        return self.transport.to_z(u, self.outcome(internal))

    def decode(self, z: Tensor, values: Tensor) -> Tensor:
        """Return element fractions (n, e) of z (n, d) given the properties' values.

        As in the paper, a probability is the decoder's input as it is; which map leads from z to
        the place where it is decoded depends only on whether it is 0.5 or more.
        """
        internal = self.internal(values.float())
        u = self.transport.to_u(z, self.outcome(internal))
        return tidy(self.network.decode(u.float(), internal))

    @torch.no_grad()
    def decode_checked(self, z: Tensor, values: Tensor, seed: int) -> Tensor:
        """Return what is decoded at z or, where the heads disagree with it, very near.

        An alloy whose yes-or-no properties the heads do not find as asked for is decoded again
        from 16 places around z, the same ones for every row. Of those that they agree with, the
        one nearest to the first is taken; where none shares half of its atoms, the first.
        """
        fractions = self.decode(z, values)
        rows = torch.nonzero(~self._agrees(fractions, values)).squeeze(-1)
        if not len(rows):
            return fractions
        draws = torch.Generator().manual_seed(seed)
        widths = torch.linspace(1 / _TRIES, 1, _TRIES)[:, None]
        shifts = _NEAR * widths * torch.randn(_TRIES, z.shape[1], generator=draws)
        best, least = fractions[rows], torch.full((len(rows),), 2 * _MOST_EXCHANGED)
        for shift in shifts:
            again = self.decode(z[rows] + shift, values[rows])
            change = (again - fractions[rows]).abs().sum(1)
            nearer = self._agrees(again, values[rows]) & (change < least)
            best = torch.where(nearer[:, None], again, best)
            least = torch.where(nearer, change, least)
        fractions[rows] = best
        return fractions

    def _agrees(self, fractions: Tensor, values: Tensor) -> Tensor:
        said = self.believe(fractions).mean[:, self.enumerated] >= 0.5
        return (said == (values[:, self.enumerated] >= 0.5)).all(1)

    def internal(self, values: Tensor) -> list[Tensor]:
        """Return each property's values on its node's scale, shape (n,) each."""
        columns = [node.internal(values[:, i]) for i, node in enumerate(self.nodes)]
        for i in self.enumerated:
            columns[i] = columns[i].clamp(0, 1)
        return columns

    def rounded(self, values: Tensor) -> Tensor:
        """Return values (n, p) with 0 or 1 for each yes-or-no property."""
        values = values.clone()
        values[:, self.enumerated] = (values[:, self.enumerated] >= 0.5).to(values.dtype)
        return values

    def outcome(self, internal: Sequence[Tensor]) -> Tensor:
        """Return the number of the yes-or-no properties' joint outcome, shape (n,)."""
        number = torch.zeros(internal[0].shape, dtype=torch.long)
        for i in self.enumerated:
            number = 2 * number + (internal[i] >= 0.5).long()
        return number
