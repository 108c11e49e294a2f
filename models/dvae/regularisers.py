"""What the ELBO alone does not secure: z free of the properties, decoder and heads of one mind."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

from models.dvae.network import Batch, DisentangledVae
from models.dvae.nodes import PropertyNode

TRACE = 0.005
"""Element fractions below this are not part of an alloy that the decoder writes down."""
_KERNEL_WIDTHS = (0.5, 1.0, 2.0)
"""In units of √d: the typical distance of two points under the prior is √(2 d)."""


def tidy(logits: Tensor) -> Tensor:
    """Return element fractions (..., e) without traces, summing to one.

    Gradients pass through the elements that are kept. The largest fraction always is.
    """
    fractions = torch.softmax(logits, -1)
    kept = fractions * (fractions > TRACE)
    total: Tensor = kept.sum(-1, keepdim=True)
    return kept / total


def dependence(z: Tensor, belief: Tensor) -> Tensor:
    """Return how far z under a yes and z under a no are from the prior, and so from each other.

    The sum of the two squared maximum mean discrepancies between weighted samples of z and fresh
    draws of N(0, 1) (A. Gretton et al., J. Mach. Learn. Res. 13 (2012) 723). Were the model the
    truth, both would be nought: φ and z are independent in Eq. 1.

    Args:
        z: one sample under a no and one under a yes for each row, shape (2, n, d).
        belief: probability of a yes, shape (n,).
    """
    points = torch.cat([z[0], z[1], torch.randn_like(z[0])])
    kernel = _kernel(points)
    n = len(belief)
    total = points.new_zeros(())
    for side, weight in ((0, 1 - belief), (1, belief)):
        share = weight / weight.sum().clamp_min(1e-6)
        signed = points.new_zeros(3 * n)
        signed = signed.index_add(0, torch.arange(n) + side * n, share)
        signed = signed.index_add(0, torch.arange(n) + 2 * n, -torch.full((n,), 1 / n))
        total = total + signed @ kernel @ signed
    return total


def _kernel(points: Tensor) -> Tensor:
    square = torch.cdist(points, points).square()
    widths = [2 * points.shape[-1] * width**2 for width in _KERNEL_WIDTHS]
    return torch.stack([torch.exp(-square / width) for width in widths]).mean(0)


def disagreement(
    network: DisentangledVae,
    nodes: Sequence[PropertyNode],
    describe: nn.Module,
    batch: Batch,
    z: Tensor,
) -> Tensor:
    """Return how unlikely the heads find the properties that alloys were decoded for.

    Each latent point (n, d) is decoded at properties drawn from the priors; the mean of
    −log q(φ|f(x)) over points is returned. Heads are held fixed: the decoder must obey them.
    """
    with torch.no_grad():
        wanted = [node.prior().sample([len(z)]).to(z) for node in nodes]
    fractions = tidy(network.decode(z, wanted))
    descriptors = describe(fractions)
    total = z.new_zeros(())
    for node, head, value in zip(nodes, network.heads, wanted, strict=True):
        fixed = {name: tensor.detach() for name, tensor in head.state_dict().items()}
        outputs = functional_call(head, fixed, (descriptors,))
        nothing = torch.zeros(len(z), dtype=torch.bool)
        belief = node.posterior(outputs, value, nothing)
        total = total - belief.log_prob(value).mean()
    return total


def supervision(
    outputs: Sequence[Tensor], nodes: Sequence[PropertyNode], batch: Batch, weights: Tensor
) -> Tensor:
    """Return the supervised term of Eq. 5, each member on its own bootstrap sample.

    Args:
        outputs: of each head, shape (members, n, outputs).
        weights: shape (p, members, n), nought where not observed.
    """
    total = batch.labels.new_zeros(())
    for i, (node, output) in enumerate(zip(nodes, outputs, strict=True)):
        likelihood = node.log_likelihood(output, batch.labels[:, i])
        total = total - (likelihood * weights[i]).sum(-1).sum()
    return total / len(batch)
