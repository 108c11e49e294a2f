"""Vetoes: candidates that people forbid."""

from pathlib import Path

from alloop.errors import DataError
from alloop.loop.people.who import checked_reason, user_name
from alloop.loop.record.by_hand.candidates import Vetoed
from alloop.loop.run_folder import open_to_write
from alloop.loop.state.brought import brought_materials
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.choices import find_candidate


def record_veto(run: Path, candidate: str, why: str, *, who: str = "") -> Vetoed:
    """Record that a candidate is never to be chosen again, and withdraw it where it waits.

    Args:
        run: the run's folder.
        candidate: beginning of its id.
        why: the reason.
        who: name of whoever forbids it; by default the user's.

    Raises:
        DataError: if there is no such candidate, it is vetoed already, or there is no reason.
        RunError: if there is no campaign, or a controller is working on it.
    """
    reason = checked_reason(why)
    with open_to_write(run) as (folder, ledger):
        state = folder.state
        id = find_candidate(state, candidate)
        if (earlier := state.by_hand.reasons_vetoed.get(id)) is not None:
            raise DataError(f"{id[:12]} is {earlier}", where=str(run))
        formula, lattice = _describe(state, id)
        by = who or user_name()
        veto = Vetoed(candidate=id, formula=formula, lattice=lattice, who=by, why=reason)
        ledger.append(veto)
        return veto


def _describe(state: CampaignState, candidate: str) -> tuple[str, str | None]:
    """Return formula and lattice of a candidate that was considered, brought or added."""
    if (queued := state.by_hand.added.get(candidate)) is not None:
        return queued.added.formula, queued.added.lattice
    if (label := brought_materials(state).get(candidate)) is not None:
        return label.formula, label.lattice
    for proposal in state.proposals:
        for decision in proposal.decisions:
            if decision.candidate == candidate:
                return decision.formula, decision.lattice
    raise AssertionError("a candidate was considered, brought or added")
