"""Reading a ledger back: why each candidate was chosen."""

from typing import Any

from alloop.errors import AlloopError
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.hull import ENERGY_ABOVE_HULL
from alloop.loop.state.trials import Trial


def flat(trial: Trial, state: CampaignState) -> dict[str, Any]:
    """Return a decision and its measurement as one level of plain values, for tables and CSV,
    with the energy above the hull of everything that its tier has measured by now.
    """
    proposal, d, m = trial.proposal, trial.decision, trial.measured
    row: dict[str, Any] = {
        "round": proposal.round,
        "stage": proposal.stage.value,
        "iteration": proposal.iteration,
        "tier": proposal.tier,
        "candidate": d.candidate,
        "formula": d.formula,
        "lattice": d.lattice,
        "chosen": d.chosen,
        "rule": d.rule,
        "margin": d.margin,
        "reason": d.reason,
        "acquisition": d.acquisition,
        "source": d.lineage.source,
        "parent": d.lineage.parent,
    }
    for name, posterior in d.posterior.items():
        row[f"expected_{name}"] = posterior.mean
        row[f"expected_{name}_std"] = posterior.std
    for name, posterior in d.high_fidelity.items():
        row[f"expected_high_fidelity_{name}"] = posterior.mean
        row[f"expected_high_fidelity_{name}_std"] = posterior.std
    row["status"] = None if m is None else m.status.value
    row |= _above_hull(trial, state)
    row |= {} if m is None else m.properties
    if m is not None and m.failure_kind is not None:
        row["failure"] = f"{m.failure_kind.value}: {m.failure_message}"
        row["verdict"] = "infeasible" if m.is_infeasible else "missing"
    if m is not None and m.reuse is not None:
        row["reused_from"] = m.reuse.run
        row["reused_wall_seconds"] = m.reuse.wall_seconds
    if m is not None and (failed_attempt := state.attempts.get(m.evaluation)):
        row["failed_attempts"] = "; ".join(
            f"{a.failure_kind}: {a.failure_message}" for a in failed_attempt
        )
    return row


def _above_hull(trial: Trial, state: CampaignState) -> dict[str, float]:
    hull = state.hulls[trial.proposal.tier]
    if hull is None or trial.answer is None:
        return {}
    above = hull.energies_above.get(trial.decision.candidate)
    return {} if above is None else {ENERGY_ABOVE_HULL: above}


def find_candidate(state: CampaignState, prefix: str) -> str:
    """Return the full id that begins with a prefix.

    Raises:
        AlloopError: if none or several do.
    """
    ids = {d.candidate for p in state.proposals for d in p.decisions}
    matches = sorted(id for id in ids if id.startswith(prefix))
    if len(matches) == 1:
        return matches[0]
    problem = "no candidate" if not matches else f"{len(matches)} candidates"
    raise AlloopError(
        f"{problem} with an id that begins with {prefix!r}",
        remedy="`alloop audit RUN --format csv` lists all ids.",
    )
