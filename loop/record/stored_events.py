"""Events from the text that a ledger stores, each as little decoded as its readers need.

A proposal's decisions are nine tenths of a ledger's text, and most readers want of most of them
only who was chosen: they are decoded when one is looked at. Until then they are an outline.
"""

from collections.abc import Iterator, Sequence
from typing import Any, cast, overload

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from alloop.errors import LedgerError
from alloop.loop.record.events import EVENT, Decision, Event, Measured, Proposed, Stage
from alloop.loop.record.records import FORGOTTEN

_MEASURED = '"kind":"measured"'
_PROPOSED = '{"decisions":['
"""Beginning of a proposal's canonical JSON, whose keys are in order."""


class OutlinedDecision(TypedDict):
    """A decision of which only the most wanted is known."""

    candidate: str
    chosen: bool
    formula: str


class _OutlinedProposal(TypedDict):
    decisions: list[OutlinedDecision]
    iteration: int
    kind: str
    notes: dict[str, float | str]
    round: int
    stage: Stage
    tier: int


_READ_MEASURED: TypeAdapter[Measured] = TypeAdapter(Measured)
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


class StoredDecisions(Sequence[Decision]):
    """Decisions of a proposal as they are stored; decoded when one is looked at."""

    __slots__ = ("_decoded", "_text", "outline")

    def __init__(self, text: str, outline: Sequence[OutlinedDecision]) -> None:
        self.outline = outline
        self._text = text
        self._decoded: tuple[Decision, ...] | None = None

    def _whole(self) -> tuple[Decision, ...]:
        if self._decoded is None:
            try:
                event = EVENT.validate_json(self._text)
            except ValueError as error:
                raise LedgerError(
                    f"a proposal of the ledger holds decisions that are none ({error})"
                ) from error
            assert isinstance(event, Proposed)
            self._decoded, self._text = event.decisions, ""
        return self._decoded

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
