"""Recalibration: how wide the surrogates' intervals have to be, from what earlier ones came to."""

import numpy as np

from alloop.loop.record.events import Stage
from alloop.loop.state.campaign_state import CampaignState

LEVEL, QUANTILE = 0.8, 1.2815515655446004
"""Share of values that an interval is to hold, and its half-width in standard deviations."""
PRIOR_COUNT = 8
"""Number of promises kept that the first intervals count for."""
MAX_ROUNDS = 4
"""Number of the latest rounds that count."""
NARROWEST, WIDEST = 0.5, 5.0


def interval_scale(state: CampaignState, property_name: str) -> float:
    """Return the factor of a property's standard deviations.

    It is what would have made the ``LEVEL`` intervals of the latest rounds hold that share of what
    was measured afterwards; a few kept promises are added, so that few measurements say little.
    """
    ratios = [
        ratio
        for proposal in state.proposals
        if proposal.stage is Stage.ACQUISITION and proposal.tier == 0
        if proposal.round > max(state.models, default=0) - 1 - MAX_ROUNDS
        for ratio in _ratios(state, proposal.round, property_name)
    ]
    if not ratios:
        return 1.0
    kept = np.linspace(0.0, 1.0, PRIOR_COUNT) ** 1 * QUANTILE / LEVEL
    scale = float(np.quantile(np.concatenate([ratios, kept]), LEVEL)) / QUANTILE
    return float(np.clip(scale, NARROWEST, WIDEST))


def _ratios(state: CampaignState, round: int, property_name: str) -> list[float]:
    """Return how many of the uncorrected standard deviations off each of a round's values was."""
    measured = {m.candidate: m.properties for m in state.answers() if m.round == round}
    found = []
    for proposal in state.proposals:
        if proposal.round != round or proposal.stage is not Stage.ACQUISITION:
            continue
        scale = float(proposal.notes.get(f"interval_scale_{property_name}", 1.0))
        for decision in proposal.decisions:
            promise = decision.posterior.get(property_name)
            values = measured.get(decision.candidate, {})
            if decision.chosen and promise is not None and property_name in values:
                off = abs(values[property_name] - promise.mean)
                found.append(off * scale / max(promise.std, 1e-12))
    return found
