"""The convex hull of everything that one tier measured, and the elements.

A hull is derived from the measurements whenever it is looked at, and never recorded: each new
measurement may move it. It is a pure function of formulas and formation energies, and nothing
heavier than numpy is needed for it, so that ``alloop status`` stays quick.

Formation energies are against the pure elements. So an element is at 0 eV/atom by definition,
whether or not it was measured; one that was measured below 0 takes the place of its reference
crystal.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np

from alloop.loop.record.events import Measured
from alloop.loop.state.mixtures import ON_THE_HULL, Floats, Rows, energies_above, facet_below
from alloop.oracles.base import Status
from alloop.properties import ENERGY_ABOVE_HULL, FORMATION_ENERGY

REMEMBERED = 16
"""Number of hulls kept, so that a state that is folded again does not compute its hulls again."""

TRACE = 1e-6
"""Share of a decomposition that is rounding."""

DRAWN_ELEMENTS = (2, 3)
"""Numbers of elements whose hull has tie lines that can be drawn."""

_PART = re.compile(r"([A-Z][a-z]?)(\d+(?:\.\d+)?(?:e[+-]?\d+)?)?")
_FORMULA = re.compile(rf"(?:{_PART.pattern})+")


class Phase(NamedTuple):
    """Phase of the hull: a measured candidate, or a pure element in its reference crystal."""

    formula: str
    formation_energy: float
    """Formation energy, eV/atom."""
    candidate: str | None
    """Id of the candidate; None for the reference crystal of an element."""


@dataclass(frozen=True)
class Hull:
    """Convex hull: the lowest energies that a mixture of measured phases and elements can have."""

    elements: tuple[str, ...]
    phases: tuple[Phase, ...]
    """Phases measured, in the order of the decisions, then the elements in theirs."""

    @cached_property
    def energies_above(self) -> dict[str, float]:
        """Energy above the hull by candidate, eV/atom; 0 on the hull."""
        return {
            phase.candidate: float(energy)
            for phase, energy in zip(self.phases, self._above, strict=True)
            if phase.candidate is not None
        }

    def energy_above(self, candidate: str) -> float | None:
        """Return a candidate's energy above the hull, eV/atom; None where it has no formation
        energy. For one candidate this is quicker than ``energies_above``.
        """
        phase = self.phase(candidate)
        if phase is None:
            return None
        rows, shares = self._mixture(amounts_in(phase.formula))
        above = phase.formation_energy - float(shares @ self._energies[rows])
        return above if above > ON_THE_HULL else 0.0

    def energy_at(self, amounts: Mapping[str, float]) -> float:
        """Return the energy of the hull at a composition, eV/atom.

        Args:
            amounts: of elements of the hull, above 0.
        """
        rows, shares = self._mixture(amounts)
        return float(shares @ self._energies[rows])

    def phase(self, candidate: str) -> Phase | None:
        """Return a candidate as it was measured; None where it has no formation energy."""
        return self._by_candidate.get(candidate)

    @cached_property
    def stable_phases(self) -> tuple[Phase, ...]:
        """The phases on the hull, one of each composition, in the order of ``phases``."""
        found: dict[bytes, int] = {}
        for row in np.flatnonzero(self._above == 0.0):
            found.setdefault(self._fractions[row].round(9).tobytes(), int(row))
        return tuple(self.phases[row] for row in found.values())

    @cached_property
    def tie_lines(self) -> tuple[tuple[Phase, Phase], ...]:
        """Pairs of stable phases that coexist, for two or three elements; none for more, where
        they cannot be drawn and are too many to be listed.
        """
        if len(self.elements) not in DRAWN_ELEMENTS:
            return ()
        # Drawn in reports alone; scipy, which finds them, takes a second to load.
        from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram  # noqa: PLC0415

        entries = [
            PDEntry(phase.formula, phase.formation_energy * _n_atoms(phase.formula), name=str(i))
            for i, phase in enumerate(self.stable_phases)
        ]
        diagram = PhaseDiagram(entries)
        names = [int(entry.name) for entry in diagram.qhull_entries]
        pairs = {
            tuple(sorted((names[i], names[j])))
            for facet in diagram.facets
            for i in facet
            for j in facet
            if i != j
        }
        return tuple((self.stable_phases[i], self.stable_phases[j]) for i, j in sorted(pairs))

    def decomposition(self, formula: str) -> tuple[tuple[Phase, float], ...]:
        """Return the stable phases that a composition falls apart into and their shares of its
        atoms, the largest first.

        Args:
            formula: of elements of the hull.
        """
        rows, shares = self._mixture(amounts_in(formula))
        found = [
            (self.phases[row], float(share))
            for row, share in zip(rows, shares, strict=True)
            if share > TRACE
        ]
        return tuple(sorted(found, key=lambda part: (-part[1], part[0].formula)))

    def _mixture(self, amounts: Mapping[str, float]) -> tuple[Rows, Floats]:
        """Return the phases of the cheapest mixture of a composition, shape (k,), and their
        shares of its atoms, for the k elements in it.
        """
        target = self._row(amounts)
        elements = np.flatnonzero(target)
        reference = len(self.phases) - len(self.elements) + elements
        elsewhere = np.delete(self._fractions, elements, axis=1)
        others = np.setdiff1d(np.flatnonzero(~elsewhere.any(axis=1)), reference)
        rows = np.concatenate([reference, others])
        within = self._fractions[np.ix_(rows, elements)]
        facet = facet_below(within, self._energies[rows], target[elements])
        return rows[facet.rows], facet.shares(target[elements])

    @cached_property
    def _by_candidate(self) -> dict[str, Phase]:
        return {phase.candidate: phase for phase in self.phases if phase.candidate is not None}

    @cached_property
    def _above(self) -> Floats:
        """Energy of each phase above the hull, eV/atom, shape (n,)."""
        # Elements first, as the linear program wants them.
        first = np.roll(np.arange(len(self.phases)), len(self.elements))
        found = np.empty(len(self.phases))
        found[first] = energies_above(self._fractions[first], self._energies[first])
        return found

    @cached_property
    def _fractions(self) -> Floats:
        """Element fractions of each phase, in the order of ``elements``, shape (n, k)."""
        formulas = {phase.formula for phase in self.phases}
        rows = {formula: self._row(amounts_in(formula)) for formula in formulas}
        return np.array([rows[phase.formula] for phase in self.phases])

    @cached_property
    def _energies(self) -> Floats:
        return np.array([phase.formation_energy for phase in self.phases])

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {symbol: column for column, symbol in enumerate(self.elements)}

    def _row(self, amounts: Mapping[str, float]) -> Floats:
        """Return the element fractions of amounts, shape (k,)."""
        row = np.zeros(len(self.elements))
        for symbol, amount in amounts.items():
            row[self._columns[symbol]] = amount
        return row / row.sum()


@lru_cache(maxsize=4096)
def amounts_in(text: str) -> Mapping[str, float]:
    """Return the elements of a formula and their amounts; none for a text that is no formula,
    and a ledger from elsewhere may hold anything.

    Formulas here are as ``materials.formula_of`` writes them, without brackets.
    """
    amounts: dict[str, float] = {}
    if _FORMULA.fullmatch(text):
        for symbol, amount in _PART.findall(text):
            amounts[symbol] = amounts.get(symbol, 0.0) + float(amount or 1)
    total = sum(amounts.values())
    return {symbol: x for symbol, x in amounts.items() if x > 0} if np.isfinite(total) else {}


def _n_atoms(formula: str) -> float:
    return sum(amounts_in(formula).values())


@lru_cache(maxsize=REMEMBERED)
def hull_of(elements: tuple[str, ...], measured: tuple[Phase, ...]) -> Hull:
    """Return the hull of what one and the same oracle measured, and of the elements at 0.

    Args:
        elements: of the space; those of the formulas are added.
        measured: phases, all with a formation energy against the same elements.
    """
    present = {symbol for phase in measured for symbol in amounts_in(phase.formula)}
    named = tuple(dict.fromkeys((*elements, *sorted(present))))
    return Hull(named, (*measured, *(Phase(symbol, 0.0, None) for symbol in named)))


def hull_of_answers(
    elements: tuple[str, ...], answers: Iterable[Measured], formulas: Mapping[str, str]
) -> Hull | None:
    """Return the hull of a tier's successful measurements; None while none has a formation energy
    that can be relied on.

    Args:
        elements: of the space.
        answers: measurements, in the order of the decisions.
        formulas: by candidate.
    """
    found = tuple(
        Phase(formula, m.properties[FORMATION_ENERGY], m.candidate)
        for m in answers
        if FORMATION_ENERGY in m.properties
        and FORMATION_ENERGY not in m.doubts
        and amounts_in(formula := formulas[m.candidate])
    )
    return hull_of(elements, found) if found else None


def with_energy_above_hull(m: Measured, hulls: Sequence[Hull | None]) -> Measured:
    """Return a measurement with its energy above its tier's hull, where it did not measure it."""
    hull = hulls[m.tier] if m.status is Status.OK else None
    if hull is None or ENERGY_ABOVE_HULL in m.properties:
        return m
    if (doubt := m.doubts.get(FORMATION_ENERGY)) is not None:
        return m.model_copy(update={"doubts": m.doubts | {ENERGY_ABOVE_HULL: doubt}})
    above = hull.energies_above.get(m.candidate)
    derived = {} if above is None else {ENERGY_ABOVE_HULL: above}
    return m.with_properties(m.properties | derived)
