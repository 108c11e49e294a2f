"""The light table of symbols is pymatgen's."""

import pytest
from pymatgen.core import Element

from alloop.elements import ELEMENTS, ISOTOPES, checked_symbol, is_element


def test_the_symbols_are_those_that_pymatgen_knows() -> None:
    assert {*ELEMENTS, *ISOTOPES} == set(Element.__members__)


def test_the_order_is_that_of_the_atomic_numbers() -> None:
    assert [Element(symbol).Z for symbol in ELEMENTS] == list(range(1, 119))


@pytest.mark.parametrize("text", ["", "ni", "NI", "Xx", "Ni ", "Fe2", "Nickel"])
def test_what_is_no_symbol_is_refused(text: str) -> None:
    assert not is_element(text)
    with pytest.raises(ValueError, match="such as Ni"):
        checked_symbol(text)
