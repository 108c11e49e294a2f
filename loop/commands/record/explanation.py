"""Everything that a run knows of one candidate."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alloop.loop.commands.record.decision_rows import flat
from alloop.loop.record.brought import BroughtLabel, LabelsBrought
from alloop.loop.record.events import Decision, Measured
from alloop.loop.state.brought import labels_in
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.terms import Retraction
from alloop.loop.state.trials import Trial, ancestry, trials_of


@dataclass(frozen=True)
class Explanation:
    """One candidate: decisions about it, values of it, and where it came from."""

    candidate: str
    rows: tuple[Mapping[str, Any], ...]
    """Decisions with what came of each, in their order, as ``audit`` lists them."""
    measurements: tuple[Measured, ...]
    """Answers about it, of every tier, in order of arrival."""
    brought: tuple[tuple[LabelsBrought, BroughtLabel], ...]
    """Labels of it that were brought, with the event of each."""
    retractions: tuple[Retraction, ...]
    """Answers about it that were taken back."""
    ancestors: tuple[Decision, ...]
    """Decisions that led to it, its own first; empty where it was never chosen."""

    @property
    def formula(self) -> str:
        """Its formula."""
        return str(self.rows[0]["formula"]) if self.rows else self.brought[0][1].formula

    @property
    def lattice(self) -> str | None:
        """Its parent lattice, where it decorates one."""
        found: str | None = self.rows[0]["lattice"] if self.rows else self.brought[0][1].lattice
        return found

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "candidate": self.candidate,
            "formula": self.formula,
            "lattice": self.lattice,
            "decisions": list(self.rows),
            "measurements": [m.model_dump(mode="json") for m in self.measurements],
            "brought": [
                {
                    "value_of": event.value_of,
                    "fingerprint": event.fingerprint,
                    "file": event.source,
                    "checksum": event.checksum,
                    "who": event.who,
                    "why": event.why,
                    **label.model_dump(mode="json", exclude={"candidate", "formula", "lattice"}),
                }
                for event, label in self.brought
            ],
            "retracted": [
                {
                    "entry": r.seq,
                    "who": r.event.who,
                    "why": r.event.why,
                    "measurement": r.measured.model_dump(mode="json"),
                }
                for r in self.retractions
            ],
            "ancestors": [
                {
                    "candidate": decision.candidate,
                    "formula": decision.formula,
                    "reason": decision.reason,
                    "lineage": decision.lineage.model_dump(mode="json"),
                }
                for decision in self.ancestors
            ],
        }


def explanation_of(state: CampaignState, candidate: str) -> Explanation:
    """Return all that is known of a candidate that was considered, or brought, at least once.

    Args:
        state: of the campaign.
        candidate: full id.
    """
    return Explanation(
        candidate,
        rows=tuple(
            flat(trial, state, _above_hull(trial, state)) for trial in trials_of(state, candidate)
        ),
        brought=tuple(each for each in labels_in(state.brought) if each[1].candidate == candidate),
        measurements=tuple(m for m in state.measured.values() if m.candidate == candidate),
        retractions=tuple(r for r in state.retractions if r.measured.candidate == candidate),
        ancestors=tuple(ancestry(state, candidate)),
    )


def _above_hull(trial: Trial, state: CampaignState) -> float | None:
    hull = None if trial.answer is None else state.hulls[trial.proposal.tier]
    return None if hull is None else hull.energy_above(trial.decision.candidate)
