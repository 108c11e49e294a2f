"""The model of Eqs. 1–3 and its guide, Eq. 4, in Pyro."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import pyro
import torch
from pyro import distributions as dist
from torch import Tensor, nn
from torch.nn import functional

from alloop.models.dvae.nodes import PropertyNode

TOTAL = 100.0
"""Parts of an alloy: compositions enter the multinomial of Eq. 2 as percent."""
TRACE = 0.005
"""Element fractions below this are no part of an alloy that the decoder writes down."""
_LEAST_SCALE = 1e-4


@dataclass(frozen=True)
class AlloyRows:
    """Alloys that are trained on."""

    fractions: Tensor
    """Element fractions, shape (n, e)."""
    labels: Tensor
    """On the nodes' internal scale, nought where unknown, shape (n, p)."""
    observed: Tensor
    """Which values are known, shape (n, p)."""
    weights: Tensor
    """How much each row counts in the ELBO, shape (n,)."""

    def __len__(self) -> int:
        return len(self.fractions)

    def __getitem__(self, index: Tensor) -> "AlloyRows":
        return AlloyRows(*(getattr(self, name)[index] for name in self.__dataclass_fields__))


class DisentangledVae(nn.Module):
    """p(x|φ,z) p(φ) p(z) and q(φ|f(x)) q(z|x,φ), with one node φ per property.

    Here z is called u: the place where an alloy is decoded. ``transport`` relates it to a z that is
    independent of the yes-or-no properties.

    Tensors of properties may have leading dimensions before (n,): Pyro enumerates along them.
    """

    def __init__(
        self, elements: int, nodes: Sequence[PropertyNode], *, latents: int, width: int
    ) -> None:
        super().__init__()
        self.latents, self.nodes = latents, tuple(nodes)
        self.encoder = _layers(elements + len(nodes), width, 2 * latents)
        self.decoder = _layers(latents + len(nodes), width, elements)

    def model(self, rows: AlloyRows, outputs: Sequence[Tensor]) -> None:
        """Eq. 1. The multinomial takes real-valued parts: its density needs no whole numbers."""
        del outputs
        with pyro.plate("alloys", len(rows)), pyro.poutine.scale(scale=rows.weights):
            values = []
            for i, node in enumerate(self.nodes):
                label, observed = rows.labels[:, i], rows.observed[:, i]
                if node.is_enumerated:  # the guide sees to it that only the label counts
                    values.append(pyro.sample(node.name, node.prior()))
                    continue
                seen = node.prior().expand([len(rows)]).mask(observed)
                pyro.sample(f"{node.name}_observed", seen, obs=_inside(node, label, observed))
                drawn = pyro.sample(node.name, node.prior().mask(~observed))
                values.append(torch.where(observed, label, drawn))
            u = pyro.sample("u", dist.Normal(0.0, 1.0).expand([self.latents]).to_event(1))
            parts = dist.Multinomial(logits=self.decode(u, values), validate_args=False)
            pyro.sample("x", parts, obs=TOTAL * rows.fractions)

    def guide(self, rows: AlloyRows, outputs: Sequence[Tensor]) -> None:
        """Eq. 4. Yes-or-no properties are summed over exactly, others drawn.

        Args:
            rows: alloys.
            outputs: what each head says of these alloys, shape (members, n, outputs).
        """
        with pyro.plate("alloys", len(rows)), pyro.poutine.scale(scale=rows.weights):
            values = []
            for i, node in enumerate(self.nodes):
                label, observed = rows.labels[:, i], rows.observed[:, i]
                belief = node.posterior(outputs[i], label, observed)
                if node.is_enumerated:
                    values.append(pyro.sample(node.name, belief, infer={"enumerate": "parallel"}))
                    continue
                drawn = pyro.sample(node.name, belief.mask(~observed))
                values.append(torch.where(observed, label, drawn))
            mean, scale = self.encode(rows.fractions, values)
            pyro.sample("u", dist.Normal(mean, scale).to_event(1))

    def encode(self, fractions: Tensor, values: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return mean and scale of q(u|x,φ), shape (..., n, d) each.

        Args:
            fractions: shape (n, e).
            values: of each node, internal scale, shape (..., n).
        """
        mean, scale = self.encoder(_beside(TOTAL / 10 * fractions, values)).chunk(2, -1)
        return mean, functional.softplus(scale) + _LEAST_SCALE

    def decode(self, u: Tensor, values: Sequence[Tensor]) -> Tensor:
        """Return the logits of the element fractions, shape (..., n, e), of u (..., n, d)."""
        return cast(Tensor, self.decoder(_beside(u, values)))


def tidy(logits: Tensor) -> Tensor:
    """Return element fractions (..., e) without traces, summing to one.

    Gradients pass through the elements that are kept.
    """
    fractions = torch.softmax(logits, -1)
    kept = fractions * (fractions > TRACE)
    return kept / kept.sum(-1, keepdim=True)


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
        nn.SiLU(),
        nn.Linear(width, width),
        nn.SiLU(),
        nn.Linear(width, outputs),
    )
