"""Units are converted by their definitions, and what does not fit is refused."""

import pytest

from alloop.errors import DataError
from alloop.properties import UNITS
from alloop.units import factor_between

# CODATA 2018 (physics.nist.gov/constants) where no definition decides.
KNOWN = [
    ("kbar", "GPa", 0.1),
    ("Mbar", "GPa", 100.0),
    ("eV/Å^3", "GPa", 160.2176634),
    ("meV/atom", "eV/atom", 1e-3),
    ("Ry/atom", "eV/atom", 13.605693122994),
    ("Ha/atom", "eV/atom", 27.211386245988),
    ("kJ/(mol atom)", "eV/atom", 0.010364269656),
    ("kcal/mol/atom", "eV/atom", 0.043364104241),
    ("bohr³/atom", "Å³/atom", 0.148184711472),
    ("kg m^-3", "g/cm³", 1e-3),
    ("eV/Å²", "J/m²", 16.02176634),
    ("1/K", "10⁻⁶/K", 1e6),
    ("mW/(m K²)", "µW/(cm K²)", 10.0),
    ("%", "–", 0.01),
    ("mV", "V", 1e-3),
]


@pytest.mark.parametrize(("unit", "wanted", "factor"), KNOWN)
def test_a_unit_is_worth_what_its_definition_says(unit: str, wanted: str, factor: float) -> None:
    assert factor_between(unit, wanted) == pytest.approx(factor, rel=1e-10)
    assert factor_between(wanted, unit) == pytest.approx(1 / factor, rel=1e-10)


@pytest.mark.parametrize("unit", sorted(set(UNITS.values())))
def test_every_unit_of_the_table_is_understood(unit: str) -> None:
    assert factor_between(f"{unit} ", unit) == 1.0


@pytest.mark.parametrize(
    ("unit", "wanted", "problem"),
    [
        ("kJ/mol", "eV/atom", "is no unit of what is measured in eV/atom"),
        ("eV", "eV/atom", "is no unit"),
        ("GPa", "eV/atom", "is no unit"),
        ("HV", "GPa", "is not understood"),
        ("eV^99", "eV", "is not understood"),
        ("m" * 50, "m", "is not understood"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_unit_that_is_wanted(
    unit: str, wanted: str, problem: str
) -> None:
    with pytest.raises(DataError, match=problem) as refused:
        factor_between(unit, wanted)
    assert f"Convert the numbers to {wanted}" in str(refused.value)
