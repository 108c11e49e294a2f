"""The rounds: what each considered, chose and gained."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from alloop.loop.record.events import Measured, Stage
from alloop.loop.report.figures.progress_metric import ProgressMetric
from alloop.loop.report.figures.style import (
    GREEN,
    INK,
    PURPLE,
    QUIET,
    SKY,
    STAGE_COLOURS,
    STAGE_NAMES,
    VERMILLION,
    YELLOW,
    Figure,
    blank,
    finished,
    plain,
    points,
)
from alloop.loop.report.tables import ReportTable
from alloop.loop.report.words import decimals_of, number, significant
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.trials import Trial, all_trials, measured_trials

RULE_COLOURS = {
    "acquisition": SKY,
    "duplicate": GREEN,
    "fractions": PURPLE,
    "min_distance": VERMILLION,
    "elements": YELLOW,
}
OTHER_RULES = (QUIET, INK)
"""Colours of rules that are not in the table above."""
SEARCHES = (Stage.INITIAL, Stage.ACQUISITION, Stage.AUGMENTATION)
UTILITY_DECIMALS = 3
MIN_BARS = 4
"""Least number of bars that room is kept for, lest a single one fill the figure."""


@dataclass(frozen=True)
class Round:
    """Summary of a round at tier 0."""

    number: int
    edge: float | None
    """Edge of the trust region, in the extent of the measured latents."""
    n_considered: int
    n_screened_out: int
    """Number of candidates that failed a rule, not merely outscored ones."""
    n_measured: int
    before: Measured | None
    """Feasible best before the round."""
    best: dict[Stage, Trial]
    """Feasible best of each stage, where there is one."""


def rounds_of(state: CampaignState) -> list[Round]:
    """Return every round that has proposed something, round 0 being the initial one."""
    trials: defaultdict[int, list[Trial]] = defaultdict(list)
    for trial in all_trials(state):
        if trial.proposal.stage in SEARCHES:
            trials[trial.proposal.round].append(trial)
    edges = _edges(state)
    found = []
    before: Measured | None = None
    for n, mine in sorted(trials.items()):
        best = {
            stage: top
            for stage in SEARCHES
            if (top := _best(state, [t for t in mine if t.proposal.stage is stage])) is not None
        }
        found.append(
            Round(
                number=n,
                edge=edges.get(n),
                n_considered=len(mine),
                n_screened_out=sum(t.decision.rule not in (None, "acquisition") for t in mine),
                n_measured=sum(t.measured is not None for t in mine),
                before=before,
                best=best,
            )
        )
        answers = [before, *(trial.answer for trial in best.values())]
        before = _better(state, [answer for answer in answers if answer is not None])
    return found


def _best(state: CampaignState, trials: Sequence[Trial]) -> Trial | None:
    """Return the feasible best, the earliest of equals."""
    utility = state.utility
    feasible = [
        (utility.rank(trial.answer.properties), trial)
        for trial in trials
        if trial.answer is not None and utility.is_feasible(trial.answer.properties)
    ]
    return max(feasible, key=lambda pair: pair[0])[1] if feasible else None


def _better(state: CampaignState, answers: Iterable[Measured]) -> Measured | None:
    return max(answers, key=lambda m: state.utility.rank(m.properties), default=None)


def _edges(state: CampaignState) -> dict[int, float]:
    """Return the edge of the trust region of each round that had one."""
    edges: dict[int, float] = {}
    for proposal in state.proposals:
        if isinstance(edge := proposal.notes.get("trust_region_edge"), float):
            edges.setdefault(proposal.round, edge)
    return edges


def gain_figure(state: CampaignState) -> Figure | None:
    """Draw the feasible best of acquisition and of local search in each round.

    None while there is no round to compare with the initial draw.
    """
    rounds = [round for round in rounds_of(state) if round.best]
    if not rounds or rounds[-1].number == 0:
        return None
    progress_metric = ProgressMetric(state.utility)
    figure = blank(
        height=380,
        xaxis={
            "title": {"text": "round"},
            "dtick": max(1, len(rounds) // 12),
            "range": [rounds[0].number - 0.5, rounds[-1].number + 0.5],
        },
        yaxis={"title": {"text": f"best {progress_metric.label}"}},
    )
    held = [(r.number, progress_metric.value(r.before.properties)) for r in rounds if r.before]
    for i, (x, y) in enumerate(held):
        figure.add_scatter(
            x=[x - 0.35, x + 0.35],
            y=[y, y],
            mode="lines",
            line={"color": INK, "width": 1.5},
            name="best before the round",
            legendgroup="before",
            showlegend=i == 0,
            hoverinfo="skip",
        )
    for stage in SEARCHES:
        tops = [(r.number, top) for r in rounds if (top := r.best.get(stage)) and top.answer]
        if tops:
            figure.add_scatter(
                x=[x for x, _ in tops],
                y=[progress_metric.value(top.answer.properties) for _, top in tops if top.answer],
                name=STAGE_NAMES[stage],
                marker={
                    "size": 11,
                    "color": STAGE_COLOURS[stage],
                    "symbol": "diamond" if stage is Stage.AUGMENTATION else "circle",
                    "line": {"width": 1, "color": "#ffffff"},
                },
                **points([top for _, top in tops], state.utility),
            )
    return finished(
        figure,
        id="gain",
        alt=f"best {progress_metric.label} of each stage in {len(rounds)} rounds",
        caption="The best inside the constraints that each part of a round found. A mark beyond "
        "the bar is a gain over everything before the round.",
    )


def outcome_figure(state: CampaignState) -> Figure | None:
    """Draw how many candidates each round considered, and what became of them."""
    trials = [trial for trial in all_trials(state) if trial.proposal.stage in SEARCHES]
    if not trials:
        return None
    rounds = sorted({trial.proposal.round for trial in trials})
    figure = blank(
        height=380,
        barmode="stack",
        bargap=0.35,
        xaxis={
            "title": {"text": "round"},
            "dtick": max(1, len(rounds) // 12),
            "range": [-0.5, max(rounds[-1], MIN_BARS - 1) + 0.5],
        },
        yaxis={"title": {"text": "candidates"}},
        legend={"traceorder": "normal"},
    )
    for stage in SEARCHES:
        chosen = [t for t in trials if t.decision.chosen and t.proposal.stage is stage]
        _add_bars(figure, f"measured: {STAGE_NAMES[stage]}", STAGE_COLOURS[stage], rounds, chosen)
    others = iter(OTHER_RULES * 8)
    for rule in dict.fromkeys(t.decision.rule for t in trials if t.decision.rule):
        rejected = [trial for trial in trials if trial.decision.rule == rule]
        colour = RULE_COLOURS.get(rule) or next(others)
        name = "outscored" if rule == "acquisition" else rule.replace("_", " ")
        _add_bars(figure, f"rejected: {plain(name)}", colour, rounds, rejected, pattern="/")
    return finished(
        figure,
        id="outcomes",
        alt=f"candidates considered in {len(rounds)} rounds, chosen or rejected by rule",
        caption="Every candidate looked at. Plain: chosen to be measured. Hatched: rejected, "
        "and by which rule; the outscored passed every rule, but others promised more.",
    )


def _add_bars(
    figure: go.Figure,
    name: str,
    colour: str,
    rounds: Sequence[int],
    trials: Sequence[Trial],
    pattern: str = "",
) -> None:
    if not trials:
        return
    of_round = Counter(trial.proposal.round for trial in trials)
    counts = [of_round[n] for n in rounds]
    figure.add_bar(
        x=list(rounds),
        y=counts,
        name=name,
        marker={
            "color": colour,
            "line": {"width": 0},
            "pattern": {
                "shape": pattern,
                "fillmode": "overlay",
                "fgcolor": "#ffffff",
                "fgopacity": 0.75,
                "size": 6,
            },
        },
        hovertemplate=f"round %{{x}}<br>{name}: %{{y}}<extra></extra>",
    )


def rounds_table(state: CampaignState) -> ReportTable | None:
    """Return the rounds as a table."""
    rounds = rounds_of(state)
    if not rounds:
        return None
    metric = ProgressMetric(state.utility)
    decimals = decimals_of(metric.property_name) if metric.property_name else UTILITY_DECIMALS
    has_search = any(Stage.AUGMENTATION in round.best for round in rounds)
    has_edge = any(round.edge is not None for round in rounds)
    rows = []
    for round in rounds:
        first = Stage.INITIAL if round.number == 0 else Stage.ACQUISITION
        stages = [first, *([Stage.AUGMENTATION] if has_search else [])]
        values = [
            number(metric.value(top.answer.properties), decimals)
            if (top := round.best.get(stage)) and top.answer
            else ""
            for stage in stages
        ]
        rows.append(
            (
                str(round.number),
                *([significant(round.edge, 3) if round.edge is not None else ""] * has_edge),
                str(round.n_considered),
                str(round.n_screened_out),
                str(round.n_measured),
                *values,
                _gain(state, round),
            )
        )
    unit = f" ({metric.unit})" if metric.unit else ""
    heads = (
        "round",
        *(["trust region"] * has_edge),
        "considered",
        "failed a rule",
        "measured",
        f"best of acquisition{unit}",
        *([f"best of local search{unit}"] * has_search),
        f"gain{unit}",
    )
    return ReportTable(
        heads,
        tuple(rows),
        numeric=tuple(range(1, len(heads))),
        note="Trust region: length of its edge, in the extent of the measured latents. "
        "Round 0 is the initial draw."
        if has_edge
        else "Round 0 is the initial draw.",
    )


def _gain(state: CampaignState, round: Round) -> str:
    """Return the improvement of the round on everything before it, as text; empty where there is
    nothing to compare with."""
    tops = [trial.answer for trial in round.best.values() if trial.answer is not None]
    best = _better(state, tops)
    if best is None or round.before is None:
        return ""
    gain = state.utility.value(best.properties) - state.utility.value(round.before.properties)
    return f"+{significant(gain, 2)}" if gain > 0 else "–"


def total_gain(state: CampaignState) -> tuple[float, int] | None:
    """Return the gain of the best over the feasible best of the initial draw, in the unit of the
    utility, and how many were drawn; None where there was nothing but the initial draw, or no
    feasible candidate in it."""
    if all(proposal.stage is Stage.INITIAL for proposal in state.proposals):
        return None
    initial = [t for t in measured_trials(state) if t.proposal.stage is Stage.INITIAL]
    first, best = _best(state, initial), state.best()
    if first is None or first.answer is None or best is None:
        return None
    utility = state.utility
    return utility.value(best.properties) - utility.value(first.answer.properties), len(initial)
