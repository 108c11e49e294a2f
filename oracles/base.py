"""The interface of every oracle: a material goes in, a measurement comes out."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

from alloop.canonical import canonical_json, sha256
from alloop.exchanges import Exchange
from alloop.materials import Material, material_from_json, material_to_json
from alloop.properties import joined_notes


class Status(StrEnum):
    """Status of a measurement."""

    OK = "ok"
    FAILED = "failed"


class FailureKind(StrEnum):
    """Kinds of failure of a measurement."""

    UNSUPPORTED = "unsupported"
    """Material that the oracle cannot treat (an element, a size, a composition without sites)."""
    LOST_ATOMS = "lost_atoms"
    """Breakdown of the simulation: atoms flew off or overlapped."""
    NOT_CONVERGED = "not_converged"
    """Relaxation that ended before its forces and stresses were small."""
    UNPHYSICAL = "unphysical"
    """Value that is not finite or not physical: NaN, a collapsed cell."""
    ERROR = "error"
    """Exception of the oracle; the message says what."""
    TIMEOUT = "timeout"
    """Measurement that took longer than its tier allows, and was ended."""
    REPORTED = "reported"
    """Report of a person that it could not be measured; the message says why."""
    WORKER_DIED = "worker_died"
    """Death of the process that measured it."""
    CANCELLED = "cancelled"
    """Measurement that a person has ended; the message says who and why."""


RETRYABLE = frozenset({FailureKind.TIMEOUT, FailureKind.WORKER_DIED})
"""Kinds of failure that may come from the machine rather than from the material."""


INFEASIBLE = frozenset(
    {
        FailureKind.UNSUPPORTED,
        FailureKind.LOST_ATOMS,
        FailureKind.NOT_CONVERGED,
        FailureKind.UNPHYSICAL,
        FailureKind.REPORTED,
    }
)
"""Kinds of failure of the material itself, which would come again. ``ERROR`` is in neither: it may
be a mistake in the software, so it is not tried again and nothing is concluded from it either. Nor
is ``CANCELLED``: whoever ended it says whether it is tried again."""


def fingerprint_of(**settings: Any) -> str:
    """Return the hash of settings that change a measured value: plain JSON values by name."""
    return sha256(canonical_json(settings))


class NotFinite(ValueError):
    """Raised for a measured value that is NaN or infinite."""


@dataclass(frozen=True)
class Failure:
    """Failure of a measurement: kind, message, and whether to try again."""

    kind: FailureKind
    message: str
    retryable: bool = False


@dataclass(frozen=True)
class Cost:
    """Cost of a measurement. Costs add."""

    calls: int = 0
    wall_seconds: float = 0.0
    core_hours: float = 0.0
    money: float = 0.0
    """Price, in the user's own currency."""

    @property
    def problem(self) -> str | None:
        """Reason why nothing can have cost this, such as less than nothing; None where it can."""
        for name, value in vars(self).items():
            if not (math.isfinite(value) and value >= 0):
                return f"a cost is not finite, or negative: {name} {value}"
        return None

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            self.calls + other.calls,
            self.wall_seconds + other.wall_seconds,
            self.core_hours + other.core_hours,
            self.money + other.money,
        )


@dataclass(frozen=True)
class Measurement:
    """Measurement of one material by one oracle; a failure is a measurement too."""

    status: Status
    properties: Mapping[str, float]
    """Values by property name, in the units of ``alloop.properties``; empty on failure."""
    material: Material | None
    """The relaxed material, where the oracle relaxes."""
    failure: Failure | None
    oracle: str
    fingerprint: str
    cost: Cost = field(default_factory=Cost)
    document: Mapping[str, Any] | None = None
    """Record of the oracle's calculations, plain JSON; None where there is nothing to keep."""
    doubts: Mapping[str, str] = field(default_factory=dict)
    """Reason for which a value is not to be relied on, by property name. Such a value is recorded
    and shown, and nothing is chosen, learnt or promoted by it."""
    remarks: Mapping[str, str] = field(default_factory=dict)
    """What the oracle found and settled on the way to a value, by property name."""

    def __post_init__(self) -> None:
        if (self.status is Status.FAILED) != (self.failure is not None):
            raise ValueError("a measurement has a failure exactly when its status is failed")
        if self.status is Status.OK and not all(map(math.isfinite, self.properties.values())):
            raise NotFinite(f"a value is not finite: {dict(self.properties)}")

    @classmethod
    def succeeded(
        cls,
        properties: Mapping[str, float],
        *,
        oracle: str,
        fingerprint: str,
        material: Material | None = None,
        cost: Cost = Cost(),
        doubts: Mapping[str, str] = MappingProxyType({}),
        remarks: Mapping[str, str] = MappingProxyType({}),
    ) -> "Measurement":
        """Return a measurement that gave values.

        Args:
            properties: values by name, in the units that the oracle's options say.
            oracle: name of the oracle.
            fingerprint: of the oracle.
            material: the relaxed material, where the oracle relaxes.
            cost: what it took; left out, it is settled by the worker: one call, and its time.
            doubts: by property, why its value is not to be relied on.
            remarks: by property, what was found and settled.

        Raises:
            NotFinite: if a value is NaN or infinite.
        """
        values = {name: float(value) for name, value in properties.items()}
        return cls(
            Status.OK,
            values,
            material,
            None,
            oracle,
            fingerprint,
            cost,
            doubts=dict(doubts),
            remarks=dict(remarks),
        )

    @classmethod
    def failed(
        cls,
        kind: FailureKind,
        message: str,
        *,
        oracle: str,
        fingerprint: str,
        cost: Cost = Cost(),
    ) -> "Measurement":
        """Return a failed measurement of the given kind; ``cost`` as in ``succeeded``."""
        failure = Failure(kind, message, retryable=kind in RETRYABLE)
        return cls(Status.FAILED, {}, None, failure, oracle, fingerprint, cost)

    def doubt(self, names: Iterable[str]) -> str:
        """Return why the values of these properties are not to be relied on; empty where they
        are."""
        return joined_notes(self.doubts, names)

    def to_json(self) -> dict[str, Any]:
        """Return the plain form that ``from_json`` reads."""
        return {
            "status": self.status.value,
            "properties": {name: float(value) for name, value in self.properties.items()},
            "material": None if self.material is None else material_to_json(self.material),
            "failure": None
            if self.failure is None
            else {
                "kind": self.failure.kind.value,
                "message": self.failure.message,
                "retryable": self.failure.retryable,
            },
            "oracle": self.oracle,
            "fingerprint": self.fingerprint,
            "cost": vars(self.cost),
            "document": self.document,
            "doubts": dict(self.doubts),
            "remarks": dict(self.remarks),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Measurement":
        """Rebuild a measurement from its plain form.

        Raises:
            KeyError, ValueError: if the form is not one that ``to_json`` writes, or a cost is
                negative or not finite.
        """
        failure, cost = data["failure"], Cost(**data["cost"])
        if cost.problem is not None:
            raise ValueError(cost.problem)
        return cls(
            status=Status(data["status"]),
            properties=dict(data["properties"]),
            material=None if data["material"] is None else material_from_json(data["material"]),
            failure=None
            if failure is None
            else Failure(FailureKind(failure["kind"]), failure["message"], failure["retryable"]),
            oracle=data["oracle"],
            fingerprint=data["fingerprint"],
            cost=cost,
            document=data.get("document"),
            doubts=_notes(data.get("doubts", {})),
            remarks=_notes(data.get("remarks", {})),
        )


def _notes(notes: Mapping[Any, Any]) -> dict[str, str]:
    return {str(name): str(note) for name, note in notes.items()}


@runtime_checkable
class Oracle(Protocol):
    """Oracle: anything that measures."""

    name: str
    """Name for people, such as ``lammps NiFeCr-Wu2017``."""

    def fingerprint(self) -> str:
        """Return the hash of every setting that changes a measured *value*."""

    def measure(self, material: Material) -> Measurement:
        """Measure one material. A bad material gives a failed measurement, never an exception."""


@runtime_checkable
class RecognisingOracle(Oracle, Protocol):
    """An oracle of known materials that knows a crystal again in coordinates of its own."""

    def materials(self) -> tuple[Material, ...]:
        """Return what it knows, in the order of its source."""

    def recognise(self, material: Material) -> str | None:
        """Return the key of what it knows that the material is; None where it knows nothing of the
        kind."""


EXCHANGE_PROCEDURE = 1
"""Version of the exchange procedure, raised when a change of ``measure_exchanged`` changes values;
part of its fingerprint."""


def exchange_fingerprint(fingerprint: str) -> str:
    """Return the fingerprint of the measurements that ``measure_exchanged`` gives, from that of
    the oracle: they may end in another minimum than one from scratch.
    """
    return sha256(canonical_json({"oracle": fingerprint, "warm start": EXCHANGE_PROCEDURE}))


@runtime_checkable
class ExchangeOracle(Oracle, Protocol):
    """An oracle that is faster where it is told which ordering another one was made from."""

    def measure_exchanged(self, start: Material, exchanges: Sequence[Exchange]) -> Measurement:
        """Measure the structure that exchanges of atoms make of a start, one after the other.

        What is measured follows from the arguments alone, and so do its values. The measurement
        has the oracle's ``exchange_fingerprint``.
        """
