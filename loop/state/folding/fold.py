"""The pure fold over a campaign's events, of which its state comes."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from alloop.campaigns.spec import CampaignSpec
from alloop.errors import LedgerError, one_line
from alloop.loop.record.by_hand.brought import LabelsBrought
from alloop.loop.record.by_hand.candidates import (
    BatchAsked,
    CandidatesAdded,
    SessionAsked,
    Vetoed,
)
from alloop.loop.record.by_hand.changes import Retracted, SpecChanged
from alloop.loop.record.events import (
    AttemptFailed,
    CampaignClosed,
    CampaignOpened,
    LedgerEntry,
    Measured,
    ModelFitted,
    Proposed,
    ReferenceTaken,
    SelfTested,
    SessionClosed,
    SessionOpened,
)
from alloop.loop.record.stored_events import outline_of
from alloop.loop.state.brought import without_values
from alloop.loop.state.by_hand.decisions import HandDecisions
from alloop.loop.state.campaign_state import CampaignState, Evaluation, evaluation_id
from alloop.loop.state.folding.recorded_spec import amended_spec, recorded_spec, rescheduled_spec
from alloop.loop.state.folding.terms import Standing
from alloop.oracles.base import Status

BY_HAND = (
    LabelsBrought,
    SpecChanged,
    Retracted,
    BatchAsked,
    CandidatesAdded,
    Vetoed,
    SessionAsked,
)
"""Events that people write between sessions: none of them is time that the campaign took."""


class Fold:
    """Incremental fold of a ledger: entries go in one by one, the state can be read at any time.

    What it gives depends on the entries alone, as with ``fold``; a controller that appends an
    entry need not begin again.
    """

    def __init__(self) -> None:
        self._opened: CampaignOpened | None = None
        self._spec: CampaignSpec | None = None
        self._proposals: list[Proposed] = []
        self._evaluations: list[Evaluation] = []
        self._models: dict[int, ModelFitted] = {}
        self._recorded: dict[str, Measured] = {}
        self._partial: dict[str, Measured] = {}
        self._attempts: dict[str, tuple[AttemptFailed, ...]] = {}
        self._by_hand = HandDecisions()
        self._self_tests: dict[int, SelfTested] = {}
        self._brought: list[LabelsBrought] = []
        self._wall, self._sessions = 0.0, 0
        self._closed: str | None = None
        self._paused: str | None = None
        self._reference: ReferenceTaken | None = None
        self._began: str = ""
        self._session_began: datetime | None = None
        self._latest: datetime | None = None
        self._required: dict[int, tuple[str, ...]] = {}
        self._proposed: set[str] = set()
        self._standing = Standing()

    def add(self, entry: LedgerEntry) -> None:
        """Take in the next entry.

        Raises:
            LedgerError: if it is the first and does not open a campaign, or does not fit those
                before it.
        """
        try:
            self._add(entry)
        except (ValueError, LookupError, TypeError) as error:  # pydantic's are ValueErrors
            raise LedgerError(
                f"this event does not fit those before it ({one_line(error)[:300]})",
                where=str(entry.seq),
                remedy="Alloop does not write such; restore the ledger from a copy.",
            ) from error

    def _add(self, entry: LedgerEntry) -> None:  # noqa: PLR0912, PLR0915 (a case for each kind of event)
        event, time = entry.event, _time_of(entry)
        self._began = self._began or entry.time
        kind = type(event)  # of pydantic's classes `isinstance` asks Python, one by one
        if kind is CampaignOpened:
            assert isinstance(event, CampaignOpened)
            self._opened, self._spec = event, recorded_spec(event)
            self._standing.open(self._spec, entry)
        if self._opened is None or self._spec is None:
            raise LedgerError("the first event does not open a campaign", where=str(entry.seq))
        tier = getattr(event, "tier", 0)
        if not 0 <= tier < len(self._opened.fingerprints):
            raise ValueError(f"there is no tier {tier}")
        if kind in BY_HAND:
            self._end_session(self._latest)  # a session that was killed ended with its last event
        match event:
            case Measured():  # nearly all are
                self._require_whole(self._spec, event)
                self._measured(event, entry.seq)
            case Proposed():
                self._propose(event, self._opened.fingerprints)
            case SessionOpened():
                self._end_session(self._latest)  # of a controller that was killed
                self._session_began, self._sessions, self._paused = time, self._sessions + 1, None
                if event.scheduling is not None:
                    self._spec = rescheduled_spec(self._spec, event.scheduling, self._opened)
            case LabelsBrought():
                if not 0 <= (event.value_of or 0) < len(self._opened.fingerprints):
                    raise ValueError(f"there is no tier {event.value_of}")
                self._brought.append(event)
                self._standing.brought(event, entry.seq)
            case SpecChanged():
                self._amend(amended_spec(self._spec, event.changes, self._opened), entry)
            case Retracted():
                self._retract(event, entry.seq)
            case ReferenceTaken():
                self._reference = self._reference or event
                self._standing.reference_taken(entry.seq)
            case SelfTested():
                self._self_tests[event.tier] = event
            case ModelFitted():
                self._models[event.round] = event
                self._standing.fitted(event.round, entry.seq)
            case BatchAsked() | CandidatesAdded() | Vetoed():
                self._by_hand = self._by_hand.after(event)
            case AttemptFailed():
                earlier = self._attempts.get(event.evaluation, ())
                self._attempts[event.evaluation] = (*earlier, event)
            case CampaignClosed():
                self._closed = event.reason
            case SessionClosed():
                self._end_session(time)
                self._paused = event.reason if event.is_pause else None
        self._latest = time

    def _propose(self, event: Proposed, fingerprints: Sequence[str]) -> None:
        self._proposals.append(event)
        self._proposed.update(d["candidate"] for d in outline_of(event) if d["chosen"])
        self._evaluations += _asked_by(event, fingerprints)
        self._by_hand = self._by_hand.after_proposal(event)

    def _end_session(self, time: datetime | None) -> None:
        """Count the wall time of the session under way, if there is one."""
        self._wall += _span(self._session_began, time)
        self._session_began = None

    def _amend(self, spec: CampaignSpec, entry: LedgerEntry) -> None:
        """Go on under other terms."""
        assert self._spec is not None  # a campaign is opened before it is changed
        if spec.objectives != self._spec.objectives:
            self._reference = None  # of other objectives it says nothing
        self._standing.amend(self._spec, spec, entry, len(self._proposals))
        self._spec, self._closed = spec, None
        self._required.clear()

    def _retract(self, event: Retracted, seq: int) -> None:
        """Take measurements back."""
        for id in event.evaluations:
            m = self._recorded.pop(id, None) or self._partial.pop(id, None)
            if m is None:
                raise ValueError(f"evaluation {id} has no measurement to take back")
            if self._standing.retract(m, event, seq):
                self._reference = None
        without = without_values(self._brought, event.brought)
        if self._standing.retract_brought(self._brought, event, seq):
            self._reference = None
        self._brought = without
        self._closed = None

    def _measured(self, event: Measured, seq: int) -> None:
        self._standing.measured(event.evaluation, seq)
        if event.is_partial:
            self._partial[event.evaluation] = event
            return
        if event.corrects is not None:
            self._recorded[event.evaluation] = event
        else:
            self._recorded.setdefault(event.evaluation, event)
        self._partial.pop(event.evaluation, None)

    def _require_whole(self, spec: CampaignSpec, measured: Measured) -> None:
        """Raise ValueError if a measurement lacks what the campaign ranks by, or is of a
        candidate that was never proposed.
        """
        if measured.candidate not in self._proposed:
            raise ValueError(f"its candidate {measured.candidate[:12]} was never proposed")
        if measured.tier not in self._required:
            self._required[measured.tier] = spec.required_properties(measured.tier)
        if measured.status is Status.OK and not measured.is_partial:
            required = self._required[measured.tier]
            if missing := [name for name in required if name not in measured.properties]:
                raise ValueError(f"it measured no {', '.join(missing)}")

    def state(self) -> CampaignState | None:
        """Return the state that the entries so far amount to; None if there was none."""
        if self._opened is None or self._spec is None:
            return None
        return CampaignState(
            spec=self._spec,
            fingerprints=self._opened.fingerprints,
            proposals=tuple(self._proposals),
            evaluations=tuple(self._evaluations),
            models=dict(self._models),
            recorded=dict(self._recorded),
            partial=dict(self._partial),
            attempts=dict(self._attempts),
            by_hand=self._by_hand,
            self_tests=dict(self._self_tests),
            brought=tuple(self._brought),
            wall_seconds=self._wall + _span(self._session_began, self._latest),
            n_sessions=self._sessions,
            closed=self._closed,
            paused=self._paused,
            reference=self._reference,
            start_checkpoint=self._opened.start_checkpoint,
            versions=self._opened.versions,
            began=self._began,
            session_began="" if self._session_began is None else self._session_began.isoformat(),
            latest="" if self._latest is None else self._latest.isoformat(),
            terms=tuple(self._standing.terms),
            retractions=tuple(self._standing.retractions),
            retracted_labels=tuple(self._standing.retracted_labels),
            outdated_models=frozenset(self._standing.outdated_models),
        )


def fold(entries: Iterable[LedgerEntry]) -> CampaignState | None:
    """Return the state that a ledger's entries amount to; None for an empty ledger.

    Raises:
        LedgerError: if the first event does not open a campaign.
    """
    folding = Fold()
    for entry in entries:
        folding.add(entry)
    return folding.state()


def _asked_by(proposal: Proposed, fingerprints: Sequence[str]) -> Iterator[Evaluation]:
    for decision in outline_of(proposal):
        if decision["chosen"]:
            yield Evaluation(
                evaluation_id(decision["candidate"], fingerprints[proposal.tier]),
                decision["candidate"],
                proposal.tier,
                proposal.round,
                proposal.stage,
            )


def _time_of(entry: LedgerEntry) -> datetime:
    try:
        return datetime.fromisoformat(entry.time)
    except ValueError as error:
        raise LedgerError(f"{entry.time!r} is no time", where=f"entry {entry.seq}") from error


def _span(began: datetime | None, ended: datetime | None) -> float:
    return 0.0 if began is None or ended is None else max((ended - began).total_seconds(), 0.0)
