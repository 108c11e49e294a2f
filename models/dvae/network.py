"""The model of Eqs. 1–3 and its guide, Eq. 4, in Pyro."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyro
import torch
from pyro import distributions as dist
from torch import Tensor, nn
from torch.nn import functional

from models.dvae.heads import HeadEnsemble
from models.dvae.nodes import PropertyNode

TOTAL = 100.0
"""Parts of an alloy: compositions enter the multinomial of Eq. 2 as percent."""


@dataclass(frozen=True)
class Batch:
    """Rows that are trained on together."""

    fractions: Tensor
    """Element fractions, shape (n, e)."""
    descriptors: Tensor
    """Standardised f(x), shape (n, m)."""
    labels: Tensor
    """On the nodes' internal scale, nought where unknown, shape (n, p)."""
    observed: Tensor
    """Shape (n, p)."""

    def __len__(self) -> int:
        return len(self.fractions)


class DisentangledVae(nn.Module):
    """p(x|φ,z) p(φ) p(z) and q(φ|f(x)) q(z|x,φ), with one node φ per property.

    φ that is enumerated, or that is drawn, broadcasts: its tensors have any leading dimensions
    before (n,).
    """

    def __init__(
        self, elements: int, heads: Sequence[HeadEnsemble], *, latents: int, width: int
    ) -> None:
        super().__init__()
        self.latents = latents
        properties = len(heads)
        self.heads = nn.ModuleList(heads)
        self.encoder = _layers(elements + properties, width, 2 * latents)
        self.decoder = _layers(latents + properties, width, elements)

    def model(self, batch: Batch, nodes: Sequence[PropertyNode], outputs: Sequence[Tensor]) -> None:
        """Eq. 1. The multinomial takes real-valued parts: its density needs no whole numbers."""
        with pyro.plate("alloys", len(batch)):
            values = []
            for i, node in enumerate(nodes):
                label, observed = batch.labels[:, i], batch.observed[:, i]
                if node.is_enumerated:  # the guide sees to it that only the label counts
                    values.append(pyro.sample(node.name, node.prior()))
                    continue
                seen = node.prior().expand([len(batch)]).mask(observed)
                pyro.sample(f"{node.name}_observed", seen, obs=_inside(node, label, observed))
                drawn = pyro.sample(node.name, node.prior().mask(~observed))
                values.append(torch.where(observed, label, drawn))
            z = pyro.sample("z", dist.Normal(0.0, 1.0).expand([self.latents]).to_event(1))
            parts = dist.Multinomial(logits=self.decode(z, values), validate_args=False)
            pyro.sample("x", parts, obs=TOTAL * batch.fractions)

    def guide(self, batch: Batch, nodes: Sequence[PropertyNode], outputs: Sequence[Tensor]) -> None:
        """Eq. 4. Yes-or-no properties are summed over exactly, others drawn.

        Args:
            outputs: of each head for these rows, shape (members, n, outputs).
        """
        with pyro.plate("alloys", len(batch)):
            values = []
            for i, node in enumerate(nodes):
                label, observed = batch.labels[:, i], batch.observed[:, i]
                belief = node.posterior(outputs[i], label, observed)
                if node.is_enumerated:
                    values.append(pyro.sample(node.name, belief, infer={"enumerate": "parallel"}))
                    continue
                drawn = pyro.sample(node.name, belief.mask(~observed))
                values.append(torch.where(observed, label, drawn))
            mean, scale = self.encode(batch.fractions, values)
            pyro.sample("z", dist.Normal(mean, scale).to_event(1))

    def encode(self, fractions: Tensor, values: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return mean and scale of q(z|x,φ), shape (..., n, d) each.

        Args:
            fractions: shape (n, e).
            values: of each node, internal scale, shape (..., n).
        """
        mean, scale = self.encoder(_beside(TOTAL / 10 * fractions, values)).chunk(2, -1)
        return mean, functional.softplus(scale) + 1e-4

    def decode(self, z: Tensor, values: Sequence[Tensor]) -> Tensor:
        """Return the logits of the element fractions, shape (..., n, e), of z (..., n, d)."""
        logits: Tensor = self.decoder(_beside(z, values))
        return logits


def _beside(tensor: Tensor, values: Sequence[Tensor]) -> Tensor:
    shape = torch.broadcast_shapes(tensor.shape[:-1], *(value.shape for value in values))
    columns = [value.expand(shape)[..., None] for value in values]
    return torch.cat([tensor.expand(*shape, tensor.shape[-1]), *columns], -1)


def _inside(node: PropertyNode, label: Tensor, observed: Tensor) -> Tensor:
    # A masked density is still computed: where nothing is known, give it a value it allows.
    return torch.where(observed, label, node.prior().mean.to(label))


def _layers(inputs: int, width: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, width),
        nn.Softplus(),
        nn.Linear(width, width),
        nn.Softplus(),
        nn.Linear(width, outputs),
    )
