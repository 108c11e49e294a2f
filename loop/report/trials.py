"""Each measurement joined with the decision that asked for it: what most of the report draws."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from campaigns.spec import CampaignSpec
from loop.merit import Merit
from loop.records import Decision, Measured, Proposed
from loop.report.words import label_of, unit_of
from loop.state import CampaignState, evaluation_id
from oracles.base import Status


@dataclass(frozen=True)
class Trial:
    """A decision, and the measurement that followed where there was one."""

    proposal: Proposed
    decision: Decision
    measured: Measured | None
    number: int
    """Place among the answered ones of its tier, from 1; 0 without an answer."""

    @property
    def answer(self) -> Measured | None:
        """The measurement if it gave values."""
        if self.measured is None or self.measured.status is not Status.OK:
            return None
        return self.measured


def all_trials(state: CampaignState) -> tuple[Trial, ...]:
    """Return every decision, chosen or not, in its order."""
    return tuple(_joined(state))


def measured_trials(state: CampaignState, tier: int = 0) -> tuple[Trial, ...]:
    """Return what a tier has answered, failures too, in the order of the decisions."""
    return tuple(
        trial
        for trial in all_trials(state)
        if trial.proposal.tier == tier and trial.measured is not None
    )


def _joined(state: CampaignState) -> Iterator[Trial]:
    answered = [0] * len(state.fingerprints)
    for proposal in state.proposals:
        for decision in proposal.decisions:
            measured = None
            if decision.chosen:
                key = evaluation_id(decision.candidate, state.fingerprints[proposal.tier])
                measured = state.measured.get(key)
            answered[proposal.tier] += measured is not None
            number = 0 if measured is None else answered[proposal.tier]
            yield Trial(proposal, decision, measured, number)


@dataclass(frozen=True)
class Yardstick:
    """What "better" is drawn as: the only objective's value, or the merit of several."""

    merit: Merit

    @property
    def spec(self) -> CampaignSpec:
        """The campaign."""
        return self.merit.spec

    @property
    def property_name(self) -> str | None:
        """The property it is, where there is one objective."""
        return self.spec.objectives[0].property if len(self.spec.objectives) == 1 else None

    @property
    def label(self) -> str:
        """For an axis."""
        if self.property_name is not None:
            return label_of(self.property_name, with_unit=True)
        return "merit"

    @property
    def unit(self) -> str:
        """Unit of the value; empty for a merit."""
        return "" if self.property_name is None else unit_of(self.property_name)

    def value(self, properties: Mapping[str, float]) -> float:
        """Return where a set of property values lies on it."""
        if self.property_name is not None:
            return properties[self.property_name]
        return self.merit.value(properties)
