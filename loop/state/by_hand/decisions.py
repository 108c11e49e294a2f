"""What people decided by hand, as it stands: vetoes, the queue of added candidates, sizes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from alloop.loop.record.by_hand.candidates import (
    AddedCandidate,
    BatchAsked,
    CandidatesAdded,
    Vetoed,
)
from alloop.loop.record.events import Proposed, Stage
from alloop.loop.record.stored_events import outline_of
from alloop.loop.state.brought import brought_answers, labels_in

if TYPE_CHECKING:
    from alloop.loop.state.campaign_state import CampaignState

HandEvent = BatchAsked | CandidatesAdded | Vetoed

BATCHES = (Stage.INITIAL, Stage.ACQUISITION)
"""Stages whose size a person may ask for, and that take candidates from the queue."""


@dataclass(frozen=True)
class QueuedCandidate:
    """A candidate of somebody's own, with who added it."""

    added: AddedCandidate
    who: str
    why: str

    @property
    def reason(self) -> str:
        """Reason of its choice, for people."""
        return f"added by {self.who}: {self.why}"


@dataclass(frozen=True)
class HandDecisions:
    """Everything that people have decided by hand so far."""

    vetoes: Mapping[str, Vetoed] = field(default_factory=dict)
    """Vetoes by candidate."""
    added: Mapping[str, QueuedCandidate] = field(default_factory=dict)
    """Every candidate that was ever added, by its id, in their order."""
    queue: tuple[str, ...] = ()
    """Added candidates that no proposal has taken yet, in their order."""
    asked_size: int | None = None
    """Size that was asked for the next batch; None for the campaign's own."""
    sizes: tuple[int | None, ...] = ()
    """Size that was asked for each batch proposed so far; None for the campaign's own."""

    def after(self, event: HandEvent) -> "HandDecisions":
        """Return the decisions once one more was made."""
        match event:
            case BatchAsked():
                return replace(self, asked_size=event.size)
            case Vetoed():
                return replace(self, vetoes={event.candidate: event} | dict(self.vetoes))
            case CandidatesAdded():
                new = {
                    each.candidate: QueuedCandidate(each, event.who, event.why)
                    for each in event.candidates
                    if each.candidate not in self.queue
                }
                return replace(self, added={**self.added, **new}, queue=(*self.queue, *new))

    def after_proposal(self, proposed: Proposed) -> "HandDecisions":
        """Return the decisions once a proposal was made: it takes what it decided on from the
        queue, and a batch the size that was asked for."""
        later = self
        if proposed.stage in BATCHES:
            later = replace(self, asked_size=None, sizes=(*self.sizes, self.asked_size))
        if later.queue:
            decided = {decision["candidate"] for decision in outline_of(proposed)}
            later = replace(later, queue=tuple(id for id in later.queue if id not in decided))
        return later

    @cached_property
    def reasons_vetoed(self) -> dict[str, str]:
        """Who vetoed a candidate and why, by candidate."""
        return {id: f"vetoed by {veto.who}: {veto.why}" for id, veto in self.vetoes.items()}


def initial_wanted(state: "CampaignState") -> int:
    """Return the number of first candidates that are to be chosen: the budget's, less the labels of
    the first tier that people brought while the campaign was open."""
    told = {label.candidate for event, label in labels_in(state.brought) if event.who}
    n_told = sum(m.candidate in told for m in brought_answers(state, 0)) if told else 0
    return max(state.spec.budget.initial - n_told, 0)


def initial_missing(state: "CampaignState") -> int:
    """Return the number of first candidates that are still to be proposed, before any round: all at
    first; the rest, where a person asked for a part of them or vetoed some. It is 0 once fewer
    could be made than were wanted.
    """
    first = [p for p in state.requested if p.stage is Stage.INITIAL]
    if len(first) < len(state.requested):
        return 0
    withdrawn = {e.candidate for e in state.evaluations if e.tier == 0 and state.is_withdrawn(e)}
    missing = initial_wanted(state)
    for proposal, size in zip(first, state.by_hand.sizes, strict=False):
        chosen = {d["candidate"] for d in outline_of(proposal) if d["chosen"]}
        if len(chosen) < min(size or missing, missing):
            return 0
        missing -= len(chosen - withdrawn)
    return max(min(missing, state.remaining()), 0)
