"""How many candidates a promotion brings to a higher tier."""

from alloop.loop.record.events import Stage
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.disagreement import disagreement


def wanted(state: CampaignState, tier: int) -> int:
    """Return the number of candidates that a promotion to a tier is to bring: more while the tiers
    are known to disagree."""
    options = state.spec.promotion
    doubtful = bool(options.extra) and disagreement(state, tier).is_doubtful
    return state.spec.tiers[tier].promote + (options.extra if doubtful else 0)


def missing_promotions(state: CampaignState, round: int, tier: int) -> int:
    """Return the number of candidates that a round is still to promote to a tier, within the
    tier's budget."""
    promoted = sum(
        e.stage is Stage.PROMOTION
        and e.round == round
        and e.tier == tier
        and not state.is_withdrawn(e)
        for e in state.evaluations
    )
    return max(min(wanted(state, tier) - promoted, state.remaining(tier)), 0)


def batch_size(state: CampaignState, round: int, tier: int) -> int:
    """Return the number of candidates to promote now.

    With a limit in core-hours or money, and nothing yet known of what a measurement costs, it is
    one: the next ones are promoted when its bill has come.
    """
    size = missing_promotions(state, round, tier)
    is_first = any(tier_budget.each is None for tier_budget in state.tier_budgets(tier))
    return min(size, 1) if is_first else size
