"""Prior covariance of a Gaussian process on descriptors."""

import math
from dataclasses import dataclass

import numpy as np

from alloop.loop.choose.moves.base import FloatArray


@dataclass(frozen=True)
class Bend:
    """Matérn kernel b (1 + d + d²/3) exp(−d), d = √5 |x − x'| / length, over some columns."""

    columns: slice
    variance: float
    length: float


@dataclass(frozen=True)
class Covariance:
    """Prior covariance of the process: linear parts and bends, over scaled descriptors."""

    linear: FloatArray
    """Variance of the weight of each column, shape (m,)."""
    bends: tuple[Bend, ...]
    noise: float
    mean: float

    def __call__(self, x: FloatArray, other: FloatArray) -> FloatArray:
        """Return covariances of rows (n, m) and (k, m), shape (n, k)."""
        found = (x * self.linear) @ other.T
        for bend in self.bends:
            scale = math.sqrt(5) / bend.length
            a, b = x[:, bend.columns] * scale, other[:, bend.columns] * scale
            # In place: what is new each time takes longer to fetch than to compute.
            distance = a @ (-2 * b.T)
            distance += (a**2).sum(axis=1)[:, None]
            distance += (b**2).sum(axis=1)
            np.sqrt(np.maximum(distance, 0.0, out=distance), out=distance)
            falling = np.exp(-distance)
            risen = distance / 3
            risen += 1
            risen *= distance
            risen += 1
            risen *= falling
            risen *= bend.variance
            found += risen
        return found

    def variance(self, x: FloatArray) -> FloatArray:
        """Return the prior variance of rows (n, m), shape (n,)."""
        found: FloatArray = x**2 @ self.linear + sum(bend.variance for bend in self.bends)
        return found
