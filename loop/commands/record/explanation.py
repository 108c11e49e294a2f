"""Everything that a run knows of one candidate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alloop.loop.explain.dependents import Dependents, dependents_of
from alloop.loop.explain.places import Place, place_of
from alloop.loop.explain.required import Requirement, requirements
from alloop.loop.python.decision_rows import flat
from alloop.loop.record.by_hand.brought import BroughtLabel, LabelsBrought
from alloop.loop.record.events import Decision, LedgerEntry, Measured, Proposed
from alloop.loop.state.brought import labels_in
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.folding.fold import Fold
from alloop.loop.state.folding.terms import RetractedLabel, Retraction
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
    retracted_labels: tuple[RetractedLabel, ...]
    """Labels of it that were brought and taken back."""
    ancestors: tuple[Decision, ...]
    """Decisions that led to it, its own first; empty where it was never chosen."""
    places: tuple[Place | None, ...]
    """Place among the others at each decision; None where it was not compared with others."""
    required: tuple[tuple[Requirement, ...], ...]
    """What would have had to differ at each decision that rejected it."""
    dependents: Dependents
    """What came after its measurement and could build on it."""
    formula: str
    lattice: str | None
    by_hand: tuple[str, ...] = ()
    """Who added or vetoed it and why, in words."""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "candidate": self.candidate,
            "formula": self.formula,
            "lattice": self.lattice,
            "by_hand": list(self.by_hand),
            "decisions": [
                {
                    **row,
                    "place": None if place is None else _place_to_json(place),
                    "would_have_had_to_differ": [each.to_json() for each in required],
                }
                for row, place, required in zip(self.rows, self.places, self.required, strict=True)
            ],
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
            "retracted_labels": [
                {**_taken_back(r), "label": r.label.model_dump(mode="json")}
                for r in self.retracted_labels
            ],
            "retracted": [
                {**_taken_back(r), "measurement": r.measured.model_dump(mode="json")}
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
            "dependents": self.dependents.to_json(),
        }


def _taken_back(one: Retraction | RetractedLabel) -> dict[str, Any]:
    return {"entry": one.seq, "who": one.event.who, "why": one.event.why}


def _place_to_json(place: Place) -> dict[str, Any]:
    rival = place.rival
    return {
        "rank": place.rank,
        "of": place.n,
        "score": place.score,
        "rival": None if rival is None else rival.candidate,
        "rival_score": None if rival is None else rival.acquisition,
        "margin": place.margin,
    }


def explanation_of(
    state: CampaignState, entries: Sequence[LedgerEntry], candidate: str
) -> Explanation:
    """Return all that is known of a candidate that was considered, brought or added.

    Args:
        state: of the campaign.
        entries: of its ledger.
        candidate: full id.
    """
    trials = trials_of(state, candidate)
    bests = _bests_before(entries, [t.proposal for t in trials if t.decision.rule == "acquisition"])
    places = tuple(place_of(t.proposal, t.decision) for t in trials)
    specs = {terms.number: terms.spec for terms in state.terms}
    rows = tuple(flat(trial, state, _above_hull(trial, state)) for trial in trials)
    brought = tuple(each for each in labels_in(state.brought) if each[1].candidate == candidate)
    own = state.by_hand.added.get(candidate)
    if own is not None:
        formula, lattice = own.added.formula, own.added.lattice
    elif rows:
        formula, lattice = rows[0]["formula"], rows[0]["lattice"]
    else:
        formula, lattice = brought[0][1].formula, brought[0][1].lattice
    said = [] if own is None else [own.reason + _queued(state, candidate)]
    if (veto := state.by_hand.reasons_vetoed.get(candidate)) is not None:
        said.append(veto)
    return Explanation(
        candidate,
        rows=rows,
        brought=brought,
        measurements=tuple(m for m in state.measured.values() if m.candidate == candidate),
        retractions=tuple(r for r in state.retractions if r.measured.candidate == candidate),
        retracted_labels=tuple(r for r in state.retracted_labels if r.label.candidate == candidate),
        ancestors=tuple(ancestry(state, candidate)),
        places=places,
        required=tuple(
            requirements(
                state,
                specs.get(trial.terms, state.spec),
                trial.decision,
                trial.proposal.tier,
                place=place,
                best=bests.get(id(trial.proposal)),
            )
            for trial, place in zip(trials, places, strict=True)
        ),
        dependents=dependents_of(entries, state, candidate),
        formula=formula,
        lattice=lattice,
        by_hand=tuple(said),
    )


def _queued(state: CampaignState, candidate: str) -> str:
    return "; queued for the next batch" if candidate in state.by_hand.queue else ""


def _bests_before(
    entries: Sequence[LedgerEntry], proposals: Sequence[Proposed]
) -> dict[int, Measured]:
    """Return the best feasible measurement of the first tier before each proposal, by its identity;
    nothing where there was none."""
    wanted, found = {id(proposal) for proposal in proposals}, dict[int, Measured]()
    fold = Fold()
    for entry in entries if wanted else ():
        if id(entry.event) in wanted:
            before = fold.state()
            best = None if before is None else before.best()
            if before and best and before.utility.is_feasible(best.properties):
                found[id(entry.event)] = best
            wanted.discard(id(entry.event))
            if not wanted:
                break
        fold.add(entry)
    return found


def _above_hull(trial: Trial, state: CampaignState) -> float | None:
    hull = None if trial.answer is None else state.hulls[trial.proposal.tier]
    return None if hull is None else hull.energy_above(trial.decision.candidate)
