"""The one builder of ledgers for tests; what a test leaves out of an event is filled in."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from alloop.campaigns.load import parse_spec
from alloop.canonical import sha256
from alloop.loop.record.events import (
    CampaignOpened,
    Decision,
    Event,
    LedgerEntry,
    Lineage,
    Measured,
    Proposed,
    Stage,
)
from alloop.loop.state.campaign_state import CampaignState, evaluation_id
from alloop.loop.state.folding.fold import fold
from alloop.oracles.base import FailureKind, Status

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
NOTHING = "0" * 64
"""In place of a hash: the fold does not look at the chain."""


def entry(
    seq: int, event: Event, *, time: datetime | None = None, previous: str = NOTHING, hash: str = ""
) -> LedgerEntry:
    """Return an event as an entry; times are a second apart unless given."""
    when = BEGAN + timedelta(seconds=seq - 1) if time is None else time
    return LedgerEntry(
        seq=seq, time=when.isoformat(), event=event, previous=previous, hash=hash or NOTHING
    )


def entries(*events: Event, start: datetime = BEGAN) -> list[LedgerEntry]:
    """Return events as the entries of a ledger, a second apart."""
    return [entry(i + 1, e, time=start + timedelta(seconds=i)) for i, e in enumerate(events)]


def state_after(events: Iterable[Event]) -> CampaignState:
    """Return what the fold makes of events."""
    state = fold(entries(*events))
    assert state is not None
    return state


def opened(spec: Mapping[str, Any], fingerprints: Sequence[str]) -> CampaignOpened:
    """Return the first event of a campaign with a spec, a fingerprint for each tier."""
    full = parse_spec(dict(spec), where="test").model_dump(mode="json")
    return CampaignOpened(spec=full, fingerprints=tuple(fingerprints), versions={})


def decision(name: str, **changes: Any) -> Decision:
    """Return the choice of a candidate drawn at random, known by the hash of a name."""
    usual = {"formula": name, "chosen": True, "reason": "", "lineage": Lineage(source="random")}
    return Decision(candidate=sha256(name), **(usual | changes))


def proposed(round: int, stage: Stage, decisions: Iterable[Decision], **changes: Any) -> Proposed:
    """Return the proposal of candidates."""
    return Proposed(round=round, stage=stage, decisions=tuple(decisions), **changes)


def measured(
    round: int,
    stage: Stage,
    candidate: str,
    properties: Mapping[str, float] | None,
    *,
    fingerprint: str,
    failure: FailureKind = FailureKind.NOT_CONVERGED,
    **changes: Any,
) -> Measured:
    """Return the answer about a candidate, by its id; no properties for a failure of the kind."""
    usual: dict[str, Any] = {
        "tier": 0,
        "status": Status.FAILED if properties is None else Status.OK,
        "properties": dict(properties or {}),
        "failure_kind": failure if properties is None else None,
        "oracle": fingerprint,
    }
    return Measured(
        evaluation=evaluation_id(candidate, fingerprint),
        candidate=candidate,
        round=round,
        stage=stage,
        fingerprint=fingerprint,
        **(usual | changes),
    )
