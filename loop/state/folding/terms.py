"""What people changed of a campaign: the terms it goes by, and the measurements taken back."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alloop.campaigns.changes import describe_differences, differences
from alloop.campaigns.spec import CampaignSpec
from alloop.loop.record.by_hand.brought import BroughtLabel, LabelsBrought
from alloop.loop.record.by_hand.changes import Retracted, SpecChanged
from alloop.loop.record.events import LedgerEntry, Measured
from alloop.oracles.base import Status


@dataclass(frozen=True)
class Terms:
    """Spec in force from one event of a ledger to the next that changes it."""

    number: int
    """Number of the terms: 1 for those that the campaign began with."""
    spec: CampaignSpec
    seq: int
    """Sequence number of the entry from which on they are in force."""
    time: str
    """Time of that entry: UTC, ISO 8601."""
    n_proposals: int = 0
    """Number of proposals that had been made before."""
    who: str = ""
    why: str = ""
    """Reason for the change; empty of the first terms, and so is ``who``."""
    changes: Mapping[str, tuple[Any, Any]] | None = None
    """Old and new value of each key that was changed; None of the first terms."""

    def __str__(self) -> str:
        """Return the change in one line: what, by whom, and why."""
        if self.changes is None:
            return f"terms {self.number} (entry {self.seq}), those it began with"
        what = describe_differences(self.changes)
        return f"terms {self.number} (entry {self.seq}), by {self.who}: {what}; {self.why}"


def terms_in_force(terms: Sequence[Terms], place: int) -> int:
    """Return the number of the terms under which a proposal was made.

    Args:
        terms: of the campaign, in order; at least one.
        place: of the proposal among all, from 0.
    """
    return max(bisect_right([each.n_proposals for each in terms], place), 1)


def begins_afresh(before: CampaignSpec, spec: CampaignSpec) -> bool:
    """Return whether no model goes on from those of the terms before: they are of other properties
    or of another space."""
    return (spec.space, spec.property_names()) != (before.space, before.property_names())


@dataclass(frozen=True)
class Retraction:
    """Measurement that was taken back."""

    seq: int
    """Sequence number of the entry by which it was taken back."""
    measured: Measured
    """What had been measured, or known of it in part."""
    measured_seq: int
    """Sequence number of the entry that held it."""
    event: Retracted
    """Event with who took it back, and why."""

    @property
    def reason(self) -> str:
        """Who took it back and why, for people."""
        return reason_of(self.event)


@dataclass(frozen=True)
class RetractedLabel:
    """Label that was brought, and taken back."""

    seq: int
    """Sequence number of the entry by which it was taken back."""
    label: BroughtLabel
    """Label with its values."""
    event: Retracted


def reason_of(event: Retracted) -> str:
    """Return who took measurements or labels back and why, for people."""
    again = ", to be measured again" if event.again else ""
    return f"retracted by {event.who}{again}: {event.why}"


class Standing:
    """What stands of a campaign after changes and retractions; a part of its fold.

    It keeps the places of measurements and fits in the ledger, by which what had learnt from a
    measurement is told from what came before it.
    """

    def __init__(self) -> None:
        self.terms: list[Terms] = []
        self.retractions: list[Retraction] = []
        self.outdated_models: set[int] = set()
        """Rounds whose model no other may go on from."""
        self.retracted_labels: list[RetractedLabel] = []
        self._measured: dict[str, int] = {}
        self._brought: dict[str, int] = {}
        self._fitted: dict[int, int] = {}
        self._reference_seq = 0

    def open(self, spec: CampaignSpec, entry: LedgerEntry) -> None:
        """Begin with the first terms."""
        self.terms = [Terms(1, spec, entry.seq, entry.time)]

    def amend(
        self, before: CampaignSpec, spec: CampaignSpec, entry: LedgerEntry, n_proposals: int
    ) -> None:
        """Go on under other terms; models that none goes on from under them are outdated."""
        event = entry.event
        assert isinstance(event, SpecChanged)
        old, new = (each.model_dump(mode="json") for each in (before, spec))
        self.terms.append(
            Terms(
                len(self.terms) + 1,
                spec,
                entry.seq,
                entry.time,
                n_proposals,
                event.who,
                event.why,
                differences(old, new),
            )
        )
        if begins_afresh(before, spec):
            self.outdated_models |= set(self._fitted)

    def measured(self, evaluation: str, seq: int) -> None:
        """Note the entry of a measurement, of several the first."""
        self._measured.setdefault(evaluation, seq)

    def brought(self, event: LabelsBrought, seq: int) -> None:
        """Note the entry of labels that were brought."""
        for label in event.labels:
            if label.properties:
                self._brought.setdefault(label.candidate, seq)

    def fitted(self, round: int, seq: int) -> None:
        """Note the entry of a model."""
        self._fitted[round] = seq
        self.outdated_models.discard(round)

    def reference_taken(self, seq: int) -> None:
        """Note the entry of a reference point."""
        self._reference_seq = seq

    def retract(self, measured: Measured, event: Retracted, seq: int) -> bool:
        """Take a measurement back; return whether the reference point was taken from it."""
        known_since = self._measured.pop(measured.evaluation)
        self.retractions.append(Retraction(seq, measured, known_since, event))
        if measured.status is Status.OK:
            self.outdated_models |= {r for r, at in self._fitted.items() if at > known_since}
        return measured.tier == 0 and self._reference_seq > known_since

    def retract_brought(self, before: Sequence[LabelsBrought], event: Retracted, seq: int) -> bool:
        """Take back labels that were brought; return whether the reference point may have been
        taken from them.

        Args:
            before: what was brought, with its values.
            event: names the candidates.
            seq: its sequence number.
        """
        known_since = min((self._brought.pop(id) for id in event.brought), default=seq)
        self.retracted_labels += [
            RetractedLabel(seq, label, event)
            for each in before
            for label in each.labels
            if label.candidate in event.brought and label.properties
        ]
        self.outdated_models |= {r for r, at in self._fitted.items() if at > known_since}
        return self._reference_seq > known_since
