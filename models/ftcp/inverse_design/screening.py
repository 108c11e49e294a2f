"""Screening of decoded crystals before an oracle measures them; each rule has a reason."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import product

import numpy as np
from pymatgen.analysis.molecule_structure_comparator import CovalentRadius
from pymatgen.core import Composition, Element, Structure

from alloop.crystal_matching import CrystalMatcher
from alloop.models.ftcp.representation.crystals import CrystalArrays, is_valid_cell, to_structures


class ScreenRule(StrEnum):
    """Rules of the screen, in the order they are tried."""

    CELL = "cell"
    DISTANCE = "distance"
    CHARGE = "charge_balance"
    DUPLICATE = "duplicate"
    KNOWN = "known"


@dataclass(frozen=True)
class ScreenRejection:
    """The rule that a decoded crystal failed, and the reason."""

    rule: ScreenRule
    reason: str


@dataclass(frozen=True)
class ScreenRules:
    """Settings of the screen."""

    shortest_bond: float = 0.6
    """Least distance of two atoms, as a share of the sum of their covalent radii."""
    needs_charge_balance: bool = True
    """Whether oxidation states must add up; off for data that do not care, such as Perov-5."""
    new_composition: bool = False
    """Whether a formula of the known crystals is refused, as in the paper; otherwise only a
    known structure is."""


class CrystalScreen:
    """Checks crystals against the rules, the known ones, and those that passed before.

    Args:
        rules: how strict to be.
        known: crystals that are not to be found again, such as the training set.
    """

    def __init__(self, rules: ScreenRules, known: Sequence[Structure] = ()) -> None:
        self.rules = rules
        self._matcher = CrystalMatcher()
        self._known = _by_formula(known)
        self._passed: dict[str, list[Structure]] = {}

    def check(self, structure: Structure) -> ScreenRejection | None:
        """Return the first rule that a crystal fails; None if it passes, and is remembered as
        known."""
        rejection = (
            _too_close(structure, self.rules)
            or _unbalanced(structure, self.rules)
            or self._duplicate_rejection(structure)
        )
        if rejection is None:
            self._passed.setdefault(structure.composition.reduced_formula, []).append(structure)
        return rejection

    def screen_all(
        self, crystals: CrystalArrays
    ) -> tuple[list[tuple[int, Structure]], dict[int, ScreenRejection]]:
        """Return rows and structures of the crystals that pass, and the rejections of the others.

        Args:
            crystals: as decoded; cells may be impossible.
        """
        passed: list[tuple[int, Structure]] = []
        rejected: dict[int, ScreenRejection] = {}
        possible = is_valid_cell(crystals.lattices)
        for row in range(len(crystals)):
            if not possible[row]:
                values = ", ".join(f"{value:.4g}" for value in crystals.lattices[row])
                rejected[row] = ScreenRejection(
                    ScreenRule.CELL, f"no cell has the parameters {values} (Å, °)"
                )
                continue
            (structure,) = to_structures(crystals[row : row + 1])
            if (rejection := self.check(structure)) is None:
                passed.append((row, structure))
            else:
                rejected[row] = rejection
        return passed, rejected

    def _duplicate_rejection(self, structure: Structure) -> ScreenRejection | None:
        formula = structure.composition.reduced_formula
        if any(self._matcher.matches(structure, other) for other in self._passed.get(formula, ())):
            return ScreenRejection(ScreenRule.DUPLICATE, f"this {formula} was already designed")
        known = self._known.get(formula, ())
        if known and self.rules.new_composition:
            return ScreenRejection(ScreenRule.KNOWN, f"{formula} is in the training set")
        if any(self._matcher.matches(structure, other) for other in known):
            return ScreenRejection(ScreenRule.KNOWN, f"this {formula} is in the training set")
        return None


def counts(rejections: Sequence[ScreenRejection]) -> dict[str, int]:
    """Return the number of crystals that each rule refused."""
    return {rule.value: n for rule, n in Counter(one.rule for one in rejections).items()}


def is_charge_balanced(composition: Composition) -> bool:
    """Return whether oxidation states can add up to nothing, cations left of anions.

    The test that SMACT makes (D. W. Davies et al., Chem 1 (2016) 617): one state per element,
    of those in the ICSD (pymatgen's table, or its other states where that is empty), the total
    zero, and every cation less electronegative than every anion. Metals among themselves, and
    elements alone, pass.
    """
    symbols = sorted(element.symbol for element in composition.elements)
    elements = [Element(symbol) for symbol in symbols]
    if len(elements) == 1 or all(element.is_metal for element in elements):
        return True
    amounts = [composition[element] for element in elements]
    return any(
        abs(sum(state * amount for state, amount in zip(states, amounts, strict=True))) < 1e-6
        and _cations_come_first(elements, states)
        for states in product(*[_states(symbol) for symbol in symbols])
    )


@lru_cache(maxsize=128)
def _states(symbol: str) -> tuple[int, ...]:
    element = Element(symbol)
    states = element.icsd_oxidation_states or element.oxidation_states
    return tuple(int(state) for state in states if state != 0)


def _cations_come_first(elements: Sequence[Element], states: Sequence[int]) -> bool:
    cations = [el.X for el, state in zip(elements, states, strict=True) if state > 0]
    anions = [el.X for el, state in zip(elements, states, strict=True) if state < 0]
    return not cations or not anions or max(cations) < min(anions)


def _unbalanced(structure: Structure, rules: ScreenRules) -> ScreenRejection | None:
    if not rules.needs_charge_balance or is_charge_balanced(structure.composition):
        return None
    formula = structure.composition.reduced_formula
    return ScreenRejection(ScreenRule.CHARGE, f"no oxidation states of {formula} add up to zero")


def _too_close(structure: Structure, rules: ScreenRules) -> ScreenRejection | None:
    radii = np.array([_radius(site.specie.symbol) for site in structure])
    cutoff = 2 * rules.shortest_bond * float(radii.max())
    if structure.volume < 1e-3 * len(structure):  # a search for neighbours would never end
        return ScreenRejection(ScreenRule.DISTANCE, f"a cell of {structure.volume:.2g} Å³")
    first, second, _, distances = structure.get_neighbor_list(cutoff)
    shares = distances / (radii[first] + radii[second])
    if len(shares) == 0 or shares.min() >= rules.shortest_bond:
        return None
    worst = int(shares.argmin())
    pair = "–".join(structure[int(i)].specie.symbol for i in (first[worst], second[worst]))
    return ScreenRejection(
        ScreenRule.DISTANCE,
        f"{pair} {distances[worst]:.2f} Å apart, {shares[worst]:.2f} of their radii "
        f"(at least {rules.shortest_bond:g})",
    )


def _radius(symbol: str) -> float:
    """Return a covalent radius in Å (Cordero et al., 2008); the largest known for later
    actinides."""
    return float(CovalentRadius.radius.get(symbol, CovalentRadius.radius["Cm"]))


def _by_formula(structures: Sequence[Structure]) -> dict[str, list[Structure]]:
    known: dict[str, list[Structure]] = {}
    for structure in structures:
        known.setdefault(structure.composition.reduced_formula, []).append(structure)
    return known
