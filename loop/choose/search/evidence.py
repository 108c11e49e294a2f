"""Surrogates chosen by evidence: for each property the descriptors and the family that predict it
best."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from alloop.loop.choose.moves.base import FloatArray, IntArray
from alloop.loop.choose.search.base import Descriptors, PropertySurrogate
from alloop.loop.choose.search.descriptors import Fractions
from alloop.loop.choose.search.gaussian.process import GaussianProcess, may_bend_apart
from alloop.loop.choose.search.hull import AboveHull, HullEnergies, with_formation_energy
from alloop.loop.choose.search.score import Marginals
from alloop.loop.record.events import Posterior
from alloop.materials import Material
from alloop.properties import ENERGY_ABOVE_HULL

WORTH_CHANGING = 0.05
"""Gain in log predictive density, in nats a label, that makes up for dearer descriptors."""


@dataclass(frozen=True)
class ChosenSurrogate:
    """The surrogate of one property, with what it was chosen among."""

    surrogate: PropertySurrogate
    descriptors: int
    """Index of its descriptors."""
    name: str
    """Descriptors and family, such as ``correlations, gaussian process``."""
    evidence: Mapping[str, float]
    """Leave-one-out log predictive density of everything that was tried, by name."""


@dataclass(frozen=True)
class Surrogates:
    """One surrogate for each property that objectives and constraints name.

    Features are the descriptors that are used, side by side.
    """

    property_names: tuple[str, ...]
    chosen: tuple[ChosenSurrogate, ...]
    used: tuple[Descriptors, ...]
    columns: tuple[IntArray, ...]
    """Columns of each property's descriptors among the features, and the hull's energy last where
    the property is the energy above it."""
    interval_scales: tuple[float, ...]
    """Factor of each property's standard deviations, from what earlier predictions came to."""
    known: FloatArray
    """Features of the materials that they were fitted to, shape (n, d)."""
    fraction_columns: IntArray
    """Columns of the elements' atomic fractions among the features; none unless asked for."""

    @property
    def rows_per_round(self) -> int:
        """Number of candidates that may be scored in a round."""
        return min(descriptors.rows_per_round for descriptors in self.used)

    def of_codes(self, codes: IntArray) -> FloatArray:
        """Return the features of codes, shape (n, d)."""
        return np.hstack([descriptors.of_codes(codes) for descriptors in self.used])

    def of_materials(self, materials: Sequence[Material]) -> FloatArray:
        """Return the features of materials, shape (n, d)."""
        return np.hstack([descriptors.of_materials(materials) for descriptors in self.used])

    def fractions(self, features: FloatArray) -> FloatArray:
        """Return the atomic fractions of the elements, shape (n, elements); no column unless asked
        for."""
        return features[:, self.fraction_columns]

    def predict(self, features: FloatArray) -> Marginals:
        """Return mean and standard deviation of what would be measured, recalibrated."""
        found = [
            chosen.surrogate.predict(features[:, columns])
            for chosen, columns in zip(self.chosen, self.columns, strict=True)
        ]
        means, stds = (np.stack(parts, axis=1) for parts in zip(*found, strict=True))
        return Marginals(self.property_names, means, stds * self.interval_scales)

    def posteriors(self, features: FloatArray) -> list[dict[str, Posterior]]:
        """Return the posterior of each row of features, by property."""
        marginals = self.predict(features)
        found = [marginals.posterior(row) for row in range(len(features))]
        if not isinstance(self.used[-1], HullEnergies):
            return found
        energies = features[:, -1].tolist()
        return [with_formation_energy(*each) for each in zip(found, energies, strict=True)]


def fit_surrogates(
    descriptors: Sequence[Descriptors],
    materials: Sequence[Material],
    values: FloatArray,
    property_names: tuple[str, ...],
    interval_scales: Sequence[float],
    hull: HullEnergies | None = None,
    fractions: Fractions | None = None,
) -> Surrogates:
    """Return for each property the surrogate with the best evidence.

    Args:
        descriptors: to choose from, the cheaper first.
        materials: that were measured, n.
        values: shape (n, p); NaN where a property is not known.
        property_names: the p names.
        interval_scales: factor of each property's standard deviations.
        hull: that energies are above, where one of the properties is that.
        fractions: to be among the features, used by a surrogate or not.
    """
    described = [each.of_materials(materials) for each in descriptors]
    on_hull = None if hull is None else hull.of_materials(materials)
    is_above = [hull is not None and name == ENERGY_ABOVE_HULL for name in property_names]
    chosen = [
        _best(descriptors, described, of_one, on_hull if above else None)
        for of_one, above in zip(values.T, is_above, strict=True)
    ]
    indices = sorted({each.descriptors for each in chosen})
    used = tuple(descriptors[index] for index in indices)
    edges = np.cumsum([0, *(described[index].shape[1] for index in indices)])
    places = [indices.index(each.descriptors) for each in chosen]
    columns = [np.arange(edges[place], edges[place + 1]) for place in places]
    known = np.hstack([described[index] for index in indices])
    fraction_columns = np.arange(0)
    if fractions is not None:
        shares = fractions.of_materials(materials)
        fraction_columns = np.arange(shares.shape[1]) + known.shape[1]
        used, known = (*used, fractions), np.hstack([known, shares])
    if hull is not None and on_hull is not None:
        used, known = (*used, hull), np.hstack([known, on_hull])
        last = known.shape[1] - 1
        columns = [
            np.append(each, last) if above else each
            for each, above in zip(columns, is_above, strict=True)
        ]
    return Surrogates(
        property_names,
        tuple(chosen),
        used,
        tuple(columns),
        tuple(interval_scales),
        known,
        fraction_columns,
    )


def _best(
    descriptors: Sequence[Descriptors],
    described: Sequence[FloatArray],
    values: FloatArray,
    on_hull: FloatArray | None,
) -> ChosenSurrogate:
    known = np.isfinite(values)
    evidence: dict[str, float] = {}
    best: ChosenSurrogate | None = None
    for index, each in enumerate(descriptors):
        features = described[index][known]
        is_apart = may_bend_apart(features, each.group_sizes)
        for family, fit in FAMILIES.items():
            if family in BENDS_APART and not is_apart:
                continue
            surrogate: PropertySurrogate
            if on_hull is None:
                surrogate = fit(features, values[known], each.group_sizes)
            else:
                beside = np.hstack([features, on_hull[known]])
                surrogate = AboveHull.fit(fit, beside, values[known], each.group_sizes)
            name = f"{each.name}, {family}"
            evidence[name] = surrogate.log_evidence
            needed = -np.inf if best is None else best.surrogate.log_evidence
            if (
                best is not None
                and each.rows_per_round < descriptors[best.descriptors].rows_per_round
            ):
                needed += WORTH_CHANGING
            if surrogate.log_evidence > needed:
                best = ChosenSurrogate(surrogate, index, name, evidence)
    assert best is not None
    return best


FAMILIES: Mapping[
    str, Callable[[FloatArray, FloatArray, Sequence[int] | None], PropertySurrogate]
] = {
    "gaussian process": GaussianProcess.fit,
    "bent gaussian process": partial(GaussianProcess.fit, bends_all=True),
}
"""Families of surrogates, the simpler first."""
BENDS_APART = ("bent gaussian process",)
"""Families that are another's twin where the descriptors that vary are of a single kind."""
