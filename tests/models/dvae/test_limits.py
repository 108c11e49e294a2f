"""Limits say what is wrong with an alloy, and find one near it with which nothing is."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pymatgen.core import Composition

from alloop.errors import MaterialError
from alloop.models.dvae.limits import Limits, PriceTable

SYMBOLS = ("Fe", "Ni", "Cr", "Al", "Pt")


def alloy(fractions: np.ndarray) -> Composition:
    return Composition({s: x for s, x in zip(SYMBOLS, fractions, strict=True) if x > 0})


@given(
    parts=st.lists(st.floats(0, 1), min_size=5, max_size=5).filter(lambda x: sum(x) > 0.1),
    cap=st.floats(0.1, 1),
    least=st.floats(0, 0.3),
    most=st.integers(3, 5),
    price=st.one_of(st.none(), st.floats(10, 5000)),
)
def test_the_nearest_alloy_is_within_the_limits(
    parts: list[float], cap: float, least: float, most: int, price: float | None
) -> None:
    limits = Limits(
        banned=("Al",),
        caps={"Cr": cap},
        fractions={"Ni": (least, 0.9)},
        most_elements=most,
        highest_price=price,
    )
    nearest = limits.nearest(np.array(parts) / sum(parts), SYMBOLS)
    if nearest is not None:
        assert nearest.sum() == pytest.approx(1)
        assert limits.violations(alloy(nearest)) == []


def test_an_alloy_within_the_limits_stays_as_it_is() -> None:
    fractions = np.array([0.4, 0.3, 0.3, 0, 0])
    limits = Limits(banned=("Al",), caps={"Cr": 0.3}, highest_price=30)
    np.testing.assert_allclose(limits.nearest(fractions, SYMBOLS), fractions, atol=1e-6)


def test_each_violation_is_named() -> None:
    limits = Limits(
        allowed=("Fe", "Ni", "Pt"), caps={"Ni": 0.2}, most_elements=2, highest_price=1000
    )
    wrong = limits.violations(Composition("Fe0.3Ni0.3Cr0.1Pt0.3"))
    assert len(wrong) == 4
    assert "Cr is 0.100" in wrong[0]
    assert "Ni is 0.300, outside 0 to 0.2" in wrong[1]
    assert "4 elements" in wrong[2]
    assert "USD/kg" in wrong[3]


def test_where_no_alloy_fits_there_is_none() -> None:
    only_dear = Limits(allowed=("Pt",), highest_price=10)
    assert only_dear.nearest(np.array([0, 0, 0, 0, 1.0]), SYMBOLS) is None
    too_small = Limits(allowed=("Fe", "Ni"), caps={"Fe": 0.3, "Ni": 0.3})
    assert too_small.nearest(np.array([0.5, 0.5, 0, 0, 0]), SYMBOLS) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"banned": ("Xx",)},
        {"caps": {"Fe": 30.0}, "fractions": {"Fe": (40.0, 50.0)}},
        {"banned": ("Fe",), "fractions": {"Fe": (0.1, 0.5)}},
        {"highest_price": -1.0},
    ],
)
def test_impossible_limits_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Limits(**wrong)  # type: ignore[arg-type]


def test_prices_are_by_weight_dated_and_sourced() -> None:
    table = PriceTable.of_pymatgen()
    iron, platinum = table.prices["Fe"], table.prices["Pt"]
    assert iron.date
    assert iron.source
    share = 195.084 / (195.084 + 55.845)  # standard atomic weights
    expected = share * platinum.usd_per_kg + (1 - share) * iron.usd_per_kg
    assert table.per_kg(Composition("FePt")) == pytest.approx(expected, rel=1e-4)


def test_a_table_of_ones_own_is_read_and_checked(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("element,usd_per_kg,date,source\nFe,0.5,2024-05,an offer\n")
    assert PriceTable.read(path).per_kg(Composition("Fe")) == pytest.approx(0.5)
    with pytest.raises(MaterialError, match="no price is known for Ni"):
        PriceTable.read(path).per_kg(Composition("FeNi"))
    path.write_text("element,usd_per_kg,date,source\nFe,cheap,2024-05,an offer\n")
    with pytest.raises(MaterialError, match=r"row 2, usd_per_kg: 'cheap' is not a price"):
        PriceTable.read(path)
    path.write_text("element,price\nFe,1\n")
    with pytest.raises(MaterialError, match="the columns are element, price"):
        PriceTable.read(path)
