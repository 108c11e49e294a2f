"""Min–max scaling of FTCP matrices, row by row, fitted on training crystals only."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from alloop.models.ftcp.representation.crystals import CrystalArrays, Size
from alloop.models.ftcp.representation.matrix import shape, to_matrices

CHUNK_SIZE = 512
"""Number of crystals featurised at once; bounds the memory."""


@dataclass(frozen=True)
class Scaler:
    """Maps every matrix row's training range to [0, 1]; rows that are constant to 0."""

    low: np.ndarray
    """Smallest training entry of each row, shape (R,)."""
    span: np.ndarray
    """Largest less smallest training entry of each row; 1 for constant rows, shape (R,)."""

    @classmethod
    def fit(cls, crystals: CrystalArrays, size: Size) -> Self:
        """Fit to training crystals, at least one."""
        low = np.full(shape(size)[0], np.inf)
        high = np.full(shape(size)[0], -np.inf)
        for chunk in chunks(crystals):
            matrices = to_matrices(chunk, size)
            low = np.minimum(low, matrices.min(axis=(0, 2)))
            high = np.maximum(high, matrices.max(axis=(0, 2)))
        span = high - low
        return cls(low.astype(np.float32), np.where(span > 0, span, 1.0).astype(np.float32))

    def scale(self, matrices: np.ndarray) -> np.ndarray:
        """Return scaled matrices, shape (n, R, C)."""
        return (matrices - self.low[:, None]) / self.span[:, None]

    def unscale(self, scaled: np.ndarray) -> np.ndarray:
        """Undo ``scale``: return matrices in their own units, shape (n, R, C)."""
        return scaled * self.span[:, None] + self.low[:, None]


def chunks(crystals: CrystalArrays) -> Iterator[CrystalArrays]:
    """Yield the crystals in pieces of at most ``CHUNK_SIZE``."""
    for start in range(0, len(crystals), CHUNK_SIZE):
        yield crystals[start : start + CHUNK_SIZE]
