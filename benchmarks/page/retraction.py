"""Whether `alloop impact` lists what brute force finds to have depended on a label.

Brute force: the ledger is written anew with the label's measurement failed, as if the machine had
lost it, and every later step is done again on it: models are trained again from that ledger, each
from the one trained again in the round before, decisions are made again with them, promotions,
reference points, the end, the best and the front likewise. What comes out otherwise, in any
decision, score or expectation, depended on the label.

The same is done with the ledger as it is, as a control: everything must come out as recorded.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from alloop.campaigns.load import parse_spec
from alloop.loop.choose.augmentation import propose_neighbours
from alloop.loop.choose.promotion import propose_promotion
from alloop.loop.choose.screening import Seen
from alloop.loop.choose.strategies.dispatch import propose_batch
from alloop.loop.choose.training_set import training_set
from alloop.loop.controller import Controller
from alloop.loop.impact import impact_of
from alloop.loop.record.events import (
    CampaignClosed,
    LedgerEntry,
    Measured,
    ModelFitted,
    Proposed,
    ReferenceTaken,
    Stage,
)
from alloop.loop.record.overlay import OverlayStore
from alloop.loop.run_folder import RunFolder
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.folding.fold import fold
from alloop.loop.state.ranking.pareto import pareto_front
from alloop.loop.state.ranking.reference import reference_from
from alloop.loop.steps import Close, next_step
from alloop.oracles.base import FailureKind, Status
from alloop.seeds import derive_seed
from tests.loop.observers import Silent

SEED = 19
LABELS = 10
"""Number of labels, drawn from those of all campaigns in turn."""

ORDERINGS: dict[str, Any] = {
    "name": "orderings",
    "seed": 3,
    "space": {"elements": ["Ni", "Fe", "Cr"], "atoms": 16},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "constraints": [{"property": "formation_energy_per_atom", "max": 0.08}],
    "model": {"width": 8, "depth": 1, "epochs": 2, "unlabelled": 32},
    "acquisition": {"batch": 4, "pool": 8},
    "augmentation": {"parents": 2, "iterations": 2, "swaps": 3},
    "tiers": [
        {"kind": "lammps", "potential": "NiFeCr-Wu2017"},
        {"kind": "lammps", "potential": "MoCoNiVFeAlCr_2nn.meam", "promote": 2},
    ],
    "promotion": {"when": "round"},
    "budget": {"initial": 12, "rounds": 3, "measurements": [90, 12]},
    "execution": {"workers": 1},
    "cache": False,
}
"""Model, surrogates, local search and promotion, for one objective."""

FRONT = ORDERINGS | {
    "name": "front",
    "seed": 4,
    "objectives": [
        {"property": "bulk_modulus", "goal": "maximise"},
        {"property": "density", "goal": "minimise"},
    ],
    "acquisition": {"strategy": "surrogate-bo", "batch": 4},
    "budget": {"initial": 12, "rounds": 2, "measurements": [60, 8]},
}
"""Two objectives, and surrogates without a model."""
del FRONT["model"]

GENETIC = FRONT | {
    "name": "genetic",
    "seed": 5,
    "objectives": ORDERINGS["objectives"],
    "acquisition": {"strategy": "genetic", "batch": 6, "population": 8},
    "stop": {"plateau": {"rounds": 1, "gain": 0.1}},
}
"""No surrogates: decisions that depend on how labels rank alone."""

CAMPAIGNS = (ORDERINGS, FRONT, GENETIC)


def measure() -> dict[str, float]:
    """Return how many dependents of ten random labels were compared, and how many differ."""
    with tempfile.TemporaryDirectory(prefix="alloop-retraction-") as folder:
        runs = [run_campaign(Path(folder) / spec["name"], spec) for spec in CAMPAIGNS]
        figures = {
            "retract_labels": 0.0,
            "retract_compared": 0.0,
            "retract_dependents": 0.0,
            "retract_mismatches": 0.0,
            "retract_control_differences": float(sum(map(control_differences, runs))),
        }
        for run, evaluation in drawn_labels(runs):
            found, brute = impact_facts(run, evaluation), brute_facts(run, evaluation)
            for fact in sorted(set(found) | set(brute)):
                differs = found.get(fact) != brute.get(fact)
                figures["retract_compared"] += 1
                figures["retract_dependents"] += brute.get(fact) is not None
                figures["retract_mismatches"] += differs
                if differs:
                    name = run.state.spec.name
                    print(f"{name}, {fact}: {found.get(fact)} by impact, {brute.get(fact)} by hand")
            figures["retract_labels"] += 1
        return figures


def run_campaign(path: Path, spec: Mapping[str, Any]) -> RunFolder:
    """Run a campaign to its end."""
    with Controller(path, parse_spec(dict(spec), where="benchmark"), observer=Silent()) as running:
        running.run()
    return RunFolder.read(path)


def drawn_labels(runs: Sequence[RunFolder]) -> Iterator[tuple[RunFolder, str]]:
    """Yield labels at random, from the campaigns in turn."""
    rng = np.random.default_rng(SEED)
    drawn = [
        rng.permutation(
            [m.evaluation for m in run.state.recorded.values() if m.status is Status.OK]
        )
        for run in runs
    ]
    for place in range(LABELS):
        which, nth = place % len(runs), place // len(runs)
        yield runs[which], str(drawn[which][nth])


Facts = dict[str, str | None]
"""What is said of each dependent; None for one that does not depend."""


def impact_facts(run: RunFolder, evaluation: str) -> Facts:
    """Return what `alloop impact` says of each later entry and conclusion."""
    impact = impact_of(run.entries, [evaluation], OverlayStore(run.store.folder))
    facts: Facts = {f"entry {e.seq}": None for e in _steps_after(run, evaluation)}
    facts |= {f"entry {seq}": "depends" for seq in impact.seqs}
    for each in impact.conclusions:
        if each.seq is None:
            facts[f"{each.kind} {each.tier}"] = f"{each.drawn}, without {each.without}"
    facts["descendants"] = " ".join(sorted(impact.descendants)) or None
    return facts


def brute_facts(run: RunFolder, evaluation: str) -> Facts:
    """Return what comes out otherwise on a ledger in which the label's measurement failed."""
    entries = [_without(entry, evaluation) for entry in run.entries]
    again = Again(entries, OverlayStore(run.store.folder))
    facts: Facts = {}
    for entry in _steps_after(run, evaluation):
        facts[f"entry {entry.seq}"] = None if again.agrees(entry) else "depends"
    one, other = run.state, fold(entries)
    assert other is not None
    for tier in range(len(one.fingerprints)):
        best, instead = (_id(state.best(tier)) for state in (one, other))
        if best != instead:
            facts[f"best {tier}"] = f"{best}, without {instead}"
    if one.utility.seeks_front:
        fronts = [
            " ".join(sorted(m.candidate for m in pareto_front(s).members)) for s in (one, other)
        ]
        if fronts[0] != fronts[1]:
            facts["front 0"] = f"{fronts[0]}, without {fronts[1]}"
    facts["descendants"] = " ".join(sorted(_descendants(one, one.recorded[evaluation]))) or None
    return facts


def control_differences(run: RunFolder) -> int:
    """Return how many steps do not come out as recorded on the ledger as it is."""
    again = Again(run.entries, OverlayStore(run.store.folder))
    return sum(not again.agrees(e) for e in run.entries if isinstance(e.event, STEPS))


STEPS = (ModelFitted, Proposed, ReferenceTaken, CampaignClosed)


@dataclass
class Again:
    """Steps of a ledger, done again on the entries before each."""

    entries: Sequence[LedgerEntry]
    store: OverlayStore

    def __post_init__(self) -> None:
        self._checkpoints: dict[int, str] = {}

    def agrees(self, entry: LedgerEntry) -> bool:
        """Return whether a step comes out as recorded."""
        state = fold(self.entries[: entry.seq - 1])
        assert state is not None
        match entry.event:
            case ModelFitted() as event:
                self._checkpoints[event.round] = self._trained(state, event.round)
                return self._checkpoints[event.round] == event.checkpoint
            case Proposed() as event:
                return tuple(self._proposed(state, event).decisions) == tuple(event.decisions)
            case ReferenceTaken() as event:
                labels = [m.properties for m in state.answers()]
                return reference_from(state.spec, labels) == event
            case CampaignClosed() as event:
                return next_step(state) == Close(event.reason)
        raise AssertionError("no other kind of entry is a step")

    def _trained(self, state: CampaignState, round: int) -> str:
        names, options = state.spec.property_names(), state.spec.model
        known = self._checkpoints.get(round - 1)
        if known is None and round - 1 in state.models:
            known = state.models[round - 1].checkpoint
        model = (
            options.build(state.spec.space, names)
            if known is None
            else self.store.read(known, options.load)
        )
        seed = derive_seed(state.spec.seed, "fit", round)
        model.fit(training_set(state, self.store, self._seen(state), model), seed=seed)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.safetensors"
            model.save(path)
            return self.store.put(path.read_bytes())

    def _proposed(self, state: CampaignState, event: Proposed) -> Proposed:
        if event.stage is Stage.INITIAL:
            return event  # drawn at random, before anything was known
        if event.stage is Stage.PROMOTION:
            return propose_promotion(
                state, self.store, round=event.round, tier=event.tier, iteration=event.iteration
            )
        seen, round = self._seen(state), event.round
        if event.stage is Stage.AUGMENTATION:
            return propose_neighbours(
                state, self.store, seen, round=round, iteration=event.iteration
            )
        if round in self._checkpoints:
            fitted = state.models[round].model_copy(update={"checkpoint": self._checkpoints[round]})
            state = replace(state, models={**state.models, round: fitted})
        return propose_batch(state, self.store, seen, round=round)

    def _seen(self, state: CampaignState) -> Seen:
        seen = Seen()
        seen.follow(state, self.store)
        return seen


def _steps_after(run: RunFolder, evaluation: str) -> list[LedgerEntry]:
    """Return the steps behind the entry of a measurement."""
    since = next(
        e.seq
        for e in run.entries
        if isinstance(e.event, Measured) and e.event.evaluation == evaluation
    )
    return [e for e in run.entries[since:] if isinstance(e.event, STEPS)]


def _without(entry: LedgerEntry, evaluation: str) -> LedgerEntry:
    """Return an entry with the measurement failed, if it is the evaluation's."""
    event = entry.event
    if not isinstance(event, Measured) or event.evaluation != evaluation:
        return entry
    lost = event.model_copy(
        update={
            "status": Status.FAILED,
            "properties": {},
            "failure_kind": FailureKind.WORKER_DIED,
            "failure_message": "lost",
            "relaxed": None,
        }
    )
    return entry._replace(event=lost)


def _id(measured: Measured | None) -> str:
    return "" if measured is None else measured.candidate


def _descendants(state: CampaignState, measured: Measured) -> set[str]:
    """Return the chosen candidates of whose ancestors the measured one is, each walked up to its
    first."""
    found = set()
    for candidate in state.decisions:
        waiting, ancestors = [candidate], set[str]()
        while waiting:
            lineage = state.decisions[waiting.pop()].lineage
            parents = {lineage.parent, lineage.mate} & set(state.decisions) - ancestors
            ancestors |= parents  # type: ignore[arg-type]  # None is no decision's key
            waiting += [each for each in parents if each is not None]
        if measured.candidate in ancestors - {candidate}:
            found.add(candidate)
    return found
