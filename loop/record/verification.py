"""Verification that a run is what was recorded, and one hash to compare two runs by."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alloop.canonical import canonical_json, sha256
from alloop.errors import LedgerError
from alloop.loop.record.artifact_fields import artifact_keys
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.by_hand.brought import LabelsBrought
from alloop.loop.record.by_hand.candidates import BatchAsked, CandidatesAdded, Vetoed
from alloop.loop.record.by_hand.changes import Retracted
from alloop.loop.record.events import LedgerEntry, Measured, Proposed
from alloop.loop.record.hash_chain import START, BrokenChain, ChainCheck, StoredRow
from alloop.loop.record.ledger import Ledger


@dataclass(frozen=True)
class Verification:
    """Result of computing every hash of a run again."""

    ok: bool
    n_events: int
    """Number of entries that could be read."""
    head: str
    """Hash of the last entry; 64 zeros where there is none."""
    first_bad: int | None
    """Sequence number of the first entry that is not what was recorded, or is not there."""
    problem: str
    """Problem in one sentence, for people; empty when all is well."""


def verify(run: Path, *, head: str | None = None) -> Verification:
    """Recompute the chain from the rows as they are stored, and every artifact's hash.

    Finds an entry that was edited, dropped, moved or put in, and an artifact that is missing or
    changed. A tail that was cut off leaves a whole, shorter chain: only a head that was kept
    outside the run shows it. A run may have gone on since that head was kept.

    Args:
        head: hash of an entry that the ledger once ended with.

    Raises:
        RunError: if there is no ledger to verify.
    """
    check = _Check(ArtifactStore.of_run(run))
    try:
        with Ledger.open(run, writable=False) as ledger:
            for row in ledger.rows():
                check.add(row)
    except LedgerError as error:
        check.fail(check.n_events + 1, error.what)
    if head is not None and head not in check.hashes:
        check.fail(check.n_events + 1, f"no entry has the head {head}: the tail was cut off")
    return Verification(
        ok=check.first_bad is None,
        n_events=check.n_events,
        head=check.head,
        first_bad=check.first_bad,
        problem=check.problem,
    )


def digest(entries: Iterable[LedgerEntry]) -> str:
    """Return one hash over all decisions, those by hand too, measured values and labels that were
    brought.

    Times, costs, notes and sessions are left out, and measurements are put in order of their
    evaluation, corrected ones with their newest values, without those that were taken back: a
    campaign that was interrupted agrees with one that was not, and so do two whose workers were
    fast in a different order. Of a doubt the property's name counts, as of a failure its kind.
    """
    proposed: list[dict[str, Any]] = []
    brought: list[dict[str, Any]] = []
    by_hand: list[dict[str, Any]] = []
    measured: dict[str, dict[str, Any]] = {}
    for entry in entries:
        match entry.event:
            case Proposed() as event:
                kept = {"round", "stage", "iteration", "tier", "decisions"}
                proposed.append(event.model_dump(mode="json", include=kept))
            case LabelsBrought() as event:
                kept = {"value_of", "fingerprint", "labels"}
                brought.append(event.model_dump(mode="json", include=kept))
            case BatchAsked() | CandidatesAdded() | Vetoed() as event:
                by_hand.append(event.model_dump(mode="json"))
            case Measured() as event:
                kept = {"evaluation", "candidate", "status", "properties", "failure_kind"}
                values = event.model_dump(mode="json", include=kept)
                if event.doubts:
                    values["doubts"] = sorted(event.doubts)
                if event.corrects is not None:
                    measured[event.evaluation] = values
                elif not event.is_partial:
                    measured.setdefault(event.evaluation, values)
            case Retracted() as event:
                for evaluation in event.evaluations:
                    measured.pop(evaluation, None)
    in_order = [measured[evaluation] for evaluation in sorted(measured)]
    whole: dict[str, Any] = {"proposed": proposed, "measured": in_order}
    if brought:
        whole["brought"] = brought
    if by_hand:
        whole["by_hand"] = by_hand
    return sha256(canonical_json(whole))


class _Check:
    """Check of the rows in order, which keeps the first that does not hold."""

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store
        self._sound: set[str] = set()
        self._chain = ChainCheck()
        self.n_events = 0
        self.head = START
        self.hashes: set[str] = set()
        self.first_bad: int | None = None
        self.problem = ""

    def fail(self, seq: int, problem: str) -> None:
        if self.first_bad is None:
            self.first_bad, self.problem = seq, f"event {seq}: {problem}"

    def add(self, row: StoredRow) -> None:
        self.n_events, self.head = self.n_events + 1, row.hash
        self.hashes.add(row.hash)
        if self.first_bad is not None:
            return
        try:
            self._chain.add(row)
        except BrokenChain as broken:
            self.fail(broken.seq, broken.problem)
        else:
            self._check_artifacts(row)

    def _check_artifacts(self, row: StoredRow) -> None:
        try:
            for artifact in sorted(set(artifact_keys(json.loads(row.event))) - self._sound):
                self._store.get(artifact)
                self._sound.add(artifact)
        except LedgerError as error:
            self.fail(row.seq, error.what)
        except (ValueError, RecursionError):
            self.fail(row.seq, "it is not JSON of an event")
