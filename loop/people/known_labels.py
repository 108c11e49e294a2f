"""Labels that somebody has already, as they are read from files, runs or Python."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alloop.errors import DataError
from alloop.materials import Material
from alloop.properties import POSSIBLE_VALUES
from alloop.units import factor_between

MOST_LABELS = 20_000
"""Most materials of one source: each is described and compared with the others of its formula."""


@dataclass(frozen=True)
class KnownLabel:
    """What is known of one material; without properties it is an unlabelled one."""

    material: Material
    properties: Mapping[str, float]
    """Values in the campaign's units, by property; what is not known is absent."""
    source: str = ""
    """Source of this label: a paper, a data base's key; empty where none is named."""
    where: str = ""
    """Place for errors: file and line."""


@dataclass(frozen=True)
class KnownLabels:
    """Labels of one source and one fidelity."""

    labels: tuple[KnownLabel, ...]
    value_of: int | None
    """Tier whose values they are; None for those of another fidelity."""
    source: str
    """Source for people: a file's name, a run's folder, or what was typed."""
    checksum: str = ""
    """SHA-256 of the file, or the head of the run."""
    fingerprint: str = ""
    """Fingerprint of the oracle that measured them, where one is known."""
    duplicates: str = "refuse"
    """Treatment of values that disagree: ``refuse``, ``first`` or ``mean``."""
    remarks: tuple[str, ...] = ()
    """Sentences on how the source was read."""


@dataclass(frozen=True)
class Reading:
    """How the values of one property are read."""

    name: str
    column: str
    unit: str
    """Unit in the file."""
    wanted: str
    """Unit of the campaign."""
    factor: float

    @classmethod
    def of(cls, name: str, column: str, unit: str, wanted: str, *, where: str) -> "Reading":
        """Return the reading of a column.

        Raises:
            DataError: if the unit cannot be converted to the campaign's.
        """
        try:
            factor = factor_between(unit, wanted)
        except DataError as error:
            raise DataError(
                f"{name}: {error.what}", where=f"{where}: column {column!r}", remedy=error.remedy
            ) from error
        return cls(name, column, unit, wanted, factor)

    def value(self, number: float, where: str) -> float:
        """Return a number in the campaign's unit.

        Raises:
            DataError: if the property cannot have that value.
        """
        value = number * self.factor
        low, high = POSSIBLE_VALUES.get(self.name, (-float("inf"), float("inf")))
        if not low <= value <= high:
            raise DataError(
                f"{self.name} is {value:g} {self.wanted}, and can only be {low:g} to {high:g}",
                where=f"{where}, column {self.column!r}",
                remedy="Is it in another unit? Name it in the column's head, such as [GPa], or in "
                "units.",
            )
        return value

    @property
    def said(self) -> str:
        """How it was read, in words."""
        unit = self.wanted if self.unit == self.wanted else f"{self.unit}, as {self.wanted}"
        return f"{self.name} from column {self.column!r} in {unit}"


def require_few(n: int, where: str) -> None:
    """Raise DataError if a source has more materials than are taken at once."""
    if n > MOST_LABELS:
        raise DataError(
            f"{n:,} materials are more than the {MOST_LABELS:,} that are taken from one source",
            where=where,
            remedy="Leave out what is far from the campaign's space, or split it.",
        )


def labels_from_python(
    materials: Sequence[Material],
    values: Mapping[str, Sequence[float | None]],
    *,
    units: Mapping[str, str],
    tier: int | None = 0,
    source: str = "Python",
) -> KnownLabels:
    """Return the labels of materials that are in memory.

    Args:
        materials: n structures or compositions.
        values: n values of each property, in the campaign's units; None or NaN for unknown ones.
        units: of the campaign's properties.
        tier: whose values they are; None for another fidelity.
        source: for people.

    Raises:
        DataError: if a property is unknown, its values are not as many as the materials, or one is
            impossible.
    """
    require_few(len(materials), source)
    readings = []
    for name, column in values.items():
        if name not in units:
            raise DataError(
                f"unknown property {name!r}; known are {', '.join(units)}",
                where=source,
                remedy="Declare it with its unit in the campaign's properties.",
            )
        if len(column) != len(materials):
            raise DataError(
                f"{len(column)} values of {name} for {len(materials)} materials", where=source
            )
        readings.append(Reading(name, name, units[name], units[name], 1.0))
    labels = []
    for place, material in enumerate(materials):
        where, properties = f"{source}: material {place}", {}
        for reading in readings:
            number = values[reading.name][place]
            if number is None or math.isnan(number):
                continue
            if math.isinf(number):
                raise DataError(f"{reading.name} is not finite", where=where)
            properties[reading.name] = reading.value(float(number), where)
        labels.append(KnownLabel(material, properties, where=where))
    return KnownLabels(tuple(labels), tier, source, duplicates="refuse")
