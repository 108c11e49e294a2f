"""Recording of people's results: requested values, partial ones, corrections, unrequested ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from alloop.loop.people.results import Reader, Result, Results
from alloop.loop.people.who import user_name
from alloop.loop.record.events import (
    Decision,
    Event,
    LedgerEntry,
    Lineage,
    Measured,
    Proposed,
    Stage,
)
from alloop.loop.run_folder import open_to_write
from alloop.loop.state.campaign_state import CampaignState, Evaluation, evaluation_id
from alloop.loop.state.corrections import Correction, corrections_in
from alloop.materials import Material, formula_of
from alloop.oracles.base import FailureKind, Status

BY_HAND = "by hand"
"""Fingerprint of a value that a person gave in the place of a machine."""


@dataclass(frozen=True)
class LabelSummary:
    """Summary of recorded results."""

    answered: int
    """Number of evaluations that have all their values now, unrequested and corrected ones left
    out."""
    partial: int
    unrequested: int
    unchanged: int
    corrections: tuple[Correction, ...]
    is_known_file: bool = False
    """Whether the very same file had been recorded before."""


def record_file(run: Path, path: Path, why: str = "") -> LabelSummary:
    """Record a file of results: all of it, or nothing.

    Args:
        run: the run's folder.
        path: of the file.
        why: a remark for the record.

    Raises:
        DataError: naming line and column of what cannot be used.
        RunError: if there is no campaign, or a controller is working on it.
    """
    return _record(run, lambda reader: reader.file(path), why)


def record_typed(
    run: Path,
    candidate: str,
    values: Sequence[str],
    *,
    instead: Material | None = None,
    why: str = "",
    who: str = "",
) -> LabelSummary:
    """Record what was typed about one candidate: see ``Reader.typed``.

    Args:
        run: the run's folder.
        candidate: beginning of its id, or a formula.
        values: ``property=value`` words.
        instead: material that was made and measured in its place; None for itself.
        why: a remark for the record.
        who: name of whoever says so; by default the user's.

    Raises:
        DataError, RunError: as ``record_file``.
    """
    return _record(run, lambda reader: reader.typed(candidate, values, instead), why, who)


def _record(run: Path, read: Callable[[Reader], Results], why: str, who: str = "") -> LabelSummary:
    with open_to_write(run) as (folder, ledger):
        entries, state, store = list(folder.entries), folder.state, folder.store
        results = read(Reader(state, store))
        if results.source and any(_source(entry) == results.source for entry in entries):
            return LabelSummary(0, 0, 0, len(results.results), (), is_known_file=True)
        events = _events(state, entries, results, why, who or user_name())
        store.put_materials([r.material for r in results.results if r.material is not None])
        entries += ledger.append_together(events)
    return _summary(entries, events, len(results.results))


def _source(entry: LedgerEntry) -> str:
    return entry.event.source if isinstance(entry.event, Measured) else ""


def _events(
    state: CampaignState,
    entries: Sequence[LedgerEntry],
    results: Results,
    why: str,
    who: str,
) -> list[Event]:
    """Return the events to record, unrequested proposals before their values."""
    asked = {e.id: e for e in state.evaluations}
    seqs = {
        entry.event.evaluation: entry.seq
        for entry in entries
        if isinstance(entry.event, Measured) and not entry.event.is_partial
    }
    round = state.requested[-1].round if state.requested else 0
    surprises: dict[int, list[Decision]] = {}
    measured: list[Event] = []
    for result in results.results:
        id = evaluation_id(result.candidate, state.fingerprints[result.tier])
        evaluation = asked.get(id)
        if evaluation is None:
            evaluation = Evaluation(id, result.candidate, result.tier, round, Stage.UNREQUESTED)
            surprises.setdefault(result.tier, []).append(_unrequested_proposal(state, result))
        event = _measured(state, evaluation, result, seqs.get(id), results.source, why, who)
        if event is not None:
            measured.append(event)
    proposed = [
        Proposed(round=round, stage=Stage.UNREQUESTED, tier=tier, decisions=tuple(decisions))
        for tier, decisions in surprises.items()
    ]
    return [*proposed, *measured]


def _unrequested_proposal(state: CampaignState, result: Result) -> Decision:
    """Return the record of a material that nobody had asked this tier for."""
    if result.material is None:
        known = state.decisions[result.candidate]
        formula, lattice = known.formula, known.lattice
    else:
        from alloop.loop.choose.screening import lattice_of  # noqa: PLC0415 (SciPy)

        formula, lattice = formula_of(result.material), lattice_of(result.material)
    reason = "reported without being asked for"
    if result.instead_of:
        reason = f"made and reported instead of {result.instead_of[:10]}"
    return Decision(
        candidate=result.candidate,
        formula=formula,
        lattice=lattice,
        chosen=True,
        reason=reason,
        lineage=Lineage(source="reported", parent=result.instead_of or None),
    )


def _measured(
    state: CampaignState,
    evaluation: Evaluation,
    result: Result,
    seq: int | None,
    source: str,
    why: str,
    who: str,
) -> Measured | None:
    """Return the event of a result; None where it says nothing new."""
    known = state.recorded.get(evaluation.id)
    earlier = state.partial.get(evaluation.id) or known
    values = dict(result.properties)
    if earlier is not None and not result.failure:
        values = {**earlier.properties, **values}
    if earlier is not None and (values, result.failure) == (
        earlier.properties,
        earlier.failure_message,
    ):
        return None
    owed = [name for name in state.spec.required_properties(evaluation.tier) if name not in values]
    is_partial = bool(owed) and not result.failure
    return Measured(
        **evaluation.event_fields(),
        status=Status.FAILED if result.failure else Status.OK,
        properties=values,
        failure_kind=FailureKind.REPORTED if result.failure else None,
        failure_message=result.failure,
        oracle="person",
        fingerprint=_fingerprint(state, evaluation.tier),
        corrects=None if known is None or is_partial else seq,
        is_partial=is_partial,
        source=source,
        who=who,
        why=" ".join(why.split()),
    )


def _fingerprint(state: CampaignState, tier: int) -> str:
    """Return the fingerprint of a tier of people; a machine's own is not that of a value that it
    did not measure."""
    return state.fingerprints[tier] if tier in state.tiers_of_people else BY_HAND


def _summary(
    entries: Sequence[LedgerEntry], events: Sequence[Event], n_results: int
) -> LabelSummary:
    new = [event for event in events if isinstance(event, Measured)]
    first = entries[-1].seq - len(events)
    whole = [event for event in new if event.corrects is None and not event.is_partial]
    unrequested = sum(event.stage is Stage.UNREQUESTED for event in whole)
    return LabelSummary(
        answered=len(whole) - unrequested,
        partial=sum(event.is_partial for event in new),
        unrequested=unrequested,
        unchanged=n_results - len(new),
        corrections=tuple(c for c in corrections_in(entries) if c.seq > first),
    )
