"""Events from the text that a ledger stores, each as little decoded as its readers need.

A proposal's decisions are nine tenths of a ledger's text, and most readers want of most of them
only who was chosen: they are decoded when one is looked at. Until then they are an outline.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast, overload

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from alloop.errors import LedgerError
from alloop.loop.record.events import EVENT, Decision, Event, Measured, Proposed, Stage
from alloop.loop.record.records import FORGOTTEN

_MEASURED = '"kind":"measured"'
_PROPOSED = '{"decisions":['
"""Beginning of a proposal's canonical JSON, whose keys are in order."""
_POSTERIOR = '"posterior":{"'
"""Text of a decision with a posterior, and of no other: inside a string quotes are escaped."""


class OutlinedDecision(TypedDict):
    """A decision of which only the most wanted is known."""

    candidate: str
    chosen: bool
    formula: str


class Moments(TypedDict):
    """Mean and standard deviation of a posterior, in the property's unit."""

    mean: float
    std: float


class _PredictedDecision(TypedDict, total=False):
    posterior: dict[str, Moments]


class _PredictedProposal(TypedDict):
    decisions: list[_PredictedDecision]


class _OutlinedProposal(TypedDict):
    decisions: list[OutlinedDecision]
    iteration: int
    kind: str
    notes: dict[str, float | str]
    round: int
    stage: Stage
    tier: int


_READ_MEASURED: TypeAdapter[Measured] = TypeAdapter(Measured)
_READ_PROPOSED: TypeAdapter[Proposed] = TypeAdapter(Proposed)
_READ_PREDICTED: TypeAdapter[_PredictedProposal] = TypeAdapter(_PredictedProposal)
_READ_OUTLINE: TypeAdapter[_OutlinedProposal] = TypeAdapter(_OutlinedProposal)


def read_event(text: str) -> Event:
    """Return an event.

    Args:
        text: canonical JSON, as ``Ledger.append`` wrote it once it had validated the event: of
            a proposal, decisions that are none are found when they are looked at.

    Raises:
        ValueError: if it is no event of this format.
    """
    try:
        # The union of all kinds reads a text twice: once for its kind.
        if _MEASURED in text:
            return _READ_MEASURED.validate_json(text)
        if text.startswith(_PROPOSED):
            return _outlined(text)
    except ValidationError:
        pass  # what is wrong with it is said of the kind that it claims to be
    return EVENT.validate_json(text)


def outline_of(proposed: Proposed) -> Sequence[OutlinedDecision]:
    """Return a proposal's decisions in outline, without decoding them."""
    decisions: object = proposed.decisions
    if isinstance(decisions, StoredDecisions):
        return decisions.outline
    return [
        {"candidate": d.candidate, "chosen": d.chosen, "formula": d.formula}
        for d in proposed.decisions
    ]


def posteriors_of(proposed: Proposed) -> Sequence[Mapping[str, Moments]]:
    """Return the posterior of each of a proposal's decisions, by property, and decode nothing else
    of them; empty where none of them has one."""
    decisions: object = proposed.decisions
    if isinstance(decisions, StoredDecisions):
        return decisions.posteriors()
    return _moments(proposed.decisions)


def may_name(proposed: Proposed, artifact: str) -> bool:
    """Return whether a proposal's decisions may name an artifact, without decoding them."""
    decisions: object = proposed.decisions
    return not isinstance(decisions, StoredDecisions) or decisions.may_name(artifact)


class StoredDecisions(Sequence[Decision]):
    """Decisions of a proposal as they are stored; decoded when one is looked at."""

    __slots__ = ("_decoded", "_text", "outline")

    def __init__(self, text: str, outline: Sequence[OutlinedDecision]) -> None:
        self.outline = outline
        self._text = text
        self._decoded: tuple[Decision, ...] | None = None

    def posteriors(self) -> Sequence[Mapping[str, Moments]]:
        """Return the posterior of each decision; empty where none has one."""
        if self._decoded is not None:
            return _moments(self._decoded)
        if _POSTERIOR not in self._text:
            return ()
        with _refusing():
            predicted = _READ_PREDICTED.validate_json(self._text)["decisions"]
        return [decision.get("posterior", {}) for decision in predicted]

    def _whole(self) -> tuple[Decision, ...]:
        if self._decoded is None:
            with _refusing():
                event = _READ_PROPOSED.validate_json(self._text)
            self._decoded, self._text = event.decisions, ""
        return self._decoded

    def may_name(self, artifact: str) -> bool:
        """Return whether an id stands in the text; true where it was decoded before."""
        return self._decoded is not None or artifact in self._text

    def __len__(self) -> int:
        return len(self.outline)

    def __iter__(self) -> Iterator[Decision]:
        return iter(self._whole())

    @overload
    def __getitem__(self, place: int) -> Decision: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Decision, ...]: ...
    def __getitem__(self, place: int | slice) -> Decision | tuple[Decision, ...]:
        return self._whole()[place]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, StoredDecisions | tuple):
            return self._whole() == tuple(other)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # decisions hold dictionaries

    def __repr__(self) -> str:
        return repr(self._whole())


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise LedgerError(
            f"a proposal of the ledger holds decisions that are none ({error})"
        ) from error


def _moments(decisions: Iterable[Decision]) -> Sequence[Mapping[str, Moments]]:
    return [
        {name: {"mean": p.mean, "std": p.std} for name, p in decision.posterior.items()}
        for decision in decisions
    ]


def _outlined(text: str) -> Proposed:
    """Return a proposal with its decisions in outline.

    Raises:
        ValidationError: if it is none.
    """
    fields = cast("dict[str, Any]", _READ_OUTLINE.validate_json(text, strict=False))
    if fields["kind"] != "proposed":
        return cast("Proposed", EVENT.validate_json(text))
    fields["decisions"] = StoredDecisions(text, fields["decisions"])
    proposed = Proposed.__new__(Proposed)
    proposed.__setstate__(
        {
            "__dict__": fields,
            "__pydantic_fields_set__": FORGOTTEN,
            "__pydantic_extra__": None,
            "__pydantic_private__": None,
        }
    )
    return proposed
