"""Trials: each measurement joined with the decision that asked for it, and the decisions behind
it."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from alloop.loop.record.events import Decision, Measured, Proposed
from alloop.loop.record.stored_events import Moments, outline_of, posteriors_of
from alloop.loop.state.campaign_state import CampaignState, evaluation_id
from alloop.loop.state.folding.terms import Retraction, terms_in_force
from alloop.oracles.base import Status


@dataclass(frozen=True)
class Trial:
    """A decision with the measurement that followed, where there was one."""

    proposal: Proposed
    place: int
    """Place of the decision in the proposal, from 0."""
    measured: Measured | None
    number: int
    """Number of the measurement within its tier, from 1; 0 without a measurement."""
    doubt: str = ""
    """Reason for which a value that the campaign wants is not to be relied on; else empty."""
    terms: int = 1
    """Number of the terms under which it was decided."""

    @property
    def decision(self) -> Decision:
        """The decision, decoded with its proposal when one is looked at."""
        return self.proposal.decisions[self.place]

    @property
    def answer(self) -> Measured | None:
        """The measurement, if it gave values that can be relied on; None otherwise."""
        if self.measured is None or self.measured.status is not Status.OK or self.doubt:
            return None
        return self.measured


def all_trials(state: CampaignState) -> tuple[Trial, ...]:
    """Return every decision, chosen or not, in its order."""
    return state.trials


def measured_trials(state: CampaignState, tier: int = 0) -> tuple[Trial, ...]:
    """Return the measured trials of a tier, failures too, in the order of the decisions."""
    return tuple(
        trial
        for trial in all_trials(state)
        if trial.proposal.tier == tier and trial.measured is not None
    )


def retraction_of(state: CampaignState, candidate: str, tier: int) -> Retraction | None:
    """Return how a candidate's measurement by a tier was taken back; None where it was not, or
    where another has come since."""
    return state.retracted.get(evaluation_id(candidate, state.fingerprints[tier]))


def unmeasured_reason(state: CampaignState, candidate: str, tier: int) -> str:
    """Return why a chosen candidate has no measurement by a tier, for people."""
    if (retraction := retraction_of(state, candidate, tier)) is not None:
        return retraction.reason
    if (veto := state.by_hand.reasons_vetoed.get(candidate)) is not None:
        return f"withdrawn from tier {tier}: {veto}"
    if state.closed is None:
        paused = "" if state.paused is None else ": the campaign paused first"
        return f"not measured yet{paused}"
    return f"not measured, as the campaign ended first: {state.closed}"


def joined(state: CampaignState) -> Iterator[Trial]:
    """Yield every decision with what came of it; ``CampaignState.trials`` keeps them."""
    return (trial for _, trial in _joined(state))


def foreseen(state: CampaignState) -> Iterator[tuple[Trial, Mapping[str, Moments]]]:
    """Yield the trials of tier 0 that were predicted and gave values that can be relied on, with
    the posterior of each; ``CampaignState.foreseen`` keeps them."""
    predicted = {
        nth: posteriors
        for nth, proposal in enumerate(state.proposals)
        if proposal.tier == 0 and (posteriors := posteriors_of(proposal))
    }
    for nth, trial in _joined(state, of=predicted, measured_only=True):
        if trial.answer is not None and (posterior := predicted[nth][trial.place]):
            yield trial, posterior


def trials_of(state: CampaignState, candidate: str) -> tuple[Trial, ...]:
    """Return the decisions about one candidate; no other is decoded."""
    about = {
        nth
        for nth, proposal in enumerate(state.proposals)
        if any(decision["candidate"] == candidate for decision in outline_of(proposal))
    }
    return tuple(
        trial
        for _, trial in _joined(state, of=about)
        if outline_of(trial.proposal)[trial.place]["candidate"] == candidate
    )


def _doubt(measured: Measured | None, wanted: Sequence[str]) -> str:
    return "" if measured is None or not measured.doubts else measured.doubt(wanted)


def _joined(
    state: CampaignState, of: Container[int] | None = None, *, measured_only: bool = False
) -> Iterator[tuple[int, Trial]]:
    """Yield decisions with what came of them, each with the place of its proposal.

    Args:
        of: places of the proposals whose decisions are wanted; all where it is left out.
        measured_only: whether decisions without a measurement are left out.
    """
    wanted = state.spec.property_names()
    answered = [0] * len(state.fingerprints)
    every, asked = state.measured, iter(state.evaluations)
    for nth, proposal in enumerate(state.proposals):
        # An evaluation was asked for by each that was chosen, in this order.
        tier, outline = proposal.tier, outline_of(proposal)
        if of is not None and nth not in of:
            chosen = islice(asked, sum(decision["chosen"] for decision in outline))
            answered[tier] += sum(evaluation.id in every for evaluation in chosen)
            continue
        terms = terms_in_force(state.terms, nth)
        for place, decision in enumerate(outline):
            measured = every.get(next(asked).id) if decision["chosen"] else None
            if measured_only and measured is None:
                continue
            answered[tier] += measured is not None
            number = 0 if measured is None else answered[tier]
            yield nth, Trial(proposal, place, measured, number, _doubt(measured, wanted), terms)


def ancestry(state: CampaignState, candidate: str) -> list[Decision]:
    """Return the decisions that led to a chosen candidate, the candidate's own first."""
    chain: list[Decision] = []
    id: str | None = candidate
    while id is not None and (decision := state.decisions.get(id)) not in (None, *chain):
        assert decision is not None
        chain.append(decision)
        id = decision.lineage.parent
    return chain
