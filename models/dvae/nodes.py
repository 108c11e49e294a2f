"""Property nodes: what kind of number a property is, and what is believed of it beforehand.

Labels are kept on an internal scale: standardised for a normal node, as they are for the others.
"""

import math
from abc import ABC, abstractmethod
from typing import cast

import numpy as np
import torch
from pyro import distributions as dist
from scipy.optimize import minimize_scalar
from torch import Tensor
from torch.nn import functional

from alloop.errors import ModelError
from alloop.models.dvae.options import BernoulliPrior, BetaPrior, NormalPrior, Prior

_SURE = 30.0
"""Logit of an observed yes: 1 − 1e-13, so that enumeration meets no infinity."""
_DOUBT = 0.005
"""The least a committee of trees doubts that all its leaves are right."""
_EDGE = 1e-4
"""How near to 0 or 1 a beta node's values may come."""
_NOISE = (-8.0, 8.0)
"""Range in which a head's noise output is looked for."""
_LOG_VARIANCE = (-8.0, 2.0)
"""Range of a normal head's noise, standardised: a few labels never fit exactly."""


class PropertyNode(ABC):
    """One property of the model."""

    outputs: int
    """How many numbers its head gives."""
    is_enumerated: bool
    """Whether the guide sums over its values instead of drawing one."""
    location: float = 0.0
    scale: float = 1.0

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def check(self, labels: np.ndarray) -> None:
        """Refuse labels (n,), NaN where unknown, that this node cannot have.

        Raises:
            ModelError: naming row and value.
        """

    def adapt(self, labels: np.ndarray) -> None:  # noqa: B027 (most nodes have nothing to adapt)
        """Set the internal scale from training labels (n,), NaN where unknown."""

    @abstractmethod
    def prior(self) -> dist.Distribution:
        """Return p(φ) on the internal scale."""

    @abstractmethod
    def link(self, value: Tensor) -> Tensor:
        """Return the first output of a head that expects this internal value."""

    @abstractmethod
    def posterior(self, outputs: Tensor, label: Tensor, observed: Tensor) -> dist.Distribution:
        """Return q(φ|f(x)) of the whole ensemble, internal scale.

        Args:
            outputs: of the head, shape (members, n, outputs).
            label: internal, any finite number where not observed, shape (n,).
            observed: shape (n,).
        """

    @abstractmethod
    def log_likelihood(self, outputs: Tensor, label: Tensor) -> Tensor:
        """Return log q_k(label) of each member on its own: (members, n)."""

    def fitted_noise(self, values: Tensor, label: Tensor) -> Tensor:
        """Return the outputs after the first, (outputs − 1,), under which labels are likeliest.

        Args:
            values: what each member expects of alloys that it never saw, shape (members, n).
            label: internal, shape (n,).
        """
        if self.outputs == 1:
            return torch.zeros(0)

        def surprise(noise: float) -> float:
            outputs = torch.stack([self.link(values), torch.full_like(values, noise)], -1)
            return -float(self.log_likelihood(outputs, label).mean())

        found = minimize_scalar(surprise, bounds=_NOISE, method="bounded")
        return torch.tensor([float(found.x)])

    @abstractmethod
    def moments(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return the ensemble's mean and standard deviation, internal scale: (n,) each."""

    def internal(self, label: Tensor) -> Tensor:
        """Return labels on the internal scale."""
        return (label - self.location) / self.scale

    def external(self, value: Tensor) -> Tensor:
        """Return internal values in the property's unit."""
        return value * self.scale + self.location

    def _refuse(self, labels: np.ndarray, bad: np.ndarray, expected: str) -> None:
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise ModelError(
                f"{labels[row]:g} is no label of {self.name}, which {expected}",
                where=f"row {row}",
                remedy="Correct the label, or give the property another prior.",
            )


class BernoulliNode(PropertyNode):
    """Yes or no; summed over exactly where it is not observed."""

    outputs = 1
    is_enumerated = True

    def __init__(self, name: str, prior: BernoulliPrior) -> None:
        super().__init__(name)
        self.probability = prior.probability

    def check(self, labels: np.ndarray) -> None:
        """See the base class."""
        bad = ~np.isnan(labels) & (labels != 0) & (labels != 1)
        self._refuse(labels, bad, "is 0 or 1")

    def prior(self) -> dist.Distribution:
        """See the base class."""
        return dist.Bernoulli(torch.tensor(self.probability))

    def link(self, value: Tensor) -> Tensor:
        """See the base class."""
        return torch.logit(value, eps=_DOUBT)

    def posterior(self, outputs: Tensor, label: Tensor, observed: Tensor) -> dist.Distribution:
        """Return a sure thing where observed: summing over both values then picks the label."""
        logit = torch.logit(torch.sigmoid(outputs[..., 0]).mean(0), eps=1e-6)
        return dist.Bernoulli(logits=torch.where(observed, (2 * label - 1) * _SURE, logit))

    def log_likelihood(self, outputs: Tensor, label: Tensor) -> Tensor:
        """See the base class."""
        logits = outputs[..., 0]
        return -functional.binary_cross_entropy_with_logits(
            logits, label.expand_as(logits), reduction="none"
        )

    def moments(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return the probability of a yes, and how far the members disagree about it."""
        probabilities = torch.sigmoid(outputs[..., 0])
        return probabilities.mean(0), probabilities.std(0, correction=0)


class NormalNode(PropertyNode):
    """Any number."""

    outputs = 2
    is_enumerated = False

    def __init__(self, name: str, prior: NormalPrior) -> None:
        super().__init__(name)
        self.given = prior

    def check(self, labels: np.ndarray) -> None:
        """See the base class."""
        self._refuse(labels, np.isinf(labels), "is a finite number")

    def adapt(self, labels: np.ndarray) -> None:
        """Take what the prior leaves open from the labels."""
        known = labels[~np.isnan(labels)]
        mean = float(known.mean()) if len(known) else 0.0
        std = float(known.std()) if len(known) > 1 else 0.0
        self.location = mean if self.given.mean is None else self.given.mean
        self.scale = self.given.std or std or 1.0

    def prior(self) -> dist.Distribution:
        """See the base class."""
        return dist.Normal(torch.tensor(0.0), 1.0)

    def link(self, value: Tensor) -> Tensor:
        """See the base class."""
        return value

    def posterior(self, outputs: Tensor, label: Tensor, observed: Tensor) -> dist.Distribution:
        """Return the normal with the ensemble's moments."""
        return dist.Normal(*self.moments(outputs))

    def log_likelihood(self, outputs: Tensor, label: Tensor) -> Tensor:
        """See the base class."""
        mean, log_variance = _mean_and_log_variance(outputs)
        return -0.5 * (
            log_variance + (label - mean) ** 2 * (-log_variance).exp() + math.log(2 * math.pi)
        )

    def moments(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and total standard deviation: noise and disagreement together."""
        mean, log_variance = _mean_and_log_variance(outputs)
        variance = log_variance.exp().mean(0) + mean.var(0, correction=0)
        return mean.mean(0), variance.sqrt()


class BetaNode(PropertyNode):
    """A share between 0 and 1."""

    outputs = 2
    is_enumerated = False

    def __init__(self, name: str, prior: BetaPrior) -> None:
        super().__init__(name)
        self.given = prior

    def check(self, labels: np.ndarray) -> None:
        """See the base class."""
        bad = ~np.isnan(labels) & ((labels <= 0) | (labels >= 1))
        self._refuse(labels, bad, "lies between 0 and 1, ends excluded")

    def prior(self) -> dist.Distribution:
        """See the base class."""
        return dist.Beta(torch.tensor(self.given.alpha), torch.tensor(self.given.beta))

    def link(self, value: Tensor) -> Tensor:
        """See the base class."""
        return torch.logit(value, eps=_EDGE)

    def posterior(self, outputs: Tensor, label: Tensor, observed: Tensor) -> dist.Distribution:
        """Return the beta with the ensemble's moments."""
        mean, std = self.moments(outputs)
        total = mean * (1 - mean) / std**2 - 1
        return dist.Beta(mean * total, (1 - mean) * total)

    def log_likelihood(self, outputs: Tensor, label: Tensor) -> Tensor:
        """See the base class."""
        mean, total = _mean_and_total(outputs)
        label = label.clamp(_EDGE, 1 - _EDGE)
        return cast(Tensor, dist.Beta(mean * total, (1 - mean) * total).log_prob(label))

    def moments(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and total standard deviation: noise and disagreement together."""
        mean, total = _mean_and_total(outputs)
        variance = (mean * (1 - mean) / (1 + total)).mean(0) + mean.var(0, correction=0)
        centre = mean.mean(0)
        # No variable on [0, 1] varies more than its mean allows.
        return centre, variance.clamp(max=0.999 * centre * (1 - centre)).sqrt()


def node_of(name: str, prior: Prior) -> PropertyNode:
    """Return the node of a property with the given prior."""
    match prior:
        case BernoulliPrior():
            return BernoulliNode(name, prior)
        case NormalPrior():
            return NormalNode(name, prior)
        case BetaPrior():
            return BetaNode(name, prior)


def _mean_and_log_variance(outputs: Tensor) -> tuple[Tensor, Tensor]:
    return outputs[..., 0], outputs[..., 1].clamp(*_LOG_VARIANCE)


def _mean_and_total(outputs: Tensor) -> tuple[Tensor, Tensor]:
    mean = torch.sigmoid(outputs[..., 0]).clamp(_EDGE, 1 - _EDGE)
    return mean, functional.softplus(outputs[..., 1]) + 1.0
