"""What the command line prints: progress while a campaign runs, tables afterwards."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from alloop.campaigns.objectives import UNITS
from alloop.loop.people.requests import REQUESTS
from alloop.loop.record.events import (
    AttemptFailed,
    CampaignClosed,
    LedgerEntry,
    Measured,
    ModelFitted,
    Proposed,
    Stage,
)
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.disagreement import Disagreement, disagreement
from alloop.loop.steps import Close, Fit, Measure, Propose, Step, Wait, next_step
from alloop.oracles.base import Status

SHOWN_ROWS = 60


class ProgressObserver:
    """Shows the steps of a campaign as they happen, with the time left of its budget."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left:"),
            TimeRemainingColumn(),
            console=console,
        )
        self._overall = self._progress.add_task("measurements", total=None)
        self._step = self._progress.add_task("", total=1.0, visible=False)
        self._best: tuple[bool, float] | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def step(self, step: Step, state: CampaignState) -> None:
        """Announce a step."""
        total = min(state.spec.budget.measurements[0], planned_measurements(state))
        done = sum(m.tier == 0 for m in state.measured.values())
        self._progress.update(self._overall, total=total, completed=done)
        self._announce_best(state)
        match step:
            case Fit(round):
                text = f"round {round}: training the model on {len(state.answers())} labels"
            case Measure(evaluations):
                text = f"round {evaluations[0].round}: measuring {len(evaluations)}"
            case Propose(round, stage):
                text = f"round {round}: proposing ({stage.value})"
            case Close() | Wait():
                text = "closing"
        self._progress.reset(self._step, description=text, visible=True, total=100)

    def progress(self, share: float, message: str) -> None:
        """Move the bar of the step."""
        self._progress.update(self._step, completed=round(100 * share))

    def event(self, entry: LedgerEntry) -> None:
        """Print what happened, one line each."""
        match entry.event:
            case ModelFitted() as fitted:
                self._console.print(
                    f"[bold]round {fitted.round}[/bold]  model trained on {fitted.n_labelled} "
                    f"labels and {fitted.n_unlabelled} unlabelled in {fitted.seconds:.0f} s"
                )
            case Proposed() as proposed:
                self._console.print(f"         {proposal_line(proposed)}")
            case Measured() as measured:
                self._progress.advance(self._overall, 1 if measured.tier == 0 else 0)
                if measured.status is Status.FAILED:
                    assert measured.failure_kind is not None
                    self._console.print(
                        f"         {measured.candidate[:10]} failed "
                        f"({measured.failure_kind.value}): {measured.failure_message}",
                        markup=False,
                    )
            case AttemptFailed() as attempt:
                self._console.print(
                    f"         {attempt.candidate[:10]} is tried again "
                    f"({attempt.failure_kind.value}): {attempt.failure_message}",
                    markup=False,
                )
            case CampaignClosed(reason=reason):
                self._console.print(f"closed: {reason}")
            case _:
                pass

    def _announce_best(self, state: CampaignState) -> None:
        best = state.best()
        if best is None:
            return
        rank = state.utility.rank(best.properties)
        if self._best is None or rank > self._best:
            self._best = rank
            decision = state.decisions[best.candidate]
            self._console.print(
                f"         best so far: {decision.lattice or ''} {decision.formula}  "
                f"{values_line(state, best.properties)}",
                highlight=False,
            )


def planned_measurements(state: CampaignState) -> int:
    """Return how many cheap measurements the budget's rounds amount to."""
    spec = state.spec
    search = spec.augmentation
    per_round = spec.acquisition.batch
    if search is not None:
        per_round += search.parents * search.iterations * search.swaps
    return spec.budget.initial + spec.budget.rounds * per_round


def proposal_line(proposed: Proposed) -> str:
    """Return a proposal in one line: how many chosen, how many rejected by which rule."""
    rejected: dict[str, int] = {}
    for decision in proposed.decisions:
        if decision.rule is not None:
            rejected[decision.rule] = rejected.get(decision.rule, 0) + 1
    chosen = sum(decision.chosen for decision in proposed.decisions)
    name = proposed.stage.value
    if proposed.stage is Stage.AUGMENTATION:
        name = f"local search {proposed.iteration}"
    text = ", ".join(f"{n} by {rule}" for rule, n in sorted(rejected.items()))
    return f"{name}: {chosen} chosen" + (f"; rejected {text}" if text else "")


def values_line(state: CampaignState, properties: Mapping[str, float]) -> str:
    """Return the values of the properties that the campaign speaks of."""
    names = state.spec.property_names()
    return ", ".join(f"{name} {properties[name]:.4g} {UNITS[name]}" for name in names)


def print_status(console: Console, state: CampaignState) -> None:
    """Print where a campaign stands."""
    spec = state.spec
    table = Table(title=spec.name, show_header=False)
    table.add_row("state", "open" if state.closed is None else f"closed: {state.closed}")
    last = state.proposals[-1].round if state.proposals else 0
    table.add_row("round", f"{last} of {spec.budget.rounds}")
    for tier, options in enumerate(spec.tiers):
        answers = [m for m in state.measured.values() if m.tier == tier]
        cost = state.cost(tier)
        table.add_row(
            f"tier {tier} ({options.kind})",
            f"{len(answers)} of {spec.budget.measurements[tier]} measured, "
            f"{reused_line(state, tier)}{failed_line(state, tier)}, "
            f"{cost.wall_seconds:.0f} s in the oracle",
        )
        for tier_budget in state.tier_budgets(tier):
            table.add_row(
                "", f"{tier_budget.spent:.3g} of {tier_budget.limit:g} {tier_budget.unit} spent"
            )
        if tier and (found := disagreement(state, tier)).n_pairs:
            table.add_row(f"  against tier {tier - 1}", agreement_line(found))
            if found.warning:
                table.add_row("", f"[yellow]{found.warning}[/yellow]")
    table.add_row("pending", str(len(state.pending)))
    table.add_row("wall time", f"{state.wall_seconds:.0f} s in {state.n_sessions} sessions")
    if (best := state.best()) is not None:
        decision = state.decisions[best.candidate]
        feasible = "" if state.utility.is_feasible(best.properties) else " (constraints not met)"
        table.add_row(
            "best", f"{decision.lattice or ''} {decision.formula} [{best.candidate[:10]}]{feasible}"
        )
        for name, value in best.properties.items():
            table.add_row(f"  {name}", f"{value:.6g} {UNITS.get(name, '')}")
        for tier, hull in enumerate(state.hulls):
            above = None if hull is None else hull.energy_above(best.candidate)
            if above is not None:
                table.add_row(f"  above the hull of tier {tier}", f"{above:.6g} eV/atom")
    console.print(table)


def print_waiting(console: Console, run: Path, state: CampaignState) -> None:
    """Print what people are asked for, if the campaign waits for them."""
    step = next_step(state)
    if not isinstance(step, Wait):
        return
    table = Table("candidate", "formula", "asked for", title="waiting for people")
    for e in step.evaluations[:SHOWN_ROWS]:
        decision = state.decisions[e.candidate]
        asked = ", ".join(sorted(state.spec.tiers[e.tier].measures()))
        formula = f"{decision.lattice or ''} {decision.formula}".strip()
        table.add_row(e.candidate[:12], formula, asked)
    console.print(table)
    console.print(
        f"waiting for {len(step.evaluations)} labels: fill in {run / REQUESTS}, then "
        f"`alloop label {run} --file FILE`",
        soft_wrap=True,
    )


def agreement_line(found: Disagreement) -> str:
    """Return how far a tier and the one below agree, in one line."""
    parts = [
        f"{name} {'+' if difference.mean >= 0 else ''}{difference.mean:.3g} ± {difference.std:.2g}"
        for name, difference in found.differences.items()
    ]
    if found.rank_correlation is not None:
        parts.append(f"rank correlation {found.rank_correlation:.2f}")
    return f"{found.n_pairs} candidates: {', '.join(parts)}"


def reused_line(state: CampaignState, tier: int) -> str:
    """Return how many measurements were made by other campaigns, if any."""
    n = sum(m.tier == tier and m.reuse is not None for m in state.recorded.values())
    return f"{n} of them by other campaigns, " if n else ""


def failed_line(state: CampaignState, tier: int) -> str:
    """Return how many measurements of a tier failed, and how: ``3 failed (2 infeasible, 1
    missing), 4 tried again``.
    """
    failed = [m for m in state.measured.values() if m.tier == tier and m.status is Status.FAILED]
    infeasible = sum(m.is_infeasible for m in failed)
    kinds = [(infeasible, "infeasible"), (len(failed) - infeasible, "missing")]
    how = ", ".join(f"{n} {word}" for n, word in kinds if n)
    again = sum(a.tier == tier for attempts in state.attempts.values() for a in attempts)
    return (
        f"{len(failed)} failed"
        + (f" ({how})" if how else "")
        + (f", {again} tried again" if again else "")
    )


def print_rows(console: Console, flat: Sequence[Mapping[str, Any]]) -> None:
    """Print decisions as a table, the first ``SHOWN_ROWS`` of them."""
    table = Table("round", "stage", "candidate", "formula", "decision", "reason", "measured")
    for row in flat[:SHOWN_ROWS]:
        measured = ", ".join(
            f"{name} {row[name]:.4g}" for name in UNITS if name in row and name != "volume_per_atom"
        )
        table.add_row(
            str(row["round"]),
            row["stage"],
            row["candidate"][:10],
            f"{row['lattice'] or ''} {row['formula']}",
            "chosen" if row["chosen"] else f"rejected: {row['rule']} ({row['margin']:.3g})",
            row["reason"],
            row.get("failure") or measured,
        )
    console.print(table)
    if len(flat) > SHOWN_ROWS:
        console.print(f"… and {len(flat) - SHOWN_ROWS} more; --format csv prints all")
