"""Whether a campaign should stop before its budget is spent, and why, in plain words.

Functions of the state alone: looked at before a round begins, with everything before measured.
"""

import math
from collections.abc import Sequence

from alloop.campaigns.objectives import Constraint, Objective
from alloop.campaigns.stopping import HypervolumeGainOptions, PlateauOptions
from alloop.loop.record.events import Decision, Measured, Posterior, Stage
from alloop.loop.state.campaign_state import CampaignState


def stopping_reason(state: CampaignState, done: int) -> str | None:
    """Return why the search should stop; None where it should not.

    Args:
        state: of the campaign, with labels.
        done: number of the last round that is over; 0 for the initial labels.
    """
    stop = state.spec.stop
    if (reason := _target(state)) is not None:
        return reason
    if stop.plateau is not None and (reason := _plateau(state, stop.plateau, done)) is not None:
        return reason
    if (volume := stop.hypervolume_gain) is not None and (
        reason := _hypervolume(state, volume, done)
    ) is not None:
        return reason
    if (least := stop.probability_of_improvement) is None:
        return None
    found = probability_of_improvement(state, done)
    if found is None or found > least:
        return None
    return (
        f"no candidate of round {done} had more than {100 * found:.2g} % probability of improving "
        f"on the best, and {100 * least:g} % is the least to go on for"
    )


def _aimed_tier(state: CampaignState) -> int:
    """Return the tier whose values are to be good."""
    return len(state.spec.tiers) - 1 if state.spec.acquisition.aim == "top-tier" else 0


def _feasible(state: CampaignState, last: int) -> list[Measured]:
    """Return the feasible measurements of the aimed tier up to a round."""
    answers = state.answers(_aimed_tier(state))
    return [m for m in answers if m.round <= last and state.utility.is_feasible(m.properties)]


def _target(state: CampaignState) -> str | None:
    targets = state.spec.stop.targets(state.spec.objectives)
    if not targets:
        return None
    goals = {objective.property: objective for objective in state.spec.objectives}
    units = state.spec.units()
    for m in _feasible(state, max((p.round for p in state.proposals), default=0)):
        if all(
            goals[name].utility(m.properties[name]) >= goals[name].utility(value)
            for name, value in targets.items()
        ):
            reached = ", ".join(
                f"{name} {m.properties[name]:.6g} {units[name]} (wanted {value:g})"
                for name, value in targets.items()
            )
            return f"the target is reached: {reached}, candidate {m.candidate[:10]}"
    return None


def _best(state: CampaignState, last: int) -> float | None:
    """Return the highest utility up to a round, of feasible measurements; None without any."""
    (objective,) = state.spec.objectives
    values = (objective.utility(m.properties[objective.property]) for m in _feasible(state, last))
    return max(values, default=None)


def _plateau(state: CampaignState, options: PlateauOptions, done: int) -> str | None:
    if done < options.rounds:
        return None
    before, now = _best(state, done - options.rounds), _best(state, done)
    if before is None or now is None or now - before > options.gain:
        return None
    name = state.spec.objectives[0].property
    unit = state.spec.units()[name]
    return (
        f"plateau: the best {name} improved by {now - before:.3g} {unit} in the last "
        f"{_rounds(options.rounds)}, and more than {options.gain:g} {unit} is wanted"
    )


def _rounds(n: int) -> str:
    return "round" if n == 1 else f"{n} rounds"


def _hypervolume(state: CampaignState, options: HypervolumeGainOptions, done: int) -> str | None:
    if done < options.rounds:
        return None
    reference = first_worst(state)
    if reference is None:
        return None
    before = _volume(state, done - options.rounds, reference)
    now = _volume(state, done, reference)
    if before <= 0 or now - before > options.share * now:
        return None
    return (
        f"plateau: the hypervolume grew by {100 * (now - before) / now:.2g} % in the last "
        f"{_rounds(options.rounds)}, and more than {100 * options.share:g} % is wanted"
    )


def _points(state: CampaignState, answers: Sequence[Measured]) -> list[list[float]]:
    return [[o.utility(m.properties[o.property]) for o in state.spec.objectives] for m in answers]


def first_worst(state: CampaignState) -> list[float] | None:
    """Return the point that hypervolumes are counted from, as utilities: the worst value of each
    objective among the feasible initial labels, which no later label moves; None without any."""
    points = _points(state, _feasible(state, 0))
    return [min(column) for column in zip(*points, strict=True)] if points else None


def _volume(state: CampaignState, last: int, reference: Sequence[float]) -> float:
    import numpy as np  # noqa: PLC0415 (states of one objective are read without it)

    from alloop.loop.state.ranking.front import hypervolume  # noqa: PLC0415

    points = _points(state, _feasible(state, last))
    return hypervolume(np.array(points).reshape(len(points), len(reference)), reference)


def probability_of_improvement(state: CampaignState, round: int) -> float | None:
    """Return the largest probability, among a round's candidates when they were chosen, of being
    feasible and better than the best before; None where none had a posterior.

    The properties count as independent and normal.
    """
    tier = _aimed_tier(state)
    best = _best(state, round - 1)
    found = [
        _probability(state, posterior, best)
        for proposal in state.requested
        if (proposal.round, proposal.stage) == (round, Stage.ACQUISITION)
        for decision in proposal.decisions
        if _knows_all(state, posterior := _posterior(decision, tier))
    ]
    return max(found, default=None)


def _knows_all(state: CampaignState, posterior: dict[str, Posterior]) -> bool:
    """Return whether a posterior is of all properties that the campaign asks for now; one of other
    terms may lack some."""
    return bool(posterior) and all(name in posterior for name in state.spec.property_names())


def _posterior(decision: Decision, tier: int) -> dict[str, Posterior]:
    return decision.high_fidelity if tier else decision.posterior


def _probability(
    state: CampaignState, posterior: dict[str, Posterior], best: float | None
) -> float:
    (objective,) = state.spec.objectives
    bounds = [(c.property, *_bounds(c)) for c in state.spec.constraints]
    if best is not None:
        bounds.append((objective.property, *_better_than(objective, best)))
    limits: dict[str, tuple[float, float]] = {}
    for name, low, high in bounds:
        one, other = limits.get(name, (-math.inf, math.inf))
        limits[name] = max(one, low), min(other, high)
    return math.prod(_inside(posterior[name], *ends) for name, ends in limits.items())


def _bounds(constraint: Constraint) -> tuple[float, float]:
    low, high = constraint.min, constraint.max
    return (-math.inf if low is None else low), (math.inf if high is None else high)


def _better_than(objective: Objective, best: float) -> tuple[float, float]:
    """Return the values whose utility is above the best: an interval, for every goal."""
    if objective.goal == "window":
        assert objective.window is not None
        return objective.window[0] + best, objective.window[1] - best
    return (best, math.inf) if objective.goal == "maximise" else (-math.inf, -best)


def _inside(posterior: Posterior, low: float, high: float) -> float:
    """Return the probability of a normal value between two ends."""
    if posterior.std <= 0:
        return float(low < posterior.mean < high)
    upper, lower = ((end - posterior.mean) / posterior.std for end in (high, low))
    if lower > 0:  # by the tails on the other side, which rounding would lose
        upper, lower = -lower, -upper
    return max(_normal(upper) - _normal(lower), 0.0)


def _normal(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2.0))
