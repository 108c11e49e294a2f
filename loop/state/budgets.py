"""Budgets of the tiers in core-hours and money, and predictions of cost."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from alloop.oracles.base import Cost

ROUNDING = 1e-9


@dataclass(frozen=True)
class TierBudget:
    """One limit of a tier and the amount spent so far, in core-hours or in money."""

    unit: str
    limit: float
    spent: float
    n_paid: int
    """Number of measurements that were paid for."""

    @property
    def each(self) -> float | None:
        """Mean cost of a measurement so far; None before the first."""
        return self.spent / self.n_paid if self.n_paid else None

    @property
    def affordable(self) -> int | None:
        """Number of measurements that it still pays for at the average cost; None where that is not
        known, or they cost nothing."""
        left = self.limit - self.spent
        if left <= 0:
            return 0
        return math.floor(left / self.each + ROUNDING) if self.each else None

    @property
    def exhaustion(self) -> str | None:
        """Reason why it pays for nothing more; None while it does."""
        if self.affordable != 0:
            return None
        text = f"{self.spent:.3g} of {self.limit:g} {self.unit} are spent"
        return text if self.spent >= self.limit else f"{text}, and one more takes {self.each:.3g}"


def tier_budgets(
    cost: Cost, n_paid: int, *, core_hours: float | None, money: float | None
) -> tuple[TierBudget, ...]:
    """Return one budget for each limit that there is."""
    limits = (("core-hours", core_hours, cost.core_hours), ("currency units", money, cost.money))
    return tuple(
        TierBudget(unit, limit, spent, n_paid) for unit, limit, spent in limits if limit is not None
    )


def predicted_core_hours(atoms: int, paid: Sequence[tuple[int, float]]) -> float:
    """Return the expected cost of a cell of so many atoms, in core-hours.

    A power of the number of atoms, fitted to what was paid where sizes differ, and otherwise
    in proportion to the atoms. Before anything was paid the unit is arbitrary: the number of
    atoms, which is enough to compare candidates.

    Args:
        atoms: of the candidate.
        paid: atoms and core-hours of earlier measurements.
    """
    known = [(math.log(n), math.log(hours)) for n, hours in paid if hours > 0]
    if not known:
        return float(atoms)
    x, y = (sum(column) / len(known) for column in zip(*known, strict=True))
    spread = sum((a - x) ** 2 for a, _ in known)
    slope = sum((a - x) * (b - y) for a, b in known) / spread if spread > ROUNDING else 1.0
    return math.exp(y + min(max(slope, MIN_EXPONENT), MAX_EXPONENT) * (math.log(atoms) - x))


MIN_EXPONENT, MAX_EXPONENT = 0.0, 3.0
"""Bounds of the exponent of the cost in the number of atoms: 1 for potentials, towards 3 for
density functional theory."""
