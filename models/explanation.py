"""Why a model predicts what it predicts: SHAP values of its descriptors, and their weights."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from alloop.materials import Material, formula_of
from alloop.models.shapley import shapley_values

FloatArray = npt.NDArray[np.float64]

_SWITCHES = 32
"""About the number of descriptors that all permutations together switch: 4 permutations of 8."""


@dataclass(frozen=True)
class Explanation:
    """How each descriptor moves a model's prediction away from its mean over the data."""

    property_name: str
    formulas: tuple[str, ...]
    descriptor_names: tuple[str, ...]
    descriptors: np.ndarray
    """Values in the descriptors' units, shape (n, m)."""
    shap_values: np.ndarray
    """SHAP values in the property's unit, shape (n, m); a row sums to the value less ``base``."""
    values: np.ndarray
    """Values that the model predicts, shape (n,)."""
    base: float
    """The model's mean over the background."""

    def importance(self) -> dict[str, float]:
        """Return the mean absolute SHAP value by descriptor, the largest first."""
        means = np.abs(self.shap_values).mean(0)
        return {self.descriptor_names[i]: float(means[i]) for i in np.argsort(-means)}


@dataclass(frozen=True)
class DescriptorWeights:
    """Slopes of a predicted property against each descriptor, averaged over materials."""

    property_name: str
    descriptor_names: tuple[str, ...]
    slopes: np.ndarray
    """Mean slope over the ensemble, shape (m,), in the property's unit per unit of descriptor."""
    stds: np.ndarray
    """Standard deviation of the slope over the ensemble's members, shape (m,)."""
    spreads: np.ndarray
    """Standard deviation of each descriptor over the materials, shape (m,)."""


def shap_explanation(
    head: Callable[[FloatArray], FloatArray],
    *,
    property_name: str,
    materials: Sequence[Material],
    names: Sequence[str],
    descriptors: FloatArray,
    inputs: FloatArray,
    background: FloatArray,
    seed: int,
) -> Explanation:
    """Return SHAP values by permutations: they add up exactly.

    Args:
        head: from inputs, shape (n, m), to values in the property's unit, shape (n,).
        property_name: of the values.
        materials: that are explained.
        names: m descriptors' names.
        descriptors: of the materials, in their units, shape (n, m); for people.
        inputs: of the materials, as the head takes them, shape (n, m).
        background: inputs that an absent descriptor is taken from, shape (b, m).
        seed: of the permutations.
    """
    n_permutations = max(1, _SWITCHES // inputs.shape[1])
    return Explanation(
        property_name=property_name,
        formulas=tuple(map(formula_of, materials)),
        descriptor_names=tuple(names),
        descriptors=descriptors,
        shap_values=shapley_values(
            head, inputs, background, n_permutations=n_permutations, seed=seed
        ),
        values=head(inputs),
        base=float(head(background).mean()),
    )


def background_rows(n: int, most: int, seed: int) -> np.ndarray:
    """Return which of n rows an explanation's background holds, in order: all, or a sample."""
    return np.sort(np.random.default_rng(seed).choice(n, size=min(most, n), replace=False))
