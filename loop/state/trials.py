"""Trials: each measurement joined with the decision that asked for it, and the decisions behind
it."""

from collections.abc import Iterator
from dataclasses import dataclass

from alloop.loop.record.events import Decision, Measured, Proposed
from alloop.loop.state.campaign_state import CampaignState, evaluation_id
from alloop.oracles.base import Status


@dataclass(frozen=True)
class Trial:
    """A decision with the measurement that followed, where there was one."""

    proposal: Proposed
    decision: Decision
    measured: Measured | None
    number: int
    """Number of the measurement within its tier, from 1; 0 without a measurement."""
    doubt: str = ""
    """Reason for which a value that the campaign wants is not to be relied on; else empty."""

    @property
    def answer(self) -> Measured | None:
        """The measurement, if it gave values that can be relied on; None otherwise."""
        if self.measured is None or self.measured.status is not Status.OK or self.doubt:
            return None
        return self.measured


def all_trials(state: CampaignState) -> tuple[Trial, ...]:
    """Return every decision, chosen or not, in its order."""
    return tuple(_joined(state))


def measured_trials(state: CampaignState, tier: int = 0) -> tuple[Trial, ...]:
    """Return the measured trials of a tier, failures too, in the order of the decisions."""
    return tuple(
        trial
        for trial in all_trials(state)
        if trial.proposal.tier == tier and trial.measured is not None
    )


def unmeasured_reason(state: CampaignState) -> str:
    """Return why a chosen candidate has no measurement, for people."""
    if state.closed is None:
        return "not measured yet"
    return f"not measured, as the campaign ended first: {state.closed}"


def _joined(state: CampaignState) -> Iterator[Trial]:
    answered = [0] * len(state.fingerprints)
    wanted = state.spec.property_names()
    for proposal in state.proposals:
        for decision in proposal.decisions:
            measured = None
            if decision.chosen:
                key = evaluation_id(decision.candidate, state.fingerprints[proposal.tier])
                measured = state.measured.get(key)
            answered[proposal.tier] += measured is not None
            number = 0 if measured is None else answered[proposal.tier]
            doubt = "" if measured is None else measured.doubt(wanted)
            yield Trial(proposal, decision, measured, number, doubt)


def ancestry(state: CampaignState, candidate: str) -> list[Decision]:
    """Return the decisions that led to a chosen candidate, the candidate's own first."""
    chain: list[Decision] = []
    id: str | None = candidate
    while id is not None and (decision := state.decisions.get(id)) not in (None, *chain):
        assert decision is not None
        chain.append(decision)
        id = decision.lineage.parent
    return chain
