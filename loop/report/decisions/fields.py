"""What is known of a decision, by name: what filters ask for, and what the table's columns show.

Names are those of `alloop audit --format csv`, with the fraction of each element by its symbol and
some yes-or-no questions beside them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from alloop.loop.record.events import Posterior
from alloop.loop.report.decisions.filters import Kind, Value, compile_filter
from alloop.loop.report.words import decimals_of, label_of, unit_of
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.hull import amounts_in
from alloop.loop.state.ranking.pareto import pareto_front
from alloop.loop.state.trials import Trial, all_trials, retraction_of, unmeasured_reason
from alloop.oracles.base import Status
from alloop.properties import ENERGY_ABOVE_HULL, joined_notes

SIGNIFICANT = -1
"""Digits of a column that shows three significant ones."""
ALWAYS, WIDE, WIDEST, DETAILS = 1, 2, 3, 4
"""Levels of a column: shown at any width, on wide pages, on the widest, in its details only."""


@dataclass(frozen=True)
class Field:
    """One thing that is known of decisions."""

    name: str
    kind: Kind
    read: Callable[[Trial], Value]
    label: str
    explained: str = ""
    unit: str = ""
    digits: int = SIGNIFICANT
    """Digits after the point."""
    level: int = DETAILS


def filtered(state: CampaignState, text: str) -> tuple[Trial, ...]:
    """Return the decisions that pass a filter, in their order; all pass an empty one.

    Raises:
        FilterError: if it cannot be read, names no column, or compares what cannot be compared.
    """
    if not text.strip():
        return all_trials(state)
    return tuple(passing_trials(state, text, fields_of(state)))


def passing_trials(state: CampaignState, text: str, fields: Sequence[Field]) -> Iterator[Trial]:
    """Return an iterator over the decisions that pass a filter of these fields.

    Raises:
        FilterError: as ``filtered`` does.
    """
    kinds = {field.name: field.kind for field in fields}
    reads = {field.name: field.read for field in fields}
    test = compile_filter(text, kinds)
    return (trial for trial in all_trials(state) if test(_LazyRow(trial, reads)))


def fields_of(state: CampaignState) -> tuple[Field, ...]:
    """Return every field of a campaign's decisions, in the order of the table's columns."""
    trials = all_trials(state)
    fields: dict[str, Field] = {}
    for field in (
        *_identity(state, trials),
        *_properties(state, trials),
        *_outcome(state, trials),
        *_flags(state),
        *_fractions(state),
    ):
        fields.setdefault(field.name, field)  # a property may bear any name
    return tuple(fields.values())


class _LazyRow(Mapping[str, Value]):
    """A decision's fields, each read when it is asked for."""

    def __init__(self, trial: Trial, reads: Mapping[str, Callable[[Trial], Value]]) -> None:
        self._trial, self._reads = trial, reads

    def __getitem__(self, name: str) -> Value:
        return self._reads[name](self._trial)

    def __iter__(self) -> Iterator[str]:
        return iter(self._reads)

    def __len__(self) -> int:
        return len(self._reads)


def _identity(state: CampaignState, trials: Iterable[Trial]) -> Iterable[Field]:
    """Yield what a decision is about, and what was decided."""
    yield Field("round", Kind.NUMBER, lambda t: t.proposal.round, "Round", digits=0, level=WIDE)
    yield Field("stage", Kind.TEXT, lambda t: t.proposal.stage.value, "Stage", level=WIDEST)
    if any(trial.proposal.iteration for trial in trials):
        yield Field(
            "iteration",
            Kind.NUMBER,
            lambda t: t.proposal.iteration,
            "Step",
            "iteration of the local search",
            digits=0,
        )
    level = WIDEST if len(state.terms) > 1 else DETAILS
    explained = "of the campaign: a number that goes up when it is changed"
    yield Field("terms", Kind.NUMBER, lambda t: t.terms, "Terms", explained, digits=0, level=level)
    level = WIDEST if len(state.spec.tiers) > 1 else DETAILS
    yield Field("tier", Kind.NUMBER, lambda t: t.proposal.tier, "Tier", digits=0, level=level)
    yield Field("formula", Kind.TEXT, lambda t: t.decision.formula, "Formula", level=ALWAYS)
    if any(trial.decision.lattice for trial in trials):
        yield Field("lattice", Kind.TEXT, lambda t: t.decision.lattice, "Lattice", level=WIDE)
    yield Field(
        "candidate", Kind.ID, lambda t: t.decision.candidate, "Candidate", "its id", level=WIDEST
    )
    yield Field(
        "decision",
        Kind.TEXT,
        _verdict,
        "Decision",
        "chosen, or the rule that rejected it",
        level=ALWAYS,
    )
    yield Field("rule", Kind.TEXT, lambda t: t.decision.rule, "Rule", "that rejected it")
    explained = "how far from passing, in the rule's own unit"
    yield Field("margin", Kind.NUMBER, lambda t: t.decision.margin, "Margin", explained)
    yield Field(
        "acquisition",
        Kind.NUMBER,
        lambda t: t.decision.acquisition,
        "Acquisition",
        "log expected improvement",
        level=WIDEST,
    )


def _properties(state: CampaignState, trials: Iterable[Trial]) -> Iterable[Field]:
    """Yield what was expected and measured of each property, the campaign's own first."""
    measured = {name for t in trials if t.measured is not None for name in t.measured.properties}
    expected = {name for t in trials for name in t.decision.posterior}
    above = {name for t in trials for name in t.decision.high_fidelity}
    wanted = state.spec.property_names()
    has_hull = any(hull is not None for hull in state.hulls)
    others = sorted((measured | expected | above) - set(wanted))
    for name in dict.fromkeys((*wanted, *others, *([ENERGY_ABOVE_HULL] * has_hull))):
        level = WIDE if name in wanted else DETAILS
        for prefix, posteriors, what in (
            ("expected", "posterior", "Expected"),
            ("expected_high_fidelity", "high_fidelity", "Top tier expected"),
        ):
            if name in (expected if posteriors == "posterior" else above):
                shown = level if posteriors == "posterior" else DETAILS
                yield from _posterior(name, f"{prefix}_{name}", posteriors, what, shown)
        if name in measured or name in wanted or name == ENERGY_ABOVE_HULL:
            yield Field(
                name,
                Kind.NUMBER,
                _measured(state, name),
                f"Measured {label_of(name)}",
                f"{label_of(name)} as measured",
                unit_of(name),
                decimals_of(name),
                ALWAYS if name == wanted[0] else level,
            )


def _posterior(name: str, key: str, posteriors: str, what: str, level: int) -> Iterable[Field]:
    def found(trial: Trial) -> Posterior | None:
        of_property: Mapping[str, Posterior] = getattr(trial.decision, posteriors)
        return of_property.get(name)

    label, unit, digits = f"{what} {label_of(name)}", unit_of(name), decimals_of(name)
    mean = "that the surrogate expected: mean ± standard deviation"
    yield Field(
        key,
        Kind.NUMBER,
        lambda t: None if (p := found(t)) is None else p.mean,
        label,
        f"{label_of(name)} {mean}",
        unit,
        digits,
        level,
    )
    yield Field(
        f"{key}_std",
        Kind.NUMBER,
        lambda t: None if (p := found(t)) is None else p.std,
        f"{label}, standard deviation",
        unit=unit,
        digits=digits,
    )


def _outcome(state: CampaignState, trials: Iterable[Trial]) -> Iterable[Field]:
    """Yield what came of a decision, and why it was made."""
    yield Field("result", Kind.TEXT, _result(state), "Result", "of the measurement", level=WIDE)
    yield Field("reason", Kind.TEXT, lambda t: t.decision.reason, "Reason", level=WIDEST)
    yield Field("source", Kind.TEXT, lambda t: t.decision.lineage.source, "Source")
    yield Field("parent", Kind.ID, lambda t: t.decision.lineage.parent, "Parent", "its id")
    yield Field("status", Kind.TEXT, _status(state), "Status", "of the measurement")
    told: tuple[tuple[str, Callable[[Trial], Value], str], ...] = (
        ("failure", _failure, "Failure"),
        ("verdict", _failure_verdict, "Verdict"),
        ("doubts", lambda t: _notes(t, "doubts"), "Doubts"),
        ("remarks", lambda t: _notes(t, "remarks"), "Remarks"),
        ("reused_from", _reused_from, "Reused from"),
        ("retracted", _retracted(state), "Taken back"),
        ("withdrawn", _withdrawn(state), "Withdrawn"),
    )
    for name, read, label in told:
        if any(read(trial) is not None for trial in trials):
            yield Field(name, Kind.TEXT, read, label)


def _flags(state: CampaignState) -> Iterable[Field]:
    """Yield the yes-or-no questions."""
    best = state.best()
    utility = state.utility
    retracted, withdrawn = _retracted(state), _withdrawn(state)
    members = (
        {member.candidate for member in pareto_front(state).members}
        if len(state.spec.objectives) > 1
        else set()
    )
    questions: tuple[tuple[str, str, Callable[[Trial], bool]], ...] = (
        ("chosen", "to be measured", lambda t: t.decision.chosen),
        ("rejected", "by a rule", lambda t: not t.decision.chosen),
        ("measured", "with values that count", lambda t: t.answer is not None),
        ("failed", "measurement failed", _has_failed),
        ("doubtful", "measured, and not relied on", lambda t: bool(t.doubt)),
        (
            "pending",
            "chosen, not measured",
            lambda t: (
                t.decision.chosen and t.measured is None and not (retracted(t) or withdrawn(t))
            ),
        ),
        (
            "feasible",
            "measured, inside all constraints",
            lambda t: t.answer is not None and utility.is_feasible(t.answer.properties),
        ),
        (
            "best",
            "the best candidate",
            lambda t: best is not None and t.answer is not None and _is(t, best.candidate),
        ),
        *(
            [("front", "on the Pareto front", lambda t: _is(t, *members))]
            if len(state.spec.objectives) > 1
            else []
        ),
    )
    for name, explained, read in questions:
        yield Field(name, Kind.FLAG, read, name.capitalize(), explained)


def _is(trial: Trial, *candidates: str) -> bool:
    """Return whether it is the first tier's measurement of one of these candidates."""
    return (
        trial.proposal.tier == 0
        and trial.decision.chosen
        and trial.decision.candidate in candidates
    )


def _fractions(state: CampaignState) -> Iterable[Field]:
    """Yield the fraction of each element."""
    for symbol in state.spec.space.elements:
        yield Field(
            symbol,
            Kind.NUMBER,
            _fraction(symbol),
            f"{symbol} fraction",
            f"atomic fraction of {symbol}, 0 to 1",
            digits=3,
        )


def _fraction(symbol: str) -> Callable[[Trial], Value]:
    def read(trial: Trial) -> Value:
        amounts = amounts_in(trial.decision.formula)
        return amounts.get(symbol, 0.0) / sum(amounts.values()) if amounts else None

    return read


def _measured(state: CampaignState, name: str) -> Callable[[Trial], Value]:
    def read(trial: Trial) -> Value:
        if trial.measured is None:
            return None
        value = trial.measured.properties.get(name)
        if value is None and name == ENERGY_ABOVE_HULL and trial.answer is not None:
            hull = state.hulls[trial.proposal.tier]
            return None if hull is None else hull.energies_above.get(trial.decision.candidate)
        return value

    return read


def _verdict(trial: Trial) -> str:
    return "chosen" if trial.decision.chosen else trial.decision.rule or "rejected"


def _result(state: CampaignState) -> Callable[[Trial], str]:
    retracted, withdrawn = _retracted(state), _withdrawn(state)

    def read(trial: Trial) -> str:
        if not trial.decision.chosen:
            return ""
        if trial.measured is None:
            is_settled = retracted(trial) or withdrawn(trial)
            if state.closed is None and not is_settled:
                return "pending"
            return unmeasured_reason(state, trial.decision.candidate, trial.proposal.tier)
        if trial.doubt:
            return "in doubt"
        if trial.answer is None:
            return f"failed: {trial.measured.failure_kind or 'unknown'}".replace("_", " ")
        return "ok"

    return read


def _retracted(state: CampaignState) -> Callable[[Trial], str | None]:
    """Return what says why a decision's measurement was taken back; None where it was not."""

    def read(trial: Trial) -> str | None:
        if trial.measured is not None or not trial.decision.chosen or not state.retracted:
            return None
        found = retraction_of(state, trial.decision.candidate, trial.proposal.tier)
        return None if found is None else found.reason

    return read


def _withdrawn(state: CampaignState) -> Callable[[Trial], str | None]:
    """Return what says why a chosen candidate is not measured, since a person vetoed it; None where
    nobody did."""

    def read(trial: Trial) -> str | None:
        if trial.measured is not None or not trial.decision.chosen:
            return None
        return state.by_hand.reasons_vetoed.get(trial.decision.candidate)

    return read


def _status(state: CampaignState) -> Callable[[Trial], str | None]:
    retracted, withdrawn = _retracted(state), _withdrawn(state)

    def read(trial: Trial) -> str | None:
        if trial.measured is not None:
            return trial.measured.status.value
        if withdrawn(trial) is not None:
            return "withdrawn"
        return None if retracted(trial) is None else "retracted"

    return read


def _has_failed(trial: Trial) -> bool:
    return trial.measured is not None and trial.measured.status is Status.FAILED


def _failure(trial: Trial) -> str | None:
    m = trial.measured
    if m is None or m.failure_kind is None:
        return None
    return f"{m.failure_kind.value}: {m.failure_message}"


def _failure_verdict(trial: Trial) -> str | None:
    if _failure(trial) is None or trial.measured is None:
        return None
    return "infeasible" if trial.measured.is_infeasible else "missing"


def _notes(trial: Trial, which: str) -> str | None:
    return None if trial.measured is None else joined_notes(getattr(trial.measured, which)) or None


def _reused_from(trial: Trial) -> str | None:
    reuse = None if trial.measured is None else trial.measured.reuse
    return None if reuse is None else reuse.run
