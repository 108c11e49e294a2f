"""Bayesian linear regression on descriptors, in weight space.

On the correlations of pairs and triangles it is a cluster expansion with uncertainty. Fit and
prediction cost as much for ten thousand labels as for a hundred, up to one pass over the rows.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from sklearn.linear_model import BayesianRidge

from alloop.loop.choose.search.base import FloatArray, Standardisation


@dataclass(frozen=True)
class LinearSurrogate:
    """Posterior of a linear function of standardised descriptors and of its noise.

    The precisions of weights and noise maximise the evidence (MacKay, Neural Computation 4, 415,
    1992), as in scikit-learn's ``BayesianRidge``.
    """

    scaling: Standardisation
    weights: FloatArray
    """Mean of the weights, shape (m,), in standardised units, m the descriptors that vary."""
    covariance: FloatArray
    """Covariance of the weights, shape (m, m)."""
    intercept: float
    noise: float
    """Variance of the residuals, in standardised units."""
    log_evidence: float
    """Leave-one-out log predictive density of the labels, on average, in their own units."""

    @classmethod
    def fit(cls, features: FloatArray, values: FloatArray) -> Self:
        """Return the regression of values (n,) on features (n, d)."""
        scaling = Standardisation.of(features, values)
        x, y = scaling.features(features), scaling.values(values)
        found = BayesianRidge(max_iter=300).fit(x, y)
        noise = float(1 / found.alpha_)
        weights, covariance = found.coef_, found.sigma_
        intercept = float(found.intercept_)
        centred = x - x.mean(axis=0)
        leverage = np.einsum("ij,jk,ik->i", centred, covariance, centred) / noise + 1 / len(x)
        left = np.clip(1 - leverage, 1e-3, None)
        residual = (y - x @ weights - intercept) / left
        variance = noise / left
        density = -0.5 * (np.log(2 * np.pi * variance) + residual**2 / variance)
        evidence = float(density.mean()) - float(np.log(scaling.value_std))
        return cls(scaling, weights, covariance, intercept, noise, evidence)

    def predict(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and standard deviation of the values, (k,) each, the noise included."""
        x = self.scaling.features(features)
        mean = x @ self.weights + self.intercept
        variance = np.einsum("ij,ij->i", x @ self.covariance, x) + self.noise
        return self.scaling.unscaled(mean, np.sqrt(variance))

    def joint(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean (k,) and covariance (k, k) of the noiseless values at (k, d)."""
        x = self.scaling.features(features)
        mean = x @ self.weights + self.intercept
        scale = self.scaling.value_std
        return mean * scale + self.scaling.value_mean, x @ self.covariance @ x.T * scale**2
