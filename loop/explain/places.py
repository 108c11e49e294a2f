"""The place of a candidate among those that it was considered with."""

from collections.abc import Sequence
from dataclasses import dataclass

from alloop.loop.record.events import Decision, Proposed, Stage

COMPETING = frozenset({"acquisition", "prediction", "unsureness", "variety", "promotion"})
"""Rules by which candidates lose against others; all other rules look at one alone."""


@dataclass(frozen=True)
class Place:
    """Place among the candidates of one proposal that passed the rules about each alone."""

    rank: int
    """Place, 1 for the best."""
    n: int
    """Number of candidates that were compared."""
    score: float | None
    """Acquisition score; None of a promotion, where the order is all that is recorded."""
    rival: Decision | None
    """Candidate that it is compared with: of a chosen one the runner-up, the best that was not
    chosen; of another, the last that was chosen. None where there is none."""
    margin: float | None
    """Score of the candidate minus that of its rival; None without scores."""


def place_of(proposed: Proposed, decision: Decision) -> Place | None:
    """Return the place of a candidate in a proposal; None for a draw at random, and where a rule
    about the candidate alone refused it.

    Of scores, the logarithm of an expected improvement, a difference is the logarithm of how many
    times larger one improvement is.
    """
    compared = [d for d in proposed.decisions if d.rule is None or d.rule in COMPETING]
    if decision not in compared:
        return None
    if proposed.stage is Stage.PROMOTION:
        return _place(decision, compared, None)
    scored = [d for d in compared if d.acquisition is not None]
    if decision.acquisition is None or len(scored) < len(compared):
        return None
    in_order = sorted(scored, key=lambda d: (-(d.acquisition or 0.0), not d.chosen))
    return _place(decision, in_order, decision.acquisition)


def _place(decision: Decision, in_order: Sequence[Decision], score: float | None) -> Place:
    chosen = [d for d in in_order if d.chosen]
    others = [d for d in in_order if not d.chosen]
    rival = next(iter(others if decision.chosen else reversed(chosen)), None)
    margin = None
    if score is not None and rival is not None and rival.acquisition is not None:
        margin = score - rival.acquisition
    rank = next(i for i, d in enumerate(in_order) if d is decision or d == decision) + 1
    return Place(rank, len(in_order), score, rival, margin)
