"""Maps between tiers: the value expected of a higher tier where a cheaper one has measured.

A straight line through the pairs that both have measured, with its uncertainty: Bayesian linear
regression with a conjugate normal-inverse-gamma prior (Gelman et al., Bayesian Data Analysis, 3rd
ed., ch. 14.8), whose predictive distribution is Student's t. Before any pair is known the higher
tier is expected to say the same, with a wide margin.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alloop.loop.record.events import Posterior
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.disagreement import MIN_PAIRS

Array = NDArray[np.float64]

PRIOR_NOISE = 0.5
"""Prior scatter about the line, in spreads of the lower tier."""
PRIOR_DEGREES = 3.0
"""Prior degrees of freedom: the number of pairs that the prior scatter counts for, the fewest with
which the variance is finite."""
PRIOR_OFFSET, PRIOR_SLOPE = 10.0, 1.0
"""Standard deviations of the offset and of the slope's deviation from 1, in units of the
scatter and of the scatter per spread: codes and functionals differ by large constants."""


@dataclass(frozen=True)
class FidelityMap:
    """Linear map between tiers, with Student-t uncertainty.

    high = low + offset + tilt · (low − centre) / spread
    """

    centre: float
    """Mean of the paired low values, in the property's unit."""
    spread: float
    """Standard deviation of all low values, in the property's unit."""
    coefficients: tuple[float, float]
    """Offset and tilt, in the property's unit."""
    covariance: tuple[tuple[float, float], tuple[float, float]]
    """Covariance of the coefficients, over the squared scatter."""
    scatter: float
    """Scatter about the line, in the property's unit."""
    degrees: float
    """Degrees of freedom of the predictive Student-t distribution."""
    n_pairs: int

    def predict(self, low: Array) -> tuple[Array, Array]:
        """Return mean and scale of Student's t for the higher tier's values, in their unit.

        Args:
            low: values by the lower tier, shape (n,).
        """
        features = np.column_stack([np.ones_like(low), (low - self.centre) / self.spread])
        mean = low + features @ np.array(self.coefficients)
        variance = 1.0 + np.einsum("ni,ij,nj->n", features, np.array(self.covariance), features)
        return mean, self.scatter * np.sqrt(variance)

    def posterior(self, low: float) -> Posterior:
        """Return mean and standard deviation of the high-fidelity value, in the property's unit."""
        mean, scale = self.predict(np.array([low]))
        widening = np.sqrt(self.degrees / (self.degrees - 2.0))  # of Student's t
        return Posterior(mean=float(mean[0]), std=float(scale[0] * widening))

    def propagate(self, low: Posterior) -> Posterior:
        """Return the posterior of the higher tier's value where the lower tier's is itself
        uncertain."""
        known = self.posterior(low.mean)
        _, slope = self.line
        return Posterior(mean=known.mean, std=math.hypot(known.std, slope * low.std))

    @property
    def line(self) -> tuple[float, float]:
        """Offset and slope of the expected high-fidelity value as a function of the low one, in
        their units."""
        offset, tilt = self.coefficients
        slope = 1.0 + tilt / self.spread
        return offset - tilt / self.spread * self.centre, slope


def fit_fidelity_map(low: Sequence[float], high: Sequence[float], *, spread: float) -> FidelityMap:
    """Fit the linear map to pairs of values.

    Args:
        low: by the lower tier.
        high: of the same candidates by the higher tier, in the same unit.
        spread: standard deviation of everything that the lower tier measured; the prior's scale.
    """
    x, y = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    n = len(x)
    centre = float(x.mean()) if n else 0.0
    features = np.column_stack([np.ones(n), (x - centre) / spread])
    residual = y - x
    precision = np.diag([PRIOR_OFFSET**-2, PRIOR_SLOPE**-2]) + features.T @ features
    covariance = np.linalg.inv(precision)
    coefficients = covariance @ features.T @ residual
    degrees = PRIOR_DEGREES + n
    squares = residual @ residual - coefficients @ precision @ coefficients
    prior = PRIOR_DEGREES * (PRIOR_NOISE * spread) ** 2
    offset, tilt = (float(c) for c in coefficients)
    (a, b), (c, d) = covariance.tolist()
    return FidelityMap(
        centre=centre,
        spread=spread,
        coefficients=(offset, tilt),
        covariance=((a, b), (c, d)),
        scatter=float(np.sqrt((prior + max(squares, 0.0)) / degrees)),
        degrees=degrees,
        n_pairs=n,
    )


def corrections(state: CampaignState, tier: int) -> Mapping[str, FidelityMap]:
    """Return the map from the tier below to a tier, for each property the campaign wants."""
    below = {m.candidate: m.properties for m in state.known_answers(tier - 1)}
    above = [m for m in state.known_answers(tier) if m.candidate in below]
    found = {}
    for name in state.spec.property_names():
        everything = [properties[name] for properties in below.values()]
        found[name] = fit_fidelity_map(
            [below[m.candidate][name] for m in above],
            [m.properties[name] for m in above],
            spread=float(np.std(everything)) or 1.0,
        )
    return found


FidelityMaps = Sequence[Mapping[str, FidelityMap]]
"""Fidelity maps from each tier to the next, by property."""


def maps_to_top_tier(state: CampaignState) -> FidelityMaps:
    """Return the maps from the first tier to the top one; none while a pair of tiers has fewer than
    ``MIN_PAIRS`` candidates in common."""
    found = [corrections(state, tier) for tier in range(1, len(state.spec.tiers))]
    enough = all(line.n_pairs >= MIN_PAIRS for lines in found for line in lines.values())
    return found if enough else []


def propagate_posterior(
    lines: FidelityMaps, posterior: Mapping[str, Posterior]
) -> dict[str, Posterior]:
    """Return the posterior of the top tier's values, from that of the first tier's; empty without
    maps."""
    for step in lines:
        posterior = {name: step[name].propagate(each) for name, each in posterior.items()}
    return dict(posterior) if lines else {}


def composed(lines: FidelityMaps, name: str) -> tuple[float, float]:
    """Return offset and slope of all maps of one property, composed."""
    offset, slope = 0.0, 1.0
    for step in lines:
        a, b = step[name].line
        offset, slope = a + b * offset, b * slope
    return offset, slope
