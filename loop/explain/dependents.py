"""What came after a candidate's measurement and could build on it, read from the ledger alone.

``alloop.loop.impact`` computes what would have come out otherwise.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from alloop.loop.record.events import LedgerEntry, Measured, ModelFitted, Proposed, Stage
from alloop.loop.record.stored_events import may_name
from alloop.loop.state.campaign_state import CampaignState
from alloop.oracles.base import Status


@dataclass(frozen=True)
class Dependents:
    """What came after a candidate's first value, until it was taken back where it was."""

    children: tuple[str, ...]
    """Candidates that were chosen and made from it directly."""
    models: tuple[int, ...]
    """Rounds whose model was fitted since."""
    proposals: tuple[tuple[int, str, int], ...]
    """Round, stage and tier of each proposal that was decided since, draws at random left out."""
    best_of: tuple[int, ...]
    """Tiers whose best it is now."""
    is_on_front: bool
    """Whether it is a member of the Pareto front now."""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        proposals = [
            {"round": round, "stage": stage, "tier": tier} for round, stage, tier in self.proposals
        ]
        return {
            "children": list(self.children),
            "models": list(self.models),
            "proposals": proposals,
            "best_of_tiers": list(self.best_of),
            "on_pareto_front": self.is_on_front,
        }


def dependents_of(
    entries: Iterable[LedgerEntry], state: CampaignState, candidate: str
) -> Dependents:
    """Return what came after a candidate's first value.

    Args:
        entries: of the ledger.
        state: that they amount to.
        candidate: full id.
    """
    ends = [r.seq for r in state.retractions if r.measured.candidate == candidate]
    is_believed = any(m.candidate == candidate for m in state.recorded.values())
    end = max(ends) if ends and not is_believed else None
    began = False
    children: list[str] = []
    models: list[int] = []
    proposals: list[tuple[int, str, int]] = []
    for entry in entries:
        event = entry.event
        if isinstance(event, Proposed) and may_name(event, candidate):
            children += [
                d.candidate
                for d in event.decisions
                if d.chosen
                and candidate in (d.lineage.parent, d.lineage.mate)
                and d.candidate != candidate
            ]
        if end is not None and entry.seq > end:
            continue
        match event:
            case Measured() if event.candidate == candidate and event.status is Status.OK:
                began = True
            case ModelFitted() if began:
                models.append(event.round)
            case Proposed() if began and event.stage not in (Stage.INITIAL, Stage.UNREQUESTED):
                proposals.append((event.round, event.stage.value, event.tier))
    bests = (state.best(tier) for tier in range(len(state.fingerprints)))
    return Dependents(
        tuple(dict.fromkeys(children)),
        tuple(dict.fromkeys(models)),
        tuple(proposals),
        tuple(tier for tier, m in enumerate(bests) if m is not None and m.candidate == candidate),
        _is_on_front(state, candidate),
    )


def _is_on_front(state: CampaignState, candidate: str) -> bool:
    if not state.utility.seeks_front:
        return False
    # States of one objective are read without numpy.
    from alloop.loop.state.ranking.pareto import pareto_front  # noqa: PLC0415

    return any(m.candidate == candidate for m in pareto_front(state).members)
