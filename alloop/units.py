"""Conversion of units: factors between two units of one dimension."""

import re
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from alloop.errors import DataError

# CODATA 2018, in SI units; scipy.constants has the same, and takes half a second to import.
ELECTRON_VOLT = 1.602176634e-19
AVOGADRO = 6.02214076e23
HARTREE = 4.3597447222071e-18
BOHR = 5.29177210903e-11

_BASES = ("kg", "m", "s", "K", "A", "atom")
_PASCAL, _JOULE = (1, -1, -2, 0, 0, 0), (1, 2, -2, 0, 0, 0)
_LENGTH, _MASS, _KELVIN = (0, 1, 0, 0, 0, 0), (1, 0, 0, 0, 0, 0), (0, 0, 0, 1, 0, 0)

_Dimension = tuple[int, ...]
"""Exponents of the base units ``_BASES``."""

UNIT_SYMBOLS: MappingProxyType[str, tuple[float, _Dimension]] = MappingProxyType(
    {
        "Pa": (1.0, _PASCAL),
        "bar": (1e5, _PASCAL),
        "J": (1.0, _JOULE),
        "cal": (4.184, _JOULE),
        "eV": (ELECTRON_VOLT, _JOULE),
        "Ry": (HARTREE / 2, _JOULE),
        "Ha": (HARTREE, _JOULE),
        "W": (1.0, (1, 2, -3, 0, 0, 0)),
        "V": (1.0, (1, 2, -3, 0, -1, 0)),
        "A": (1.0, (0, 0, 0, 0, 1, 0)),
        "m": (1.0, _LENGTH),
        "Å": (1e-10, _LENGTH),
        "Ang": (1e-10, _LENGTH),
        "bohr": (BOHR, _LENGTH),
        "g": (1e-3, _MASS),
        "s": (1.0, (0, 0, 1, 0, 0, 0)),
        "K": (1.0, _KELVIN),
        "atom": (1.0, (0, 0, 0, 0, 0, 1)),
        "mol": (AVOGADRO, (0,) * len(_BASES)),
        "–": (1.0, (0,) * len(_BASES)),
        "%": (1e-2, (0,) * len(_BASES)),
    }
)
"""Units that are understood, each with its value in SI units and its dimension. Per mole is per
mole of atoms only where atoms are named: kJ/(mol atom)."""

PREFIXES = MappingProxyType(
    {"n": 1e-9, "µ": 1e-6, "u": 1e-6, "m": 1e-3, "c": 1e-2, "k": 1e3, "M": 1e6, "G": 1e9}
    | {"T": 1e12}
)
_PREFIXED = frozenset({"Pa", "bar", "J", "cal", "eV", "W", "V", "m", "g", "Ha", "Ry", "A", "s"})

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_FACTOR = re.compile(r"10\^?([-⁻]?[0-9⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
_PART = re.compile(r"([A-Za-zÅµ]+|–|%)(?:\^?([-⁻]?[0-9⁰¹²³⁴⁵⁶⁷⁸⁹]+))?")
_LONGEST = 40


@dataclass(frozen=True)
class _Unit:
    value: float
    """Value in SI units."""
    dimension: _Dimension


def factor_between(unit: str, wanted: str) -> float:
    """Return the number that a value in a unit is multiplied by to be in another.

    Raises:
        DataError: if one is not understood, or they are of different dimensions.
    """
    if unit == wanted:
        return 1.0
    one, other = _parsed(unit), _parsed(wanted)
    if one is None or other is None:
        unknown = unit if one is None else wanted
        raise DataError(
            f"the unit {unknown!r} is not understood, and {wanted} is wanted",
            remedy=f"Convert the numbers to {wanted}, and name that.",
        )
    if one.dimension != other.dimension:
        raise DataError(
            f"{unit} is no unit of what is measured in {wanted}",
            remedy=f"Convert the numbers to {wanted}, and name that.",
        )
    return one.value / other.value


@lru_cache(maxsize=256)
def _parsed(text: str) -> _Unit | None:
    """Return a unit such as ``meV/atom``, ``g cm^-3`` or ``µW/(cm K²)``; None for anything else."""
    text = text.strip().replace("μ", "µ").replace("·", " ").replace("*", " ")
    if not text or len(text) > _LONGEST:
        return None
    above, *below = text.replace("(", " ").replace(")", " ").split("/")
    value, dimension = 1.0, (0,) * len(_BASES)
    for parts, sign in ((above, 1), *((each, -1) for each in below)):
        for word in parts.split():
            if word == "1":
                continue
            found = _power(word)
            if found is None:
                return None
            value *= found.value**sign
            pairs = zip(dimension, found.dimension, strict=True)
            dimension = tuple(a + sign * b for a, b in pairs)
    return _Unit(value, dimension)


def _power(word: str) -> _Unit | None:
    if factor := _FACTOR.fullmatch(word):
        exponent = int(factor[1].translate(_SUPERSCRIPTS))
        return _Unit(10.0**exponent, (0,) * len(_BASES)) if abs(exponent) <= 30 else None
    match = _PART.fullmatch(word)
    if match is None or (symbol := _symbol(match[1])) is None:
        return None
    exponent = int((match[2] or "1").translate(_SUPERSCRIPTS))
    if abs(exponent) > 6:
        return None
    return _Unit(symbol.value**exponent, tuple(exponent * each for each in symbol.dimension))


def _symbol(name: str) -> _Unit | None:
    name = "atom" if name == "atoms" else name
    if name in UNIT_SYMBOLS:
        return _Unit(*UNIT_SYMBOLS[name])
    prefix, rest = name[0], name[1:]
    if prefix in PREFIXES and rest in _PREFIXED:
        value, dimension = UNIT_SYMBOLS[rest]
        return _Unit(PREFIXES[prefix] * value, dimension)
    return None
