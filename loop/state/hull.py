"""The convex hull of everything that one tier measured, and the elements.

A hull is derived from the measurements whenever it is looked at, and never recorded: each new
measurement may move it. It is a pure function of formulas and formation energies.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
from pymatgen.core import Composition

FORMATION_ENERGY = "formation_energy_per_atom"
ENERGY_ABOVE_HULL = "energy_above_hull"
REMEMBERED = 16
"""Hulls kept, so that a state that is folded again does not compute its hulls again."""


@dataclass(frozen=True)
class Phase:
    """Something that was measured, or a pure element in its reference crystal."""

    formula: str
    formation_energy: float
    """eV/atom."""
    candidate: str | None
    """None for the reference crystal of an element."""


@dataclass(frozen=True)
class Hull:
    """The lowest energies that a mixture of measured phases and elements can have."""

    elements: tuple[str, ...]
    phases: tuple[Phase, ...]
    """What was measured, in the order of the decisions, then the elements."""

    @cached_property
    def energies_above(self) -> dict[str, float]:
        """Energy above the hull by candidate, eV/atom; 0 on the hull."""
        above = np.maximum(self._energies - self._lowest(self._fractions), 0.0)
        return {
            phase.candidate: float(e)
            for phase, e in zip(self.phases, above, strict=True)
            if phase.candidate is not None
        }

    def phase(self, candidate: str) -> Phase | None:
        """Return a candidate as it was measured; None where it has no formation energy."""
        return self._by_candidate.get(candidate)

    @cached_property
    def corners(self) -> tuple[Phase, ...]:
        """The phases that the hull hangs on: stable ones, one of each composition."""
        entries = sorted(self._diagram.stable_entries, key=lambda entry: int(entry.name))
        return tuple(self.phases[int(entry.name)] for entry in entries)

    @cached_property
    def tie_lines(self) -> tuple[tuple[Phase, Phase], ...]:
        """Pairs of corners that coexist."""
        names = [int(entry.name) for entry in self._diagram.qhull_entries]
        pairs = {
            tuple(sorted((names[i], names[j])))
            for facet in self._diagram.facets
            for i in facet
            for j in facet
            if i != j
        }
        return tuple((self.phases[i], self.phases[j]) for i, j in sorted(pairs))

    def decomposition(self, formula: str) -> tuple[tuple[Phase, float], ...]:
        """Return the corners that a composition falls apart into and their shares of its atoms,
        the largest first.
        """
        parts = self._diagram.get_decomposition(Composition(formula))
        found = [(self.phases[int(entry.name)], float(share)) for entry, share in parts.items()]
        return tuple(sorted(found, key=lambda part: (-part[1], part[0].formula)))

    @cached_property
    def _by_candidate(self) -> dict[str, Phase]:
        return {phase.candidate: phase for phase in self.phases if phase.candidate is not None}

    @cached_property
    def _diagram(self) -> PhaseDiagram:
        entries = []
        for i, phase in enumerate(self.phases):
            composition = Composition(phase.formula).fractional_composition
            entries.append(PDEntry(composition, phase.formation_energy, name=str(i)))
        return PhaseDiagram(entries)

    @cached_property
    def _fractions(self) -> NDArray[np.float64]:
        """Of each phase, the elements in the diagram's order, shape (n, k)."""
        compositions = [Composition(phase.formula) for phase in self.phases]
        return np.array(
            [[c.get_atomic_fraction(el) for el in self._diagram.elements] for c in compositions]
        )

    @property
    def _energies(self) -> NDArray[np.float64]:
        return np.array([phase.formation_energy for phase in self.phases])

    def _lowest(self, fractions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the hull's energy at compositions of shape (n, k), eV/atom, shape (n,).

        A convex hull from below is the highest of the planes through its facets; a plane is
        what mixing a facet's corners costs.
        """
        if len(self.elements) == 1:
            return np.full(len(fractions), self._energies.min())
        numbers = [int(entry.name) for entry in self._diagram.qhull_entries]
        rows = np.array([[numbers[i] for i in facet] for facet in self._diagram.facets])
        planes = np.linalg.solve(self._fractions[rows], self._energies[rows][..., None])[..., 0]
        return np.asarray((fractions @ planes.T).max(axis=1))


def is_formula(text: str) -> bool:
    """Return whether a text is a formula: a ledger from elsewhere may hold anything."""
    try:
        return bool(Composition(text))
    except ValueError:
        return False


@lru_cache(maxsize=REMEMBERED)
def hull_of(elements: tuple[str, ...], measured: tuple[Phase, ...]) -> Hull:
    """Return the hull of what one and the same oracle measured, and of the elements at 0.

    An element that was measured below its reference crystal takes its place.

    Args:
        elements: of the space; those of the formulas are added.
        measured: phases, all with a formation energy against the same elements.
    """
    present = {str(el) for phase in measured for el in Composition(phase.formula).elements}
    named = tuple(dict.fromkeys((*elements, *sorted(present))))
    return Hull(named, (*measured, *(Phase(symbol, 0.0, None) for symbol in named)))
