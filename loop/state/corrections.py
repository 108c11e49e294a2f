"""Corrected values, and what had been built on the wrong ones."""

from collections.abc import Sequence
from dataclasses import dataclass

from alloop.loop.record.events import (
    CampaignOpened,
    LedgerEntry,
    Measured,
    ModelFitted,
    Proposed,
    Stage,
)


@dataclass(frozen=True)
class Correction:
    """Correction of an evaluation: newer values in place of older ones, with what depended on
    these."""

    seq: int
    """Sequence number of the entry with the newer values."""
    old: Measured
    new: Measured
    models: tuple[ModelFitted, ...]
    """Models trained while the old values were believed, with them among the labels."""
    proposals: tuple[Proposed, ...]
    """Proposals decided while the old values were believed, in the light of them."""


def corrections_in(entries: Sequence[LedgerEntry]) -> tuple[Correction, ...]:
    """Return every correction of a ledger, in order, with what depended on the old values.

    Whatever was fitted or chosen between the old entry and the new one depended on the old one:
    models train on all labels, acquisition and promotion compare with all. Random draws and what
    people reported unasked do not.
    """
    by_seq = {entry.seq: entry.event for entry in entries}
    # Where the top tier's values are to be good, models train on its labels too.
    aims_at_top = any(
        isinstance(event, CampaignOpened) and event.spec["acquisition"]["aim"] == "top-tier"
        for event in by_seq.values()
    )
    found = []
    for entry in entries:
        event = entry.event
        if not isinstance(event, Measured) or event.corrects is None:
            continue
        old = by_seq[event.corrects]
        assert isinstance(old, Measured)
        between = [by_seq[seq] for seq in range(event.corrects + 1, entry.seq)]
        found.append(
            Correction(
                entry.seq,
                old,
                event,
                models=tuple(
                    e
                    for e in between
                    if isinstance(e, ModelFitted) and (aims_at_top or not old.tier)
                ),
                proposals=tuple(e for e in between if isinstance(e, Proposed) and _learns(e)),
            )
        )
    return tuple(found)


def _learns(proposed: Proposed) -> bool:
    """Return whether a proposal was made from the labels."""
    if proposed.stage in (Stage.INITIAL, Stage.UNREQUESTED):
        return False
    return any(decision.lineage.source != "random" for decision in proposed.decisions)


def correction_lines(correction: Correction) -> list[str]:
    """Return a correction for people: old and new values, and what depended on the old."""
    old, new = correction.old, correction.new
    lines = [
        f"{new.candidate[:10]} corrected: {_describe_values(old)}, now {_describe_values(new)} "
        f"(entry {correction.seq})"
    ]
    lines += [
        f"  the model of round {model.round} ({model.checkpoint[:10]}) was trained on the old value"
        for model in correction.models
    ]
    lines += [
        f"  round {proposed.round}, {proposed.stage.value}: "
        f"{sum(d.chosen for d in proposed.decisions)} candidates were chosen in its light"
        for proposed in correction.proposals
    ]
    return lines if len(lines) > 1 else [*lines, "  nothing had been decided on the old value"]


def _describe_values(measured: Measured) -> str:
    if measured.failure_message:
        return f"failed ({measured.failure_message})"
    return ", ".join(f"{name} {value:g}" for name, value in sorted(measured.properties.items()))
