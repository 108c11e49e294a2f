"""What an alloy may be made of: elements, fraction bounds, number of elements, price."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pymatgen.analysis import cost
from pymatgen.core import Composition, Element

from alloop.errors import MaterialError
from alloop.models.dvae.projection import SLACK, Bounds, project
from alloop.space import Compositions

_PYMATGEN = Path(cost.__file__).with_name("costdb_elements.csv")
_COLUMNS = ("element", "usd_per_kg", "date", "source")


@dataclass(frozen=True)
class Price:
    """Price of one element."""

    usd_per_kg: float
    date: str
    """For people: ``September 2013``."""
    source: str


@dataclass(frozen=True)
class PriceTable:
    """Prices by element's symbol."""

    prices: Mapping[str, Price]

    @classmethod
    def of_pymatgen(cls) -> Self:
        """Return pymatgen's table: Wolfram Alpha and Wikipedia, mostly of September 2013.

        It is old and rough (iron at 0.03 USD/kg is not even scrap's price); where money matters,
        give a table of your own to ``read``.
        """
        return cls(_pymatgen_prices())

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a CSV with the columns element, usd_per_kg, date and source.

        Raises:
            MaterialError: naming row and column.
        """
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != _COLUMNS:
                raise MaterialError(
                    f"the columns are {', '.join(reader.fieldnames or ())}",
                    where=str(path),
                    remedy=f"They should be {', '.join(_COLUMNS)}.",
                )
            prices: dict[str, Price] = {}
            for row in reader:
                where = f"{path}, row {reader.line_num}"
                symbol = row["element"]
                if not Element.is_valid_symbol(symbol) or symbol in prices:
                    raise MaterialError(
                        f"{symbol!r} is no element, or comes twice", where=f"{where}, element"
                    )
                prices[symbol] = Price(
                    _positive(row["usd_per_kg"], where), row["date"], row["source"]
                )
        return cls(prices)

    def of(self, symbols: Sequence[str]) -> np.ndarray:
        """Return prices in USD/kg, shape (e,).

        Raises:
            MaterialError: naming an element without a price.
        """
        if missing := [symbol for symbol in symbols if symbol not in self.prices]:
            raise MaterialError(
                f"no price is known for {missing[0]}",
                remedy="Give a table that has one, or ban the element.",
            )
        return np.array([self.prices[symbol].usd_per_kg for symbol in symbols])

    def per_kg(self, composition: Composition) -> float:
        """Return the price of an alloy's elements, USD per kg of alloy.

        Raises:
            MaterialError: naming an element without a price.
        """
        weights = {el.symbol: composition.get_wt_fraction(el) for el in composition.elements}
        return float(self.of(list(weights)) @ np.array(list(weights.values())))


class Limits(BaseModel):
    """Constraints on compositions. Fractions are atomic."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    allowed: tuple[str, ...] | None = Field(default=None, description="all elements, if left out")
    banned: tuple[str, ...] = ()
    fractions: Mapping[str, tuple[float, float]] = Field(
        default_factory=dict, description="lowest and highest fraction, by element"
    )
    caps: Mapping[str, float] = Field(
        default_factory=dict, description="highest fraction, by element; short for fractions"
    )
    most_elements: int | None = Field(default=None, ge=1)
    highest_price: float | None = Field(default=None, gt=0, description="USD per kg of alloy")
    prices: PriceTable = Field(default_factory=PriceTable.of_pymatgen)

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        named = {*(self.allowed or ()), *self.banned, *self.fractions, *self.caps}
        if unknown := sorted(name for name in named if not Element.is_valid_symbol(name)):
            raise ValueError(f"{unknown[0]!r} is not a chemical element")
        for symbol in named:
            low, high = self.bounds(symbol)
            if not 0 <= low <= high <= 1:
                raise ValueError(
                    f"no fraction of {symbol} lies between {low:g} and {high:g} (fractions, "
                    "not percent); loosen its bounds or do not ban it"
                )
        return self

    def bounds(self, symbol: str) -> tuple[float, float]:
        """Return the lowest and highest fraction of an element."""
        low, high = self.fractions.get(symbol, (0.0, 1.0))
        high = min(high, self.caps.get(symbol, 1.0))
        if symbol in self.banned or (self.allowed is not None and symbol not in self.allowed):
            high = 0.0
        return low, high

    def violations(self, composition: Composition) -> list[str]:
        """Return what is wrong with a composition, one sentence each; empty if nothing is."""
        fractions = composition.fractional_composition.get_el_amt_dict()
        wrong = []
        for symbol in sorted({*fractions, *self.fractions}):
            fraction = fractions.get(symbol, 0.0)
            low, high = self.bounds(symbol)
            if not low - SLACK <= fraction <= high + SLACK:
                wrong.append(f"{symbol} is {fraction:.3f}, outside {low:g} to {high:g}")
        if self.most_elements is not None and len(fractions) > self.most_elements:
            wrong.append(f"{len(fractions)} elements, more than {self.most_elements}")
        if self.highest_price is not None:
            price = self.prices.per_kg(composition)
            if price > self.highest_price:
                wrong.append(f"{price:.2f} USD/kg, above {self.highest_price:g}")
        return wrong

    def nearest(self, fractions: np.ndarray, symbols: Sequence[str]) -> np.ndarray | None:
        """Return fractions within the limits near the given ones, or None where there are none.

        How they are found says ``project``.

        Args:
            fractions: shape (e,).
            symbols: of the elements, length e.
        """
        found = project(np.asarray(fractions, dtype=float)[None], self._bounds(symbols))[0]
        return None if np.isnan(found).any() else found

    def _bounds(self, symbols: Sequence[str]) -> Bounds:
        low, high = np.array([self.bounds(symbol) for symbol in symbols]).T
        excess = None
        if self.highest_price is not None:
            # An alloy is affordable if Σ c_i m_i (p_i − highest) ≤ 0, which is linear in c.
            masses = np.array([float(Element(symbol).atomic_mass) for symbol in symbols])
            excess = masses * (self.prices.of(symbols) - self.highest_price)
        return Bounds(low, high, most=self.most_elements, excess=excess)


def bounds_of(space: Compositions, symbols: Sequence[str]) -> Bounds:
    """Return the limits of a campaign's space on alloys of its elements: fractions, numbers of
    elements, price and steps."""
    low, high = np.array([space.part_bounds(symbol) for symbol in symbols]).T / space.n_parts
    fewest, most = space.element_numbers()
    excess = space.price_excess
    prices = np.array([excess[symbol] for symbol in symbols]) if excess else None
    return Bounds(low, high, fewest, most, prices, space.n_parts)


@lru_cache(maxsize=1)
def _pymatgen_prices() -> Mapping[str, Price]:
    prices = {}
    with _PYMATGEN.open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file, quotechar="|"):
            symbol, usd, reference = row[0].strip(), row[1], row[3]
            if Element.is_valid_symbol(symbol):
                fields = dict(re.findall(r'(\w+) = "([^"]*)"', reference))
                date = f"{fields.get('month', '')} {fields.get('year', '')}".strip()
                prices[symbol] = Price(float(usd), date, fields.get("title", "pymatgen"))
    return prices


def _positive(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 < value < float("inf"):
        raise MaterialError(f"{text!r} is not a price", where=f"{where}, usd_per_kg")
    return value
