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

_PYMATGEN = Path(cost.__file__).with_name("costdb_elements.csv")
_COLUMNS = ("element", "usd_per_kg", "date", "source")
_SLACK = 1e-6
"""Tolerance of a fraction: less than any scale weighs."""


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
            if not low - _SLACK <= fraction <= high + _SLACK:
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

        Elements beyond the most allowed go first, the smallest fractions before others. The
        rest is scaled so that it sums to one, each element stopping at its bounds. A price
        that is too high is met by blending towards the same elements' cheapest allowed mixture.

        Args:
            fractions: shape (e,).
            symbols: of the elements, length e.
        """
        low, high = np.array([self.bounds(symbol) for symbol in symbols]).T
        if low.sum() > 1 + _SLACK or high.sum() < 1 - _SLACK:
            return None
        kept = _largest(fractions, low, high, self.most_elements)
        inside = _scaled(fractions, low, np.where(kept, high, 0.0))
        if inside is None or self.highest_price is None:
            return inside
        return self._affordable(inside, low, np.where(inside > 0, high, 0.0), symbols)

    def _affordable(
        self, fractions: np.ndarray, low: np.ndarray, high: np.ndarray, symbols: Sequence[str]
    ) -> np.ndarray | None:
        assert self.highest_price is not None
        masses = np.array([float(Element(symbol).atomic_mass) for symbol in symbols])
        # An alloy is affordable if Σ c_i m_i (p_i − highest) ≤ 0, which is linear in c.
        excess = masses * (self.prices.of(symbols) - self.highest_price)
        if fractions @ excess <= 0:
            return fractions
        cheapest = low.copy()
        for i in np.argsort(excess):
            cheapest[i] += max(0.0, min(high[i] - low[i], 1 - cheapest.sum()))
        saving = (fractions - cheapest) @ excess
        if cheapest.sum() < 1 - _SLACK or cheapest @ excess > 0:
            return None
        share = fractions @ excess / saving
        return np.asarray(fractions + min(1.0, share * (1 + _SLACK)) * (cheapest - fractions))


def _largest(
    fractions: np.ndarray, low: np.ndarray, high: np.ndarray, most: int | None
) -> np.ndarray:
    """Return which elements to keep: those that must be there, then the largest fractions."""
    kept = (fractions > 0) & (high > 0) | (low > 0)
    if not kept.any() or high[kept].sum() < 1:  # what is there cannot fill an alloy
        kept = high > 0
    if most is not None and kept.sum() > most:
        rank = np.where(low > 0, 2.0, fractions)
        rank[~kept] = -1.0
        kept = np.zeros_like(kept)
        kept[np.argsort(-rank, kind="stable")[:most]] = True
    return kept


def _scaled(fractions: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray | None:
    """Return clip(s · fractions, low, high) with the s for which it sums to one."""
    if low.sum() > 1 + _SLACK or high.sum() < 1 - _SLACK:
        return None
    # An element at nought would stay there, however large s is.
    weights = np.where(high > 0, np.maximum(fractions, 1e-6), 0.0)
    least, most = 0.0, 1.0
    while np.clip(most * weights, low, high).sum() < 1 - 1e-12 and most < 1e9:
        most *= 2
    for _ in range(100):
        middle = (least + most) / 2
        if np.clip(middle * weights, low, high).sum() < 1:
            least = middle
        else:
            most = middle
    return np.asarray(np.clip(most * weights, low, high))


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
