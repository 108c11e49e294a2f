"""Options of an oracle: what a tier says in a spec. Light; the oracle itself is imported to build.

What a kind can do beyond measuring is said by the Protocols below that its options also implement.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, runtime_checkable

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from alloop.oracles.base import Cost
from alloop.space import SPACE_KINDS

if TYPE_CHECKING:
    from alloop.materials import Material
    from alloop.oracles.base import Oracle

SCHEDULING = frozenset({"timeout", "attempts", "workers", "profile"})
"""Options that change where, how long and how often a tier measures, and no value: they are no part
of a fingerprint, and a run may be continued with others."""


class OracleOptions(BaseModel):
    """Options of one tier: an oracle, and its place in the order of cost.

    Subclass it with a ``kind`` of its own, ``measures`` and ``build``, and name the subclass in the
    entry-point group ``alloop.oracles`` under that kind.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    kind: str
    promote: int = Field(
        default=0,
        ge=0,
        description="number of candidates of the tier below that are promoted to this one at a "
        "time",
    )
    timeout: float | None = Field(
        default=600.0, gt=0, description="time limit of one measurement, s; null: no limit"
    )
    attempts: int = Field(
        default=2,
        ge=1,
        le=10,
        description="largest number of attempts at a measurement whose worker is lost or whose "
        "time limit is reached; what the material itself causes is not tried again",
    )
    workers: int | None = Field(
        default=None,
        ge=1,
        le=1024,
        description="measurements of this tier at once, for example as many as there are "
        "licences; by default all workers",
    )
    gate: Mapping[str, tuple[float | None, float | None]] = Field(
        default_factory=dict,
        description="lowest and highest value, by property that this tier alone has to measure, "
        "of what may be promoted from it: {crystal_fraction: [0.95, null]}",
    )
    core_hour_price: float = Field(
        default=0.0, ge=0, allow_inf_nan=False, description="money per core-hour"
    )

    unused: ClassVar[Mapping[str, str]] = {}
    """Common options that do nothing for this kind, each with the reason; a spec that sets one is
    refused."""

    def measures(self) -> Mapping[str, str]:
        """Return the unit of each property that a measurement gives, by the property's name."""
        raise NotImplementedError

    def unmeasured(self, elements: Sequence[str]) -> Mapping[str, str]:
        """Return which of the properties no material with some of these elements has, and why, by
        the property's name; nothing unless a kind says so."""
        del elements
        return {}

    def build(self, elements: Sequence[str]) -> "Oracle":
        """Return the oracle; heavy imports happen in here.

        Args:
            elements: those it will be asked for; empty where that is not known yet.

        Raises:
            AlloopError: if a file, program or element that it needs is missing.
        """
        raise NotImplementedError

    def check_ready(self, elements: Sequence[str]) -> None:
        """Check that what the oracle needs is at hand, as cheaply as that can be told; without a
        cheaper way, by building it.

        Args:
            elements: those it will be asked for.

        Raises:
            AlloopError: if a file, program or element that it needs is missing.
        """
        self.build(elements)

    def describe_run(self) -> str:
        """Say in a few words what measuring runs, for whoever decides whether to trust a run."""
        return "in the worker"

    def starts_programs(self) -> bool:
        """Return whether building the oracle or measuring may start programs or jobs, other than
        Alloop's own worker processes; True of a kind that does not say.
        """
        return True

    def cost_of(self, seconds: float, cores: int = 1) -> Cost:
        """Return the cost of one call that took so many seconds on so many cores."""
        core_hours = seconds * cores / 3600
        return Cost(1, seconds, core_hours, core_hours * self.core_hour_price)

    def with_properties(self, wanted: Iterable[str]) -> Self:
        """Return these options, set to measure those wanted properties that they can.

        Args:
            wanted: names of the campaign's properties.
        """
        del wanted
        return self

    def check(self) -> None:
        """Check, once ``asked_for`` has been heard, that no option does nothing.

        Raises:
            ValueError: saying which one, and what to write instead.
        """

    def spaces(self) -> tuple[str, ...]:
        """Return the kinds of space whose materials it can measure."""
        return SPACE_KINDS

    @model_validator(mode="after")
    def _gates_are_open(self) -> Self:
        for name, (low, high) in self.gate.items():
            if low is None and high is None:
                raise ValueError(f"gate.{name} keeps nothing back; write [low, high], or remove it")
            if low is not None and high is not None and low > high:
                raise ValueError(f"gate.{name}, [{low:g}, {high:g}], lets nothing through")
        return self

    @model_validator(mode="after")
    def _uses_its_common_options(self) -> Self:
        for name, reason in self.unused.items():
            if getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"{name} does nothing for kind {self.kind}: {reason}; remove it")
        return self

    @model_serializer(mode="wrap")
    def _own_options_first(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data = handler(self)
        common = [key for key in OracleOptions.model_fields if key in data and key != "kind"]
        own = [key for key in data if key not in common and key != "kind"]
        return {key: data[key] for key in ("kind", *own, *common) if key in data}


@runtime_checkable
class AsksPeople(Protocol):
    """Options of a tier that people measure: the campaign waits, and takes labels by hand."""

    @property
    def protocol(self) -> str:
        """Protocol of the measurement, in words."""

    def n_required(self, n: int) -> int:
        """Return the number of n requests that have to be answered before the next round begins."""


@runtime_checkable
class ListsMaterials(Protocol):
    """Options of a tier that can name every material it has an answer for, such as a table."""

    def list_materials(self) -> "tuple[Material, ...]":
        """Return the materials, in the order of their source.

        Raises:
            DataError: if the source is not at hand or cannot be used.
        """


@runtime_checkable
class Recognises(ListsMaterials, Protocol):
    """Options of a tier that can answer for crystals in coordinates of their own, by what it lists:
    its oracle is a ``RecognisingOracle``."""

    @property
    def recognises(self) -> bool:
        """Whether it does, as it is set."""


@dataclass(frozen=True)
class TierWish:
    """What a tier of a first spec is to measure."""

    elements: tuple[str, ...]
    properties: tuple[str, ...]
    has_sites: bool
    """Whether the materials are structures; compositions are not."""
    file: Path | None = None
    """File that the user names for it; None where none is named."""


@runtime_checkable
class SuggestsTier(Protocol):
    """Options class of a kind that `alloop init` can write a tier of."""

    @classmethod
    def suggested_tier(cls, wish: TierWish) -> Mapping[str, Any]:
        """Return the keys of a tier that measures what is wished for, with ``kind``.

        Raises:
            AlloopError: if there is none, with what is missing.
        """


@runtime_checkable
class StartsWarm(Protocol):
    """Options of a tier whose oracle is an ``ExchangeOracle``: a neighbour in a local search is
    relaxed from where its parent is at rest.
    """

    @property
    def max_warm_start_atoms(self) -> int:
        """Number of atoms of the largest cell for which it can."""
