"""What people are asked for, as rows."""

from typing import Any

from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.steps import Wait, next_step

NOBODY = "nobody is waited for"


def waiting_rows(state: CampaignState) -> list[dict[str, Any]]:
    """Return each candidate that the campaign waits for, with what is asked of it; none where it
    does not wait for people.
    """
    step = next_step(state)
    if not isinstance(step, Wait):
        return []
    rows = []
    for e in step.evaluations:
        decision = state.decisions[e.candidate]
        rows.append(
            {
                "candidate": e.candidate,
                "formula": decision.formula,
                "lattice": decision.lattice,
                "tier": e.tier,
                "round": e.round,
                "asked for": ", ".join(sorted(state.spec.tiers[e.tier].measures())),
            }
        )
    return rows
