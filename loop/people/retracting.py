"""Taking measurements back: an event, after which a campaign goes on as if they had not been made.

They stay in the ledger, and what they cost stays paid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from alloop.errors import AlloopError, RunError
from alloop.loop.choose.augmentation import task_payload_id
from alloop.loop.measure.label_cache import label_cache
from alloop.loop.measure.spool import Spool, attempt_of
from alloop.loop.opening import folded
from alloop.loop.ownership import is_own
from alloop.loop.people.changing import close_if_over
from alloop.loop.people.who import checked_reason, user_name
from alloop.loop.record.by_hand.changes import Retracted
from alloop.loop.record.events import Measured
from alloop.loop.run_folder import open_to_write
from alloop.loop.state.brought import labels_in
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.folding.terms import RetractedLabel, Retraction


@dataclass(frozen=True)
class TakenBack:
    """A retraction that was recorded."""

    retractions: tuple[Retraction, ...]
    labels: tuple[RetractedLabel, ...]
    """Labels that had been brought."""
    event: Retracted
    n_cached: int
    """Number of labels that other campaigns could have reused, and that are gone from the cache."""
    closed: str | None
    """Reason for which the campaign is over without them, too; None where it goes on, or had not
    been over."""
    head: str
    """Hash of the ledger's last entry."""


def retract(
    run: Path,
    candidate: str = "",
    *,
    why: str,
    fingerprint: str = "",
    tier: int | None = None,
    again: bool = False,
    who: str = "",
) -> TakenBack:
    """Take back the measurements of a candidate, or all by one fingerprint, and labels of it that
    were brought.

    Measurements are removed from the cache that other campaigns reuse them from.

    Args:
        run: the run's folder.
        candidate: full id; empty with a fingerprint.
        why: reason, in words.
        fingerprint: of the oracle that measured them, by its beginning; empty with a candidate.
        tier: only this tier's; all by default.
        again: whether they are to be measured once more.
        who: name of whoever takes them back; by default the user's.

    Raises:
        AlloopError: if there is nothing to take back, or several fingerprints begin like this.
        RunError: if there is no campaign, or a controller is working on it.
    """
    reason = checked_reason(why)
    with open_to_write(run) as (folder, ledger):
        fold, telling = folded(folder.entries)
        state = folder.state
        whole = _whole_fingerprint(state, candidate, fingerprint, str(run))
        wanted = [
            m
            for m in (*state.recorded.values(), *state.partial.values())
            if (m.fingerprint == whole if fingerprint else m.candidate == candidate)
            and tier in (None, m.tier)
        ]
        brought = dict.fromkeys(
            label.candidate
            for each, label in labels_in(state.brought)
            if (each.fingerprint == whole if fingerprint else label.candidate == candidate)
            and label.properties
            and tier in (None, each.value_of)
        )
        if not wanted and not brought:
            raise _nothing(state, candidate, whole or fingerprint, tier, str(run))
        event = Retracted(
            evaluations=tuple(m.evaluation for m in wanted),
            brought=tuple(brought),
            fingerprint=whole,
            again=again,
            who=who or user_name(),
            why=reason,
        )
        was_closed = state.closed is not None
        fold.add(ledger.append(event))
        # What a worker or another campaign has left of them must not bring them back.
        _forget(Spool.of_run(run, ledger.origin()), {m.evaluation for m in wanted})
        n_cached = _withdraw(state, wanted) if is_own(telling) else 0
        closed = close_if_over(ledger, fold) if was_closed else None
        after = fold.state()
        assert after is not None
        return TakenBack(
            after.retractions[len(state.retractions) :],
            after.retracted_labels[len(state.retracted_labels) :],
            event,
            n_cached,
            closed,
            ledger.head(),
        )


def _whole_fingerprint(state: CampaignState, candidate: str, fingerprint: str, place: str) -> str:
    """Return the one fingerprint that begins as was said; empty where none does, or a candidate was
    said."""
    if bool(candidate) == bool(fingerprint):
        raise AlloopError(
            "say either which candidate or which fingerprint",
            remedy='`alloop retract RUN ID --why "…"`, or --fingerprint F.',
        )
    measured = (*state.recorded.values(), *state.partial.values())
    known = {m.fingerprint for m in measured} | {b.fingerprint for b in state.brought}
    begins = {each for each in known if fingerprint and each.startswith(fingerprint)}
    if len(begins) > 1:
        raise AlloopError(
            f"{len(begins)} fingerprints begin with {fingerprint!r}",
            where=place,
            remedy=f"Give more digits: {', '.join(sorted(begins))}.",
        )
    return next(iter(begins), "")


def _nothing(
    state: CampaignState, candidate: str, fingerprint: str, tier: int | None, place: str
) -> RunError:
    what = f"candidate {candidate[:12]}" if candidate else f"fingerprint {fingerprint[:12]}"
    of_tier = "" if tier is None else f" by tier {tier}"
    taken = any(r.measured.candidate == candidate for r in state.retracted.values())
    taken |= any(r.label.candidate == candidate for r in state.retracted_labels)
    return RunError(
        f"there is no measurement of {what}{of_tier}"
        + (" any more; it was taken back before" if taken else ""),
        where=place,
        remedy="`alloop audit RUN --format csv` lists what was measured.",
    )


def _forget(spool: Spool, evaluations: set[str]) -> None:
    for spooled in tuple(spool.evaluations()):
        if attempt_of(spooled)[0] in evaluations:
            spool.forget(spooled)


def _withdraw(state: CampaignState, measured: Sequence[Measured]) -> int:
    """Remove labels from the cache; return how many were there."""
    if (cache := label_cache(state.spec.cache)) is None:
        return 0
    asked = {e.id: e for e in state.evaluations}
    return sum(
        cache.withdraw(task_payload_id(state, asked[m.evaluation]), m.fingerprint) for m in measured
    )
