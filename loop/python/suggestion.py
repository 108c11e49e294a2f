"""Suggested and measured materials, with what a notebook shows of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from alloop.loop.python.html import card_html
from alloop.loop.record.events import Decision, Lineage, Measured, Posterior
from alloop.loop.run_folder import RunFolder
from alloop.loop.state.campaign_state import CampaignState, Evaluation
from alloop.materials import Material


@dataclass(frozen=True)
class _Decided:
    """A candidate that was decided on, with its material."""

    decision: Decision
    material: Material
    """Structure or composition: as it is to be measured; of what was measured, the relaxed
    structure where the oracle relaxes."""

    @property
    def candidate(self) -> str:
        """Id of the candidate."""
        return self.decision.candidate

    @property
    def formula(self) -> str:
        """Formula, of a structure that of its cell."""
        return self.decision.formula

    @property
    def lattice(self) -> str | None:
        """Name of the parent lattice that it was proposed on, where there is one."""
        return self.decision.lattice

    @property
    def why(self) -> str:
        """Reason of the decision, in one sentence."""
        return self.decision.reason

    def _named(self) -> str:
        """Return what begins its text: lattice, formula and the first digits of its id."""
        where = f"{self.lattice} " if self.lattice else ""
        return f"{where}{self.formula} {self.candidate[:12]}"

    def _card(self, facts: Mapping[str, str]) -> str:
        """Return what a notebook shows: escaped, whatever the record holds."""
        rows = {"candidate": self.candidate[:12], "why": self.why, **facts}
        return card_html(f"{self.lattice or ''} {self.formula}".strip(), rows, self.material)


@dataclass(frozen=True)
class Suggestion(_Decided):
    """A decision about a candidate, with the candidate's material."""

    tier: int = 0
    """Tier that is to measure it."""
    round: int = 0

    @property
    def chosen(self) -> bool:
        """Whether it is to be measured."""
        return self.decision.chosen

    @property
    def rule(self) -> str | None:
        """Rule that refused it; None for the chosen."""
        return self.decision.rule

    @property
    def expected(self) -> Mapping[str, Posterior]:
        """Posterior of each property, mean and standard deviation in its unit; empty without a
        surrogate."""
        return self.decision.posterior

    @property
    def acquisition(self) -> float | None:
        """Score of the choice; None without a surrogate."""
        return self.decision.acquisition

    @property
    def lineage(self) -> Lineage:
        """Where the candidate came from."""
        return self.decision.lineage

    def __repr__(self) -> str:
        verdict = "" if self.chosen else f", refused by {self.rule}"
        return f"<{self._named()}{verdict}: {self.why}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        facts = {} if self.chosen else {"refused by": self.rule or ""}
        if self.acquisition is not None:
            facts["acquisition"] = f"{self.acquisition:.4g}"
        for name, posterior in self.expected.items():
            facts[f"expected {name}"] = f"{posterior.mean:.4g} ± {posterior.std:.2g}"
        return self._card(facts)


@dataclass(frozen=True)
class MeasuredMaterial(_Decided):
    """A measured candidate, with the choice that led to it and its material."""

    measured: Measured

    @classmethod
    def of(cls, folder: RunFolder, measured: Measured) -> "MeasuredMaterial":
        """Return a measurement with its material from the run's store."""
        material = folder.store.get_material(measured.relaxed or measured.candidate)
        return cls(folder.state.decisions[measured.candidate], material, measured)

    @property
    def properties(self) -> Mapping[str, float]:
        """Measured values by property, in its unit."""
        return self.measured.properties

    def __repr__(self) -> str:
        values = ", ".join(f"{name} {value:.4g}" for name, value in self.properties.items())
        return f"<{self._named()}: {values}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return self._card({name: f"{value:.5g}" for name, value in self.properties.items()})


def suggestions(folder: RunFolder, evaluations: Iterable[Evaluation]) -> list[Suggestion]:
    """Return chosen candidates that are not measured yet, with their materials."""
    return [
        Suggestion(
            choice_of(folder.state, e), folder.store.get_material(e.candidate), e.tier, e.round
        )
        for e in evaluations
    ]


def choice_of(state: CampaignState, evaluation: Evaluation) -> Decision:
    """Return the decision by which an evaluation was asked for."""
    proposals = (p for p in state.proposals if p.tier == evaluation.tier)
    return next(
        decision
        for proposal in proposals
        for decision in proposal.decisions
        if decision.chosen and decision.candidate == evaluation.candidate
    )
