"""Energies above the hull, predicted by way of formation energies.

None that was measured is below 0, so a surrogate of the values themselves never expects a new
phase. The formation energy is what can be learnt; the hull at a composition is known. A candidate
whose formation energy is expected below today's hull has a negative energy above it: by so much it
would lower the hull.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from alloop.loop.choose.moves.base import FloatArray, IntArray, Moves
from alloop.loop.choose.search.base import CHEAP_ROWS, PropertySurrogate
from alloop.loop.choose.search.descriptors import Fractions
from alloop.loop.record.events import Posterior
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.hull import Hull
from alloop.materials import Material
from alloop.properties import ENERGY_ABOVE_HULL, FORMATION_ENERGY

DIGITS = 9
"""Digits of fractions by which compositions are told apart."""


@dataclass(frozen=True)
class HullEnergies:
    """Energy of the first tier's convex hull at a material's composition, as a descriptor."""

    hull: Hull
    elements: tuple[str, ...]
    """Elements of the space."""
    fractions: Fractions
    """Their fractions in codes and materials."""
    _known: dict[bytes, float] = field(default_factory=dict)

    name = "hull"
    rows_per_round = CHEAP_ROWS
    group_sizes = None

    @classmethod
    def of(cls, state: CampaignState, moves: Moves | None) -> "HullEnergies | None":
        """Return those of a campaign that asks for energies above the hull; None where it does not,
        or nothing has a formation energy yet."""
        if ENERGY_ABOVE_HULL not in state.spec.property_names() or state.hulls[0] is None:
            return None
        elements = state.spec.space.elements
        return cls(state.hulls[0], elements, Fractions(elements, moves))

    def of_codes(self, codes: IntArray) -> FloatArray:
        """Return the hull's energy at codes, eV/atom, shape (n, 1)."""
        return self._at(self.fractions.of_codes(codes))

    def of_materials(self, materials: Sequence[Material]) -> FloatArray:
        """Return the hull's energy at materials, eV/atom, shape (n, 1)."""
        return self._at(self.fractions.of_materials(materials))

    def _at(self, fractions: FloatArray) -> FloatArray:
        different, place = np.unique(fractions.round(DIGITS), axis=0, return_inverse=True)
        energies = np.array([self._energy(row) for row in different])
        return energies[place.ravel(), None]

    def _energy(self, fractions: FloatArray) -> float:
        key = fractions.tobytes()
        if key not in self._known:
            amounts = zip(self.elements, fractions.tolist(), strict=True)
            self._known[key] = self.hull.energy_at(
                {symbol: amount for symbol, amount in amounts if amount > 0}
            )
        return self._known[key]


class Fit(Protocol):
    """Fit of a surrogate to features (n, d) and values (n,); see ``GaussianProcess.fit``."""

    def __call__(
        self, features: FloatArray, values: FloatArray, groups: Sequence[int] | None, /
    ) -> PropertySurrogate:
        """Return the surrogate."""


@dataclass(frozen=True)
class AboveHull:
    """Surrogate of energies above the hull: the formation energy's, less the hull's energy, which
    is the last feature."""

    formation_energy: PropertySurrogate

    @classmethod
    def fit(
        cls,
        fit: Fit,
        features: FloatArray,
        values: FloatArray,
        groups: Sequence[int] | None,
    ) -> "AboveHull":
        """Return the surrogate fitted to energies above the hull (n,) at features (n, d + 1)."""
        return cls(fit(features[:, :-1], values + features[:, -1], groups))

    @property
    def log_evidence(self) -> float:
        """Leave-one-out log predictive density of the formation energies, on average."""
        return self.formation_energy.log_evidence

    def predict(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and standard deviation at (k, d + 1), (k,) each."""
        mean, std = self.formation_energy.predict(features[:, :-1])
        return mean - features[:, -1], std

    def joint(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean (k,) and covariance (k, k) at (k, d + 1)."""
        mean, covariance = self.formation_energy.joint(features[:, :-1])
        return mean - features[:, -1], covariance


def with_formation_energy(
    posterior: dict[str, Posterior], hull_energy: float
) -> dict[str, Posterior]:
    """Return a posterior with that of the formation energy, which can be held against what comes:
    a new phase moves the hull that its energy is above."""
    above = posterior[ENERGY_ABOVE_HULL]
    energy = Posterior(mean=above.mean + hull_energy, std=above.std)
    return {FORMATION_ENERGY: energy, **posterior}
