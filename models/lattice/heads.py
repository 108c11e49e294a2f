"""Property heads: an ensemble of small networks on the invariant embedding."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

LOG_VARIANCE_RANGE = (-8.0, 2.0)
"""Range of the log-variance of the standardised labels; keeps the noise from vanishing where a few
labels fit exactly."""


@dataclass(frozen=True)
class HeadTraining:
    """Settings of the heads' training."""

    steps: int = 600
    """Number of full-batch Adam steps; each is a few products of small matrices."""
    learning_rate: float = 1e-2
    network_decay: float = 3.0
    """Weight decay (AdamW) of the hidden layers: with few labels a head stays nearly linear."""
    linear_decay: float = 0.1
    jitter: float = 0.1
    """Standard deviation of the noise on the standardised features, a ridge penalty for the linear
    part."""


class PropertyHeads(nn.Module):
    """Ensemble of heads that each add a linear map and a small network, with a Gaussian likelihood.

    Ordering enters the properties of alloys nearly linearly through pair correlations, so the
    linear part carries most of what few labels can tell; the network bends it.
    """

    def __init__(self, features: int, properties: int, *, size: int, width: int) -> None:
        super().__init__()
        self.linear = nn.Parameter(torch.zeros(size, features, properties))
        self.inner = nn.Parameter(torch.randn(size, features, width) / math.sqrt(features))
        self.inner_bias = nn.Parameter(torch.randn(size, 1, width))
        self.outer = nn.Parameter(0.3 * torch.randn(size, width, properties) / math.sqrt(width))
        self.bias = nn.Parameter(torch.zeros(size, 1, properties))
        self.log_variance = nn.Parameter(torch.zeros(size, 1, properties))
        for name, shape in (("feature", features), ("label", properties)):
            self.register_buffer(f"{name}_mean", torch.zeros(shape))
            self.register_buffer(f"{name}_std", torch.ones(shape))

    feature_mean: Tensor
    feature_std: Tensor
    label_mean: Tensor
    label_std: Tensor
    """Standard deviation of the labels, shape (p,); like their mean NaN for properties with fewer
    than two labels, of which nothing was learned."""

    def forward(self, features: Tensor) -> Tensor:
        """Return standardised means (size, n, p) of standardised features (..., n, m)."""
        hidden = torch.tanh(features @ self.inner + self.inner_bias)
        return features @ self.linear + hidden @ self.outer + self.bias

    def predict(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation in the properties' units, (n, p) each.

        The variance is the heads' mean noise plus the spread of their means.

        Args:
            features: shape (n, m).
        """
        means = self((features - self.feature_mean) / self.feature_std)
        noise = self.log_variance.clamp(*LOG_VARIANCE_RANGE).exp().mean(dim=0)
        spread = (means - means.mean(dim=0)).square().mean(dim=0)
        return (
            means.mean(dim=0) * self.label_std + self.label_mean,
            (noise + spread).sqrt() * self.label_std,
        )


def train_heads(
    heads: PropertyHeads, features: Tensor, labels: Tensor, settings: HeadTraining
) -> None:
    """Fit new heads; each sees the rows with weights of its own (the Bayesian bootstrap).

    Args:
        heads: as constructed; changed in place.
        features: shape (n, m).
        labels: shape (n, p), in the properties' units; NaN where not known.
        settings: settings.
    """
    _standardise(heads, features, labels)
    known = labels.isfinite() & heads.label_mean.isfinite()  # (n, p)
    if not known.any():
        return
    x = (features - heads.feature_mean) / heads.feature_std
    y = torch.where(known, (labels - heads.label_mean) / heads.label_std, 0.0)
    size = heads.linear.shape[0]
    weights = torch.empty(size, len(x), 1).exponential_() * known  # (size, n, p)
    weights = weights / weights.sum(dim=1, keepdim=True).clamp_min(1e-12)
    optimiser = torch.optim.AdamW(_decayed(heads, settings), lr=settings.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.steps)
    for _ in range(settings.steps):
        jittered = x + settings.jitter * torch.randn(size, *x.shape)
        log_variance = heads.log_variance.clamp(*LOG_VARIANCE_RANGE)
        errors = (heads(jittered) - y).square() * torch.exp(-log_variance) + log_variance
        loss = (weights * errors).sum(dim=1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()


def _standardise(heads: PropertyHeads, features: Tensor, labels: Tensor) -> None:
    for p in range(labels.shape[1]):
        known = labels[labels[:, p].isfinite(), p]
        enough = len(known) >= 2
        heads.label_mean[p] = known.mean() if enough else torch.nan
        heads.label_std[p] = _spread(known) if enough else torch.nan
    labelled = features[labels.isfinite().any(dim=1)]
    if len(labelled) >= 2:
        heads.feature_mean.copy_(labelled.mean(dim=0))
        heads.feature_std.copy_(torch.stack([_spread(column) for column in labelled.T]))


def _spread(values: Tensor) -> Tensor:
    """Return the standard deviation, or 1 where all values are one and the same."""
    spread = values.std()
    return torch.where(spread > 1e-6 * values.abs().max(), spread, torch.ones_like(spread))


def _decayed(heads: PropertyHeads, settings: HeadTraining) -> list[dict[str, object]]:
    return [
        {"params": [heads.inner, heads.outer], "weight_decay": settings.network_decay},
        {"params": [heads.linear], "weight_decay": settings.linear_decay},
        {
            "params": [heads.inner_bias, heads.bias, heads.log_variance],
            "weight_decay": 0.0,
        },
    ]
