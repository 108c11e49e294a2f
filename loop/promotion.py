"""Sending the best of one tier to the next, dearer one."""

from loop.records import Decision, Lineage, Measured, Proposed, Stage
from loop.state import CampaignState


def propose_promotion(state: CampaignState, *, round: int, tier: int) -> Proposed:
    """Propose the best feasible candidates of the tier below that this tier has not measured.

    As many again, which just missed, are recorded with the rank they had.
    """
    size = min(state.spec.tiers[tier].promote, state.remaining(tier))
    asked = {e.candidate for e in state.evaluations if e.tier == tier}
    below = [m for m in state.answers(tier - 1) if m.candidate not in asked]
    feasible = [m for m in below if state.merit.is_feasible(m.properties)]
    feasible.sort(key=lambda m: state.merit.rank(m.properties), reverse=True)
    decisions = tuple(
        _decide(state, answer, place, size) for place, answer in enumerate(feasible[: 2 * size])
    )
    return Proposed(round=round, stage=Stage.PROMOTION, tier=tier, decisions=decisions)


def _decide(state: CampaignState, answer: Measured, place: int, size: int) -> Decision:
    origin = state.decisions[answer.candidate]
    chosen = place < size
    return Decision(
        candidate=answer.candidate,
        formula=origin.formula,
        lattice=origin.lattice,
        chosen=chosen,
        rule=None if chosen else "promotion",
        margin=None if chosen else float(size - 1 - place),
        reason=f"place {place + 1} among the feasible; {size} are promoted",
        lineage=Lineage(source="promoted", parent=answer.candidate),
    )
