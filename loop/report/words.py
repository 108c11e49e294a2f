"""Texts for people: what a campaign seeks, numbers with units, times."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import lru_cache

from markupsafe import Markup, escape

from alloop.campaigns.objectives import Constraint, Objective
from alloop.campaigns.spec import CampaignSpec
from alloop.properties import UNITS, shown_unit
from alloop.space import AnySpace, Compositions, Decorations, Space, Structures

ID_DIGITS = 10
"""Number of digits of a candidate's id that people are shown; `alloop audit` finds it by them."""

_DECIMALS = {"GPa": 2, "eV/atom": 4, "Å³/atom": 3, "g/cm³": 3, "eV": 3, "–": 3}
_DEFAULT_DECIMALS = 3
_GOALS = {"maximise": "maximise", "minimise": "minimise", "window": "bring"}


_units: ContextVar[Mapping[str, str]] = ContextVar("units", default=UNITS)
"""Units by property of the campaign that is being reported, its own properties included."""


@contextmanager
def units_of_campaign(spec: CampaignSpec) -> Iterator[None]:
    """Have the functions below know the units of a campaign's own properties."""
    token = _units.set(spec.units())
    try:
        yield
    finally:
        _units.reset(token)


def decimals_of(name: str) -> int:
    """Return the number of decimals that a property is shown with."""
    return _DECIMALS.get(_units.get().get(name, ""), _DEFAULT_DECIMALS)


def unit_of(name: str) -> str:
    """Return a property's unit; empty where it has none or is not known."""
    return shown_unit(_units.get().get(name, ""))


def label_of(name: str, *, with_unit: bool = False) -> str:
    """Return a property's name for people: ``bulk modulus`` or ``bulk modulus (GPa)``."""
    label = name.replace("_", " ")
    return f"{label} ({unit_of(name)})" if with_unit and unit_of(name) else label


def value_of(name: str, value: float, *, with_unit: bool = True, signed: bool = False) -> str:
    """Return a value in its property's digits and unit: ``186.23 GPa``."""
    text = number(value, decimals_of(name), signed=signed)
    return f"{text} {unit_of(name)}" if with_unit and unit_of(name) else text


def number(value: float, decimals: int, *, signed: bool = False) -> str:
    """Return a number with a fixed number of decimals and a true minus sign."""
    value = round(value, decimals) + 0.0  # turns -0.0 into 0.0
    return f"{value:{'+' if signed and value else ''}.{decimals}f}".replace("-", "−")


def significant(value: float, digits: int = 4) -> str:
    """Return a number of unknown scale to so many significant digits."""
    return f"{value:.{digits}g}".replace("-", "−")


def duration(seconds: float) -> str:
    """Return a length of time: ``48 s``, ``4 min 12 s``, ``3 h 05 min``, ``2 d 4 h``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def format_timestamp(time: str) -> str:
    """Return an ISO time as ``2026-03-01 14:05 UTC``; empty for none."""
    return f"{datetime.fromisoformat(time):%Y-%m-%d %H:%M} UTC" if time else ""


def plural(n: int, noun: str) -> str:
    """Return ``1 round`` or ``3 rounds``."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def describe_search(spec: CampaignSpec) -> str:
    """Return the campaign's aim as one sentence."""
    wishes = _joined([_objective(objective) for objective in spec.objectives])
    if spec.constraints:
        wishes += " with " + _joined([_constraint(each) for each in spec.constraints])
    where = [f"over {'–'.join(spec.space.elements)}"]
    if bounds := _bounds(spec.space):
        where.append(bounds)
    where.append(_kind_of_material(spec.space))
    return f"{wishes[0].upper()}{wishes[1:]} {', '.join(where)}."


def goal_of(spec: CampaignSpec, name: str) -> str:
    """Return the goal of a property in a few words; empty where there is none."""
    wishes = []
    for objective in spec.objectives:
        if objective.property == name:
            wishes.append(_window(objective) if objective.window else objective.goal)
    wishes += [_range(each) for each in spec.constraints if each.property == name]
    return ", ".join(wishes)


@lru_cache(maxsize=20_000)
def subscripted(formula: str) -> Markup:
    """Return a formula as HTML, the numbers behind its symbols and brackets lowered.

    It may stand among words: of ``57 % Cr3Ni`` the 3 is lowered. As chemists write it, a single
    atom has no number.
    """
    parts = re.split(r"(?<=[A-Za-z)\]])(\d+(?:\.\d+)?)", formula)
    return Markup("").join(
        escape(part) if i % 2 == 0 else Markup("<sub>{}</sub>").format(part) * (part != "1")
        for i, part in enumerate(parts)
    )


def percentages(fractions: Mapping[str, float]) -> str:
    """Return element fractions as ``33.3 at.% Cr, 66.7 at.% Ni``, largest first."""
    order = sorted(fractions.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{100 * x:.1f} at.% {symbol}" for symbol, x in order)


def _objective(objective: Objective) -> str:
    name = label_of(objective.property, with_unit=objective.window is None)
    goal = _GOALS[objective.goal]
    return f"{goal} {name} to {_window(objective)}" if objective.window else f"{goal} {name}"


def _window(objective: Objective) -> str:
    assert objective.window is not None
    low, high = objective.window
    return f"between {low:g} and {high:g} {unit_of(objective.property)}".strip().replace("-", "−")


def _constraint(constraint: Constraint) -> str:
    return f"{label_of(constraint.property)} {_range(constraint)}"


def _range(constraint: Constraint) -> str:
    unit = unit_of(constraint.property)
    if constraint.min is not None and constraint.max is not None:
        text = f"from {constraint.min:g} to {constraint.max:g} {unit}"
    elif constraint.max is not None:
        text = f"≤ {constraint.max:g} {unit}"
    else:
        text = f"≥ {constraint.min:g} {unit}"
    return text.strip().replace("-", "−")


def _bounds(space: Space) -> str:
    """Return the fraction bounds in at.%; empty where nothing is bounded."""
    bounds = {symbol: space.bounds(symbol) for symbol in space.elements}
    if len(set(bounds.values())) == 1:
        low, high = bounds[space.elements[0]]
        return "" if (low, high) == (0, 1) else f"each {100 * low:g} to {100 * high:g} at.%"
    return ", ".join(
        f"{symbol} {100 * low:g} to {100 * high:g} at.%"
        for symbol, (low, high) in bounds.items()
        if (low, high) != (0, 1)
    )


def _kind_of_material(space: AnySpace) -> str:
    match space:
        case Decorations():
            unit = "sites" if space.parent_options else "atoms"
            return f"{_joined(space.parent_names)}, {space.n_sites} {unit}"
        case Structures():
            return f"crystals of at most {space.max_atoms} atoms"
        case Compositions():
            fewest, most = space.element_numbers()
            if fewest == most:
                return f"compositions of {plural(most, 'element')}"
            return f"compositions of {fewest} to {most} elements"


def _joined(parts: list[str] | tuple[str, ...]) -> str:
    """Return ``a``, ``a and b``, or ``a, b and c``."""
    *init, last = parts
    return f"{', '.join(init)} and {last}" if init else last
