"""Interfaces of the search: descriptors of codes, and surrogates of one property."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from alloop.loop.choose.moves.base import FloatArray, IntArray
from alloop.materials import Material

CHEAP_ROWS = 30_000
"""Candidates described in a round by array operations alone, which threads may do side by side."""

CONSTANT = 1e-6
"""Standard deviation, over the mean (at least 1), below which a descriptor does not vary: some are
computed in single precision, and divided by its rounding the next candidate would lie millions of
standard deviations off."""


class Descriptors(Protocol):
    """Numbers that a surrogate sees of a material."""

    @property
    def name(self) -> str:
        """Name, for people and for the ledger."""

    @property
    def rows_per_round(self) -> int:
        """Number of candidates that may be described in a round: many where it is cheap."""

    @property
    def group_sizes(self) -> tuple[int, ...] | None:
        """Numbers of descriptors of each kind, in their order, that a property may depend on more
        or less; on the first kind it may depend in any smooth way. None for a single kind."""

    def of_codes(self, codes: IntArray) -> FloatArray:
        """Return the descriptors of codes (n, k), shape (n, d)."""

    def of_materials(self, materials: Sequence[Material]) -> FloatArray:
        """Return the descriptors of materials, as they were proposed, shape (n, d)."""


class PropertySurrogate(Protocol):
    """Posterior of one property given descriptors."""

    @property
    def log_evidence(self) -> float:
        """Leave-one-out log predictive density of its labels, on average; more is better."""

    def predict(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and standard deviation of what would be measured at (k, d), (k,) each."""

    def joint(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean (k,) and covariance (k, k) of the noiseless values at (k, d)."""


@dataclass(frozen=True)
class Standardisation:
    """Means and standard deviations of values and of the descriptors that vary."""

    varies: npt.NDArray[np.bool_]
    feature_mean: FloatArray
    feature_std: FloatArray
    value_mean: float
    value_std: float

    @classmethod
    def of(cls, features: FloatArray, values: FloatArray) -> "Standardisation":
        """Return those of features (n, d) and values (n,)."""
        mean, std = features.mean(axis=0), features.std(axis=0)
        varies = std > CONSTANT * np.maximum(1.0, np.abs(mean))
        spread = float(values.std())
        return cls(varies, mean[varies], std[varies], float(values.mean()), spread or 1.0)

    def features(self, features: FloatArray) -> FloatArray:
        """Return standardised descriptors, shape (…, m), of (…, d)."""
        scaled: FloatArray = (features[..., self.varies] - self.feature_mean) / self.feature_std
        return scaled

    def values(self, values: FloatArray) -> FloatArray:
        """Return standardised values."""
        scaled: FloatArray = (values - self.value_mean) / self.value_std
        return scaled

    def unscaled(self, mean: FloatArray, std: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and standard deviation in the values' own units."""
        return mean * self.value_std + self.value_mean, std * self.value_std
