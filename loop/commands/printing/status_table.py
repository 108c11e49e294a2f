"""Where a campaign stands, as a table for people."""

from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from alloop.loop.commands.printing.ids import digits_needed
from alloop.loop.commands.printing.tables import cell, print_table, show
from alloop.loop.commands.printing.text import say
from alloop.loop.commands.printing.waiting import waiting_rows
from alloop.loop.people.requests.table import REQUESTS
from alloop.loop.report.words import duration, format_timestamp
from alloop.loop.standing import RunState, Standing, standing_of
from alloop.loop.state.brought import best_brought, brought_counts, brought_materials
from alloop.loop.state.calibration import prediction_lines, search_warnings
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.choices import candidate_ids
from alloop.loop.state.disagreement import Disagreement, disagreement
from alloop.loop.state.ranking.pareto import pareto_front
from alloop.oracles.base import Status
from alloop.properties import ENERGY_ABOVE_HULL

SHOWN_ROWS = 60
SHOWN_PHASES = 12
METASTABLE = 0.025
"""Energy above the hull up to which a phase is counted as one that may be made, eV/atom: about
kT at room temperature."""


def print_status(run: Path, state: CampaignState) -> None:
    """Print where a campaign stands."""
    spec = state.spec
    table = Table(title=cell(spec.name), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")

    def add(name: str, text: str, style: str = "") -> None:
        table.add_row(cell(name), cell(text, style))

    for name, text in standing_rows(standing_of(run, state)):
        add(name, text)
    add("round", f"{state.last_round} of {spec.budget.rounds}")
    for tier, options in enumerate(spec.tiers):
        cost = state.cost(tier)
        add(
            f"tier {tier} ({options.kind})",
            f"{len(state.measured_by(tier))} of {spec.budget.measurements[tier]} measured, "
            f"{reused_line(state, tier)}{failed_line(state, tier)}{doubted_line(state, tier)}"
            f"{retracted_line(state, tier)}, "
            f"{cost.wall_seconds:.0f} s in the oracle",
        )
        for tier_budget in state.tier_budgets(tier):
            add("", f"{tier_budget.spent:.3g} of {tier_budget.limit:g} {tier_budget.unit} spent")
        if tier and (found := disagreement(state, tier)).n_pairs:
            add(f"  against tier {tier - 1}", agreement_line(found))
            if found.warning:
                add("", found.warning, "yellow")
    if n_labels := len(state.retracted_labels):
        add("brought", f"{n_labels} retracted")
    changes = [("changed", str(terms)) for terms in state.terms[1:]]
    for name, text in [*changes, *(("predictions", line) for line in prediction_lines(state))]:
        add(name, text)
    for warning in search_warnings(state):
        add("", warning, "yellow")
    add("pending", str(len(state.pending)))
    for name, n in by_hand_counts(state).items():
        add(name, str(n))
    sessions = "1 session" if state.n_sessions == 1 else f"{state.n_sessions} sessions"
    add("wall time", f"{state.wall_seconds:.0f} s in {sessions}")
    if (best := state.best()) is not None:
        decision = state.decisions[best.candidate]
        feasible = "" if state.utility.is_feasible(best.properties) else " (constraints not met)"
        name = "best compromise" if state.utility.seeks_front else "best"
        add(name, f"{decision.lattice or ''} {decision.formula}{feasible}".strip())
        add("  candidate", best.candidate[: digits_needed(candidate_ids(state))])
        units = spec.units()
        for name, value in best.properties.items():
            add(f"  {name}", f"{value:.6g} {units.get(name, '')}")
    for name, text in [*stable_rows(state), *brought_rows(state)]:
        add(name, text)
    show(table)
    _print_front(state)


def stable_rows(state: CampaignState) -> list[tuple[str, str]]:
    """Return the phases on the first tier's hull that were measured, and how many others lie near
    it, where the campaign asks for energies above it."""
    if ENERGY_ABOVE_HULL not in state.spec.property_names() or (hull := state.hulls[0]) is None:
        return []
    stable = [phase for phase in hull.stable_phases if phase.candidate is not None]
    named = ", ".join(phase.formula for phase in stable[:SHOWN_PHASES]) or "the elements alone"
    more = f" and {len(stable) - SHOWN_PHASES} more" if len(stable) > SHOWN_PHASES else ""
    near = sum(0 < above <= METASTABLE for above in hull.energies_above.values())
    others = "1 other" if near == 1 else f"{near} others"
    return [("on the hull", f"{named}{more}; {others} within {METASTABLE:g} eV/atom")]


def by_hand_counts(state: CampaignState) -> dict[str, int]:
    """Return the numbers of candidates that people have queued and vetoed, where there are any."""
    counts = {"queued": len(state.by_hand.queue), "vetoed": len(state.by_hand.vetoes)}
    return {name: n for name, n in counts.items() if n}


def brought_rows(state: CampaignState) -> list[tuple[str, str]]:
    """Return what was brought, and the best of it: values that nobody measured here."""
    counts = brought_counts(state)
    if not counts:
        return []
    n = len(brought_materials(state))
    said = "; ".join(f"{number} {words}" for words, number in counts.items())
    rows = [("brought, not measured here", f"{n} materials: {said}")]
    if (best := best_brought(state)) is not None:
        units = state.spec.units()
        values = ", ".join(
            f"{name} {value:.6g} {units.get(name, '')}".strip()
            for name, value in best.properties.items()
        )
        label = brought_materials(state)[best.candidate]
        name = f"{label.lattice or ''} {label.formula}".strip()
        rows.append(("  best brought", f"{name} ({best.candidate[:10]}): {values}"))
    return rows


def _print_front(state: CampaignState) -> None:
    """Print the Pareto front of several objectives, and what makes it say little."""
    if len(state.spec.objectives) == 1:
        return
    front, digits = pareto_front(state), digits_needed(candidate_ids(state))
    names = [objective.property for objective in state.spec.objectives]
    rows = []
    for member in front.members[:SHOWN_ROWS]:
        decision, values = state.decisions[member.candidate], member.answer.properties
        rows.append(
            {
                "candidate": member.candidate[:digits],
                "formula": f"{decision.lattice or ''} {decision.formula}".strip(),
                **{name: f"{values[name]:.6g}" for name in names},
                "contribution": f"{member.contribution:.3g}",
            }
        )
    if rows:
        print_table(rows, whole=("candidate",), title="Pareto front")
        point = ", ".join(f"{name} {value:.5g}" for name, value in front.reference.items())
        say(f"hypervolume {front.hypervolume:.5g} above the reference point {point}")
    if len(front.members) > SHOWN_ROWS:
        say(f"… and {len(front.members) - SHOWN_ROWS} more; --format json prints all")
    for problem in front.problems:
        say(problem)


def standing_rows(standing: Standing) -> list[tuple[str, str]]:
    """Return where a run stands and why, since when, and when it will be done."""
    rows = [("state", f"{standing.state}: {standing.why}".removesuffix(": "))]
    if standing.state is not RunState.CLOSED:
        ago = max((datetime.now(UTC) - datetime.fromisoformat(standing.since)).total_seconds(), 0.0)
        rows.append(("  since", f"{format_timestamp(standing.since)}, {duration(ago)} ago"))
    if standing.seconds_left:
        done = standing.done_at()
        when = "" if done is None else f", at {format_timestamp(done)}"
        rows.append(("  time left", f"about {duration(standing.seconds_left)}{when}"))
    return rows


def print_waiting(run: Path, state: CampaignState) -> None:
    """Print what people are asked for, if the campaign waits for them."""
    rows = waiting_rows(state)
    if not rows:
        return
    digits = digits_needed(candidate_ids(state))
    table = [
        {
            "candidate": row["candidate"][:digits],
            "formula": f"{row['lattice'] or ''} {row['formula']}".strip(),
            "asked for": row["asked for"],
        }
        for row in rows[:SHOWN_ROWS]
    ]
    print_table(table, whole=("candidate",), title="waiting for people")
    if len(rows) > SHOWN_ROWS:
        say(f"… and {len(rows) - SHOWN_ROWS} more; --format csv prints all")
    labels = "1 label" if len(rows) == 1 else f"{len(rows)} labels"
    say(f"waiting for {labels}: fill in {run / REQUESTS}, then `alloop label {run} --file FILE`")


def agreement_line(found: Disagreement) -> str:
    """Return the agreement of a tier and the one below, in one line."""
    parts = [
        f"{name} {'+' if difference.mean >= 0 else ''}{difference.mean:.3g} ± {difference.std:.2g}"
        for name, difference in found.differences.items()
    ]
    if found.rank_correlation is not None:
        parts.append(f"rank correlation {found.rank_correlation:.2f}")
    return f"{found.n_pairs} candidates: {', '.join(parts)}"


def reused_line(state: CampaignState, tier: int) -> str:
    """Return the number of measurements made by other campaigns, if any, as text."""
    n = sum(m.reuse is not None for m in state.measured_by(tier))
    return f"{n} of them by other campaigns, " if n else ""


def doubted_line(state: CampaignState, tier: int) -> str:
    """Return the number of measurements of a tier that are in doubt, if any, as text."""
    n = sum(not state.is_reliable(m) for m in state.measured_by(tier) if m.doubts)
    return f", {n} in doubt and set aside" if n else ""


def retracted_line(state: CampaignState, tier: int) -> str:
    """Return the number of measurements of a tier that were taken back, if any, as text."""
    n = sum(r.measured.tier == tier for r in state.retracted.values())
    return f", {n} retracted" if n else ""


def failed_line(state: CampaignState, tier: int) -> str:
    """Return the number of failed measurements of a tier, and how they failed: ``3 failed (2
    infeasible, 1 missing), 4 tried again``."""
    failed = [m for m in state.measured_by(tier) if m.status is Status.FAILED]
    infeasible = sum(m.is_infeasible for m in failed)
    kinds = [(infeasible, "infeasible"), (len(failed) - infeasible, "missing")]
    how = ", ".join(f"{n} {word}" for n, word in kinds if n)
    again = sum(a.tier == tier for attempts in state.attempts.values() for a in attempts)
    return (
        f"{len(failed)} failed"
        + (f" ({how})" if how else "")
        + (f", {again} tried again" if again else "")
    )
