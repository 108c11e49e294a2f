"""Maps between tiers: the value expected of a higher tier where a cheaper one has measured.

Linear in the lower tier's value and in the composition, since potentials and functionals differ by
element more than by ordering: Bayesian linear regression through the pairs that both have measured,
with a conjugate normal-inverse-gamma prior (Gelman et al., Bayesian Data Analysis, 3rd ed., ch.
14.8), whose predictive distribution is Student's t. Before any pair is known the higher tier is
expected to say the same, with a wide margin.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from alloop.loop.record.events import Posterior
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.disagreement import MIN_PAIRS
from alloop.loop.state.hull import amounts_in

Array = NDArray[np.float64]

PRIOR_NOISE = 0.5
"""Prior scatter about the map, in spreads of the lower tier."""
PRIOR_DEGREES = 3.0
"""Prior degrees of freedom: the number of pairs that the prior scatter counts for, the fewest with
which the variance is finite."""
PRIOR_OFFSET, PRIOR_SLOPE, PRIOR_FRACTION = 10.0, 1.0, 1.0
"""Standard deviations of the offset, of the slope's deviation from 1 and of an element's effect, in
units of the scatter and of the scatter per spread: codes and functionals differ by large constants.
"""

SAME_FRACTION = 1e-6
"""Standard deviation of a fraction below which it is the same everywhere."""


@dataclass(frozen=True)
class FidelityMap:
    """Linear map between tiers, with Student-t uncertainty.

    high = low + offset + tilt · (low − centre) / spread + Σ effect · (fraction − centre) / spread
    """

    centre: float
    """Mean of the paired low values, in the property's unit."""
    spread: float
    """Standard deviation of all low values, in the property's unit."""
    fraction_centres: tuple[float, ...]
    """Mean atomic fraction of each element of the space among the pairs."""
    fraction_spreads: tuple[float, ...]
    """Standard deviation of each fraction among all that the lower tier measured."""
    coefficients: tuple[float, ...]
    """Offset, tilt and the elements' effects, in the property's unit."""
    covariance: tuple[tuple[float, ...], ...]
    """Covariance of the coefficients, over the squared scatter."""
    scatter: float
    """Scatter about the map, in the property's unit."""
    degrees: float
    """Degrees of freedom of the predictive Student-t distribution."""
    n_pairs: int

    def predict(self, low: Array, fractions: Array) -> tuple[Array, Array]:
        """Return mean and scale of Student's t for the higher tier's values, in their unit.

        Args:
            low: values by the lower tier, shape (n,).
            fractions: atomic fractions of the elements, shape (n, elements).
        """
        features = _features((low - self.centre) / self.spread, self._scaled(fractions))
        mean = low + features @ np.array(self.coefficients)
        variance = 1.0 + np.einsum("ni,ij,nj->n", features, np.array(self.covariance), features)
        return mean, self.scatter * np.sqrt(variance)

    def posterior(self, low: float, fractions: Array) -> Posterior:
        """Return mean and standard deviation of the high-fidelity value, in the property's unit.

        Args:
            low: value by the lower tier.
            fractions: atomic fractions of the elements, shape (elements,).
        """
        mean, scale = self.predict(np.array([low]), fractions[None])
        widening = np.sqrt(self.degrees / (self.degrees - 2.0))  # of Student's t
        return Posterior(mean=float(mean[0]), std=float(scale[0] * widening))

    def propagate(self, low: Posterior, fractions: Array) -> Posterior:
        """Return the posterior of the higher tier's value where the lower tier's is itself
        uncertain."""
        known = self.posterior(low.mean, fractions)
        return Posterior(mean=known.mean, std=math.hypot(known.std, self.slope * low.std))

    @property
    def slope(self) -> float:
        """Slope of the expected high-fidelity value as a function of the low one."""
        return 1.0 + self.coefficients[1] / self.spread

    @property
    def line(self) -> tuple[float, float]:
        """Offset and slope at the pairs' mean composition, in their units."""
        offsets = self.offsets(np.array(self.fraction_centres)[None])
        return float(offsets[0]), self.slope

    def offsets(self, fractions: Array) -> Array:
        """Return what the expected high-fidelity value is beyond slope times the low one, (n,).

        Args:
            fractions: atomic fractions of the elements, shape (n, elements).
        """
        offset, tilt, *effects = self.coefficients
        constant = offset - tilt / self.spread * self.centre
        return constant + self._scaled(fractions) @ np.array(effects)

    def _scaled(self, fractions: Array) -> Array:
        return _scaled(fractions, self.fraction_centres, self.fraction_spreads)


def _features(low: Array, fractions: Array) -> Array:
    """Return what the coefficients multiply, shape (n, 2 + elements)."""
    return np.column_stack([np.ones_like(low), low, fractions])


def _scaled(fractions: Array, centres: Sequence[float], spreads: Sequence[float]) -> Array:
    """Return fractions (n, elements) about their means, in their spreads; 0 where all are equal."""
    known = np.array(spreads)
    scaled = (fractions - np.array(centres)) / np.where(known > 0, known, 1.0)
    return np.where(known > 0, scaled, 0.0)


def fit_fidelity_map(
    low: Sequence[float],
    high: Sequence[float],
    fractions: Array,
    *,
    spread: float,
    fraction_spreads: Sequence[float],
) -> FidelityMap:
    """Fit the map to pairs of values.

    Args:
        low: by the lower tier, n.
        high: of the same candidates by the higher tier, in the same unit, n.
        fractions: their atomic fractions, shape (n, elements).
        spread: standard deviation of everything that the lower tier measured; the prior's scale.
        fraction_spreads: the same of each fraction; an element whose share never varies has no
            effect.
    """
    x, y = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    n = len(x)
    centre = float(x.mean()) if n else 0.0
    centres = fractions.mean(axis=0).tolist() if n else [0.0] * len(fraction_spreads)
    features = _features((x - centre) / spread, _scaled(fractions, centres, fraction_spreads))
    residual = y - x
    prior = np.array([PRIOR_OFFSET, PRIOR_SLOPE, *([PRIOR_FRACTION] * len(fraction_spreads))])
    precision = np.diag(prior**-2) + features.T @ features
    covariance = np.linalg.inv(precision)
    coefficients = covariance @ features.T @ residual
    degrees = PRIOR_DEGREES + n
    squares = residual @ residual - coefficients @ precision @ coefficients
    expected = PRIOR_DEGREES * (PRIOR_NOISE * spread) ** 2
    return FidelityMap(
        centre=centre,
        spread=spread,
        fraction_centres=tuple(centres),
        fraction_spreads=tuple(map(float, fraction_spreads)),
        coefficients=tuple(coefficients.tolist()),
        covariance=tuple(map(tuple, covariance.tolist())),
        scatter=float(np.sqrt((expected + max(squares, 0.0)) / degrees)),
        degrees=degrees,
        n_pairs=n,
    )


@lru_cache(maxsize=100_000)
def _shares(formula: str, elements: tuple[str, ...]) -> tuple[float, ...]:
    amounts = amounts_in(formula)
    total = sum(amounts.values()) or 1.0
    return tuple(amounts.get(symbol, 0.0) / total for symbol in elements)


def fractions_of(state: CampaignState, candidates: Sequence[str]) -> Array:
    """Return the atomic fractions of the space's elements in candidates, shape (n, elements)."""
    elements, formulas = tuple(state.spec.space.elements), state.formulas
    found = [_shares(formulas[id], elements) for id in candidates]
    return np.array(found).reshape(len(candidates), len(elements))


def corrections(state: CampaignState, tier: int) -> Mapping[str, FidelityMap]:
    """Return the map from the tier below to a tier, for each property the campaign wants."""
    below = {m.candidate: m.properties for m in state.known_answers(tier - 1)}
    above = [m for m in state.known_answers(tier) if m.candidate in below]
    pairs = fractions_of(state, [m.candidate for m in above])
    spreads = fraction_spreads(fractions_of(state, list(below)))
    found = {}
    for name in state.spec.property_names():
        everything = [properties[name] for properties in below.values()]
        found[name] = fit_fidelity_map(
            [below[m.candidate][name] for m in above],
            [m.properties[name] for m in above],
            pairs,
            spread=float(np.std(everything)) or 1.0,
            fraction_spreads=spreads,
        )
    return found


def fraction_spreads(fractions: Array) -> list[float]:
    """Return the standard deviation of each column, shape (n, elements); 0 where rounding alone
    makes it differ, and of no rows."""
    if not len(fractions):
        return [0.0] * fractions.shape[1]
    spreads = fractions.std(axis=0)
    return np.where(spreads > SAME_FRACTION, spreads, 0.0).tolist()


FidelityMaps = Sequence[Mapping[str, FidelityMap]]
"""Fidelity maps from each tier to the next, by property."""


def maps_to_top_tier(state: CampaignState) -> FidelityMaps:
    """Return the maps from the first tier to the top one; none while a pair of tiers has fewer than
    ``MIN_PAIRS`` candidates in common."""
    found = [corrections(state, tier) for tier in range(1, len(state.spec.tiers))]
    enough = all(line.n_pairs >= MIN_PAIRS for lines in found for line in lines.values())
    return found if enough else []


def propagate_posterior(
    lines: FidelityMaps, posterior: Mapping[str, Posterior], fractions: Array
) -> dict[str, Posterior]:
    """Return the posterior of the top tier's values, from that of the first tier's; empty without
    maps.

    Args:
        lines: from tier to tier.
        posterior: by property.
        fractions: atomic fractions of the elements, shape (elements,).
    """
    for step in lines:
        posterior = {
            name: step[name].propagate(each, fractions)
            for name, each in posterior.items()
            if name in step
        }
    return dict(posterior) if lines else {}


def composed(lines: FidelityMaps, name: str, fractions: Array) -> tuple[Array, float]:
    """Return offsets, shape (n,), and slope of all maps of one property, composed.

    Args:
        lines: from tier to tier.
        name: of the property.
        fractions: atomic fractions of the elements, shape (n, elements).
    """
    offsets, slope = np.zeros(len(fractions)), 1.0
    for step in lines:
        line = step[name]
        offsets, slope = line.offsets(fractions) + line.slope * offsets, line.slope * slope
    return offsets, slope
