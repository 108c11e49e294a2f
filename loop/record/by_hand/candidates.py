"""What people decided by hand: the size of a batch, candidates of their own, vetoes, sessions."""

from typing import Annotated, Literal

from pydantic import Field

from alloop.loop.record.records import ArtifactId, Name, Reason, Record

MOST_ADDED = 1000
"""Most candidates of one event: some hundred kilobytes of a ledger's text."""


class BatchAsked(Record):
    """Event: a person asked for the next batch, of another size than the campaign's own."""

    kind: Literal["batch_asked"] = "batch_asked"
    size: Annotated[int, Field(ge=1)]
    """Number of candidates that the next proposal of the first tier is to choose."""
    who: Name


class AddedCandidate(Record):
    """A candidate of somebody's own."""

    candidate: ArtifactId
    formula: str
    lattice: str | None = None


class CandidatesAdded(Record):
    """Event: a person put candidates of their own into the queue; the next proposal takes them
    before any of the campaign's."""

    kind: Literal["candidates_added"] = "candidates_added"
    candidates: tuple[AddedCandidate, ...] = Field(max_length=MOST_ADDED)
    who: Name
    why: Reason


class Vetoed(Record):
    """Event: a person forbade a candidate. It is never chosen again, nor is an equivalent of it;
    what waits to be measured is withdrawn, and what was measured stays."""

    kind: Literal["vetoed"] = "vetoed"
    candidate: ArtifactId
    formula: str
    lattice: str | None = None
    who: Name
    why: Reason


class SessionAsked(Record):
    """Event: in somebody's name a controller was started, was stopped, or was to choose a batch, as
    an agent's server does it. A command that a person types is the controller, and says nothing of
    the kind."""

    kind: Literal["session_asked"] = "session_asked"
    asked: Literal["start", "stop", "suggest"]
    """Which of them; a stop is recorded once the controller has ended."""
    who: Name
    why: Reason
