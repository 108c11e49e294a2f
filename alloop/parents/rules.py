"""Rules about how many atoms of each species a decoration may have, beside their own bounds."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from alloop.parents.layout import Layout
from alloop.parents.species import VACANCY

IntArray = npt.NDArray[np.integer[Any]]
FloatArray = npt.NDArray[np.float64]

CHARGE_SLACK = 1e-6
"""Slack of the total charge, elementary charges."""
PRICE_SLACK = 1e-9
"""Slack of the price, in the currency per mole."""
MOST_STEPS = 20_000
"""Largest number of steps between compositions that are kept."""
MOST_TESTED_SITES = 128
"""Largest sublattice whose charges are summed up exactly to see whether they can balance."""


@dataclass(frozen=True)
class CountRules:
    """Rules about the number of sites of each class: a species on an open sublattice.

    Classes are in the order of the sublattices and, in each, of its species.
    """

    layout: Layout
    charges: Mapping[str, tuple[float, float]]
    """Lowest and highest oxidation state of each species; empty where charge is of no account."""
    max_elements: int | None
    """Largest number of elements in a cell, fixed ones among them."""
    price_excess: Mapping[str, float] = field(default_factory=dict)
    """Price of a mole of each element beyond the largest price of its mass; the sum over a cell is
    at most 0. Empty where the price is of no account."""

    @cached_property
    def classes(self) -> tuple[tuple[int, str], ...]:
        """Sublattice and species of each class."""
        return tuple(
            (index, species)
            for index, one in enumerate(self.layout.sublattices)
            for species in one.species
        )

    @cached_property
    def low(self) -> IntArray:
        """Fewest sites of each class, shape (k,)."""
        return np.array([low for one in self.layout.sublattices for low, _ in one.count_bounds])

    @cached_property
    def high(self) -> IntArray:
        """Most sites of each class, shape (k,)."""
        return np.array([high for one in self.layout.sublattices for _, high in one.count_bounds])

    @property
    def is_trivial(self) -> bool:
        """Whether bounds are all there is to keep."""
        return not self.charges and self.max_elements is None and not self.price_excess

    def violation(self, counts: IntArray) -> FloatArray:
        """Return by how much counts (n, k) break the rules and bounds, (n,); 0 where they do not.

        It falls with every atom that is changed in the right direction.
        """
        beyond = np.maximum(counts - self.high, 0) + np.maximum(self.low - counts, 0)
        total: FloatArray = beyond.sum(axis=1).astype(np.float64)
        if self.charges:
            least, most = (counts @ self._charge[end] + self._fixed_charge[end] for end in (0, 1))
            apart = np.maximum(np.maximum(least, -most), 0.0)
            total += np.where(apart > CHARGE_SLACK, apart, 0.0)
        if self.price_excess:
            excess = counts @ self._prices + self._fixed_price
            total += np.where(excess > PRICE_SLACK, excess / np.abs(self._prices).max(), 0.0)
        if self.max_elements is not None:
            of_element = np.sort(np.maximum(counts, 0) @ self._is_element, axis=1)
            surplus = of_element.shape[1] - (self.max_elements - self._n_always)
            if surplus > 0:
                total += of_element[:, :surplus].sum(axis=1)
        return total

    def allows(self, counts: IntArray) -> npt.NDArray[np.bool_]:
        """Return whether counts (n, k) keep rules and bounds, (n,)."""
        return self.violation(counts) == 0

    @cached_property
    def steps(self) -> IntArray:
        """Changes of counts that may lead from one allowed composition to another, shape (m, k).

        One site changes its species; where charge is to be kept, also two or three at once, of all
        these only what keeps it, if every element has one oxidation state.
        """
        singles = self._single_steps
        found = [singles]
        if self.charges:
            for size in (2, 3):
                rows = list(itertools.combinations_with_replacement(range(len(singles)), size))
                if len(rows) > MOST_STEPS:
                    break
                found.append(singles[np.array(rows)].sum(axis=1))
        steps = np.unique(np.concatenate(found), axis=0)
        steps = steps[(steps != 0).any(axis=1)]
        if self.charges and self._has_one_state_each:
            steps = steps[np.abs(steps @ self._charge[0]) < CHARGE_SLACK]
        return steps

    def nearest_allowed(self, counts: IntArray) -> IntArray | None:
        """Return allowed counts (k,) a few changed sites away; None if the descent finds none."""
        found = counts.copy()
        left = float(self.violation(found[None])[0])
        while left > 0:
            near = found + self._repairs
            near = near[(near >= 0).all(axis=1)]
            values = self.violation(near)
            best = int(values.argmin())
            if values[best] >= left:
                return None
            found, left = near[best], float(values[best])
        return found

    @cached_property
    def _repairs(self) -> IntArray:
        """Steps of one or two sites, the shorter first."""
        singles = self._single_steps
        pairs = singles[np.array(list(itertools.combinations(range(len(singles)), 2)))].sum(axis=1)
        return np.concatenate([singles, pairs]) if len(singles) > 1 else singles

    def charge_problem(self) -> str | None:
        """Return why no decoration within the bounds is neutral; None where one is, or may be."""
        if not self.charges:
            return None
        ends = []
        for end, sign in ((0, 1.0), (1, -1.0)):
            total = self._fixed_charge[end]
            for index, one in enumerate(self.layout.sublattices):
                mine = [k for k, (sublattice, _) in enumerate(self.classes) if sublattice == index]
                counts = self.low[mine].astype(float)
                rest = one.n_sites - counts.sum()
                for k in sorted(mine, key=lambda k: sign * self._charge[end][k]):
                    more = min(rest, float(self.high[k] - self.low[k]))
                    counts[mine.index(k)] += more
                    rest -= more
                total += float(counts @ self._charge[end][mine])
            ends.append(total)
        least, most = ends
        if least > CHARGE_SLACK or most < -CHARGE_SLACK:
            return (
                f"charges cannot balance: the cell's total is {least:+g} at least and {most:+g} "
                "at most; correct charges, or widen the fractions"
            )
        if self._has_one_state_each and not self._zero_is_reached():
            return (
                "charges cannot balance: no whole numbers of atoms within the fractions make the "
                "cell neutral; take a larger cell, or widen the fractions"
            )
        return None

    def _zero_is_reached(self) -> bool:
        """Return whether whole numbers of atoms make zero; True where it is not worked out."""
        if max(one.n_sites for one in self.layout.sublattices) > MOST_TESTED_SITES:
            return True
        reached = {round(self._fixed_charge[0], 6)}
        for index, one in enumerate(self.layout.sublattices):
            mine = [k for k, (sublattice, _) in enumerate(self.classes) if sublattice == index]
            sums: set[tuple[int, float]] = {(0, 0.0)}
            for k in mine:
                sums = {
                    (used + n, round(charge + n * float(self._charge[0][k]), 6))
                    for used, charge in sums
                    for n in range(int(self.low[k]), int(self.high[k]) + 1)
                    if used + n <= one.n_sites
                }
            own = {charge for used, charge in sums if used == one.n_sites}
            reached = {round(one + other, 6) for one in reached for other in own}
        return any(abs(charge) < CHARGE_SLACK for charge in reached)

    @cached_property
    def _charge(self) -> tuple[FloatArray, FloatArray]:
        ends = [
            np.array([self._states(species)[end] for _, species in self.classes]) for end in (0, 1)
        ]
        return ends[0], ends[1]

    @cached_property
    def _prices(self) -> FloatArray:
        return np.array([self.price_excess.get(species, 0.0) for _, species in self.classes])

    @cached_property
    def _fixed_price(self) -> float:
        return sum(n * self.price_excess[el] for el, n in self.layout.fixed_counts.items())

    @property
    def _has_one_state_each(self) -> bool:
        return all(low == high for low, high in self.charges.values())

    @cached_property
    def _fixed_charge(self) -> tuple[float, float]:
        fixed = self.layout.fixed_counts.items()
        least, most = (sum(n * self._states(el)[end] for el, n in fixed) for end in (0, 1))
        return least, most

    def _states(self, species: str) -> tuple[float, float]:
        return (0.0, 0.0) if species == VACANCY else self.charges[species]

    @cached_property
    def _single_steps(self) -> IntArray:
        steps = []
        for i, (sublattice, _) in enumerate(self.classes):
            for j, (other, _) in enumerate(self.classes):
                if i != j and sublattice == other:
                    step = np.zeros(len(self.classes), dtype=np.int64)
                    step[i], step[j] = -1, 1
                    steps.append(step)
        return np.array(steps)

    @cached_property
    def _is_element(self) -> IntArray:
        """Matrix from classes to the elements that are not fixed anyway, shape (k, elements)."""
        free = [s for s in self.layout.species if s != VACANCY and not self._is_fixed(s)]
        rows = [[species == element for element in free] for _, species in self.classes]
        return np.array(rows, dtype=np.int64).reshape(len(self.classes), len(free))

    def _is_fixed(self, element: str) -> bool:
        return element in self.layout.fixed_counts

    @property
    def _n_always(self) -> int:
        """Number of elements that every cell has."""
        return len(self.layout.fixed_counts)
