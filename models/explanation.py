"""Why a model predicts what it predicts: SHAP values of its descriptors, and their weights."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from alloop.materials import Material, formula_of

FloatArray = npt.NDArray[np.float64]

COALITIONS = 512
"""Number of sets of descriptors that are switched for a material, at most: all of up to nine."""


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
    """Return SHAP values (Lundberg and Lee, NIPS 2017) by shap's kernel explainer.

    They add up exactly, and are Shapley's where all sets of descriptors are switched. shap's other
    explainers compile for seconds in every process first.

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
    with warnings.catch_warnings():  # it was written for an older matplotlib
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        import shap  # noqa: PLC0415 (takes a second, and few commands explain)

    before = np.random.get_state()
    np.random.seed(seed % 2**32)
    try:
        explainer = shap.KernelExplainer(head, background)
        found = explainer.shap_values(inputs, nsamples=COALITIONS, l1_reg=0, silent=True)
    finally:
        np.random.set_state(before)
    return Explanation(
        property_name=property_name,
        formulas=tuple(map(formula_of, materials)),
        descriptor_names=tuple(names),
        descriptors=descriptors,
        shap_values=np.asarray(found),
        values=head(inputs),
        base=float(head(background).mean()),
    )


def background_rows(n: int, most: int, seed: int) -> np.ndarray:
    """Return which of n rows an explanation's background holds, in order: all, or a sample."""
    return np.sort(np.random.default_rng(seed).choice(n, size=min(most, n), replace=False))
