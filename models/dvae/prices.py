"""What elements cost: a table with its date and source."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Self

import numpy as np
from pymatgen.analysis import cost
from pymatgen.core import Composition, Element

from alloop.errors import MaterialError

_PYMATGEN = Path(cost.__file__).with_name("costdb_elements.csv")
_COLUMNS = ("element", "usd_per_kg", "date", "source")


@dataclass(frozen=True)
class Price:
    """Of one element."""

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
