"""Where a campaign stands, for programs."""

from typing import Any

from alloop.loop.commands.printing.waiting import waiting_rows
from alloop.loop.run_folder import RunFolder
from alloop.loop.standing import standing_of
from alloop.loop.state.brought import best_brought, brought_materials, labels_in
from alloop.loop.state.calibration import (
    LEVELS,
    Calibration,
    drawn_at_random,
    latest_calibration,
    predicted_names,
    surprises,
)
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.folding.terms import Terms
from alloop.loop.state.ranking.pareto import pareto_front
from alloop.oracles.base import Status
from alloop.properties import ENERGY_ABOVE_HULL


def status_to_json(folder: RunFolder) -> dict[str, Any]:
    """Return the state that ``alloop status`` shows, as plain JSON values: times in seconds,
    properties in the units of the campaign's table."""
    state = folder.state
    return {
        "name": state.spec.name,
        "standing": standing_of(folder.path, state).to_json(),
        "closed": state.closed,
        "paused": state.paused,
        "round": state.last_round,
        "rounds": state.spec.budget.rounds,
        "tiers": [_tier(state, tier) for tier in range(len(state.spec.tiers))],
        "terms": [_terms(terms) for terms in state.terms],
        "pending": len(state.pending),
        "queued": len(state.by_hand.queue),
        "vetoed": len(state.by_hand.vetoes),
        "wall_seconds": state.wall_seconds,
        "sessions": state.n_sessions,
        "best": _best(state),
        "brought": _brought(state),
        "front": _front(state),
        "stable": _stable(state),
        "search": _search(state),
        "waiting": waiting_rows(state),
        "head": folder.head,
    }


def _stable(state: CampaignState) -> list[str]:
    """Return the candidates on the first tier's hull, by id, where energies above it are asked
    for."""
    if ENERGY_ABOVE_HULL not in state.spec.property_names() or (hull := state.hulls[0]) is None:
        return []
    return [phase.candidate for phase in hull.stable_phases if phase.candidate is not None]


def _search(state: CampaignState) -> dict[str, Any]:
    """Return how predictions of rounds 2 and later came true, surprises, and idle rounds."""
    predictions = {}
    for name in predicted_names(state):
        if (found := latest_calibration(state, name)) is not None:
            predictions[name] = {
                "n": found.n,
                **(_of_answers(found) if found.is_yes_or_no else _of_values(found)),
                "rank_correlation": found.rank_correlation,
            }
    return {
        "predictions": predictions,
        "surprises": [
            {
                "candidate": predicted.trial.decision.candidate,
                "property": name,
                "measured": predicted.measured,
                "expected": predicted.mean,
                "std": predicted.std,
            }
            for name, predicted in surprises(state)
        ],
        "drawn_at_random": {str(round): n for round, (n, _) in drawn_at_random(state).items()},
    }


def _of_values(found: Calibration) -> dict[str, Any]:
    return {
        "coverage": {f"{level:g}": found.coverage(level) for level in LEVELS},
        "mean_std": found.sharpness,
        "rmse": found.rmse,
        "log_density": found.log_density,
    }


def _of_answers(found: Calibration) -> dict[str, Any]:
    return {
        "as_expected": found.as_expected,
        "promised": found.promised,
        "brier_score": found.brier,
    }


def _terms(terms: Terms) -> dict[str, Any]:
    return {
        "number": terms.number,
        "entry": terms.seq,
        "time": terms.time,
        "who": terms.who,
        "why": terms.why,
        "changes": {
            path: {"old": old, "new": new} for path, (old, new) in (terms.changes or {}).items()
        },
    }


def _tier(state: CampaignState, tier: int) -> dict[str, Any]:
    answers = [m for m in state.measured.values() if m.tier == tier]
    cost = state.cost(tier)
    return {
        "kind": state.spec.tiers[tier].kind,
        "measured": len(answers),
        "measurements": state.spec.budget.measurements[tier],
        "failed": sum(m.status is Status.FAILED for m in answers),
        "in_doubt": sum(not state.is_reliable(m) for m in answers),
        "retracted": sum(r.measured.tier == tier for r in state.retracted.values()),
        "reused": sum(m.reuse is not None for m in answers),
        "wall_seconds": cost.wall_seconds,
        "core_hours": cost.core_hours,
        "money": cost.money,
    }


def _best(state: CampaignState) -> dict[str, Any] | None:
    best = state.best()
    if best is None:
        return None
    decision = state.decisions[best.candidate]
    return {
        "candidate": best.candidate,
        "formula": decision.formula,
        "lattice": decision.lattice,
        "feasible": state.utility.is_feasible(best.properties),
        "properties": best.properties,
    }


def _brought(state: CampaignState) -> dict[str, Any] | None:
    """Return what was brought, and the best of it; None where nothing was."""
    materials = brought_materials(state)
    if not materials:
        return None
    best = best_brought(state)
    return {
        "materials": len(materials),
        "labelled": len(
            {label.candidate for _, label in labels_in(state.brought) if label.properties}
        ),
        "outside": sum(label.use != "space" for label in materials.values()),
        "best": None
        if best is None
        else {
            "candidate": best.candidate,
            "formula": materials[best.candidate].formula,
            "properties": best.properties,
        },
    }


def _front(state: CampaignState) -> dict[str, Any] | None:
    """Return the Pareto front; None with one objective."""
    if len(state.spec.objectives) == 1:
        return None
    front = pareto_front(state)
    return {
        "reference": dict(front.reference),
        "hypervolume": front.hypervolume,
        "reached": front.is_reached,
        "problems": list(front.problems),
        "members": [
            {
                "candidate": member.candidate,
                "formula": state.decisions[member.candidate].formula,
                "lattice": state.decisions[member.candidate].lattice,
                "contribution": member.contribution,
                "properties": member.answer.properties,
            }
            for member in front.members
        ],
    }
