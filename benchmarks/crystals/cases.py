"""FTCP's first two design cases as campaigns: what the rounds chose against random choice.

The ready campaigns at smaller budgets, three seeds each; runs are kept in the folder ALLOOP_BENCH,
or in runs/bench-crystals, and what is done there is not done again. Definitions of the figures are
the paper's (Ren et al., Matter 5 (2022) 314, "Workflow" and "Case 1"), where it does not say
otherwise here.

    python -m benchmarks.crystals.cases gap 1      runs one case with one seed alone
"""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path

import numpy as np
from pymatgen.core import Structure

from alloop.campaigns.spec import CampaignSpec
from alloop.loop.record.events import Decision, Measured, Stage
from alloop.loop.run_folder import RunFolder
from alloop.models.ftcp.inverse_design.dissimilarity import (
    DIFFERENT,
    dissimilarities,
    fingerprints,
)
from alloop.models.metrics.rates import Rate
from alloop.oracles.base import Status
from alloop.oracles.table.options import TableOptions
from alloop.oracles.table.oracle import TableOracle
from benchmarks.data import use_data_folder
from benchmarks.house.ready_campaigns import substitutes
from benchmarks.search.seeds import launch

FOLDER = Path(os.environ.get("ALLOOP_BENCH", "runs/bench-crystals"))
SEEDS = (1, 2, 3)
CASES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "formation_energy": (
        "ftcp-formation-energy",
        (
            "space.max_atoms=5",
            "tiers.0.max_steps=100",
            "budget.initial=48",
            "budget.rounds=2",
            "budget.measurements=[80]",
        ),
    ),
    "gap": (
        "ftcp-gap",
        ("model.network.steps=400", "budget.rounds=2", "budget.measurements=[160]"),
    ),
}
"""Ready campaign of each case, and what is smaller here so that all seeds take less than half an
hour of one core."""


@dataclass(frozen=True)
class Choices:
    """What the rounds of a run chose, with what came of it."""

    decisions: tuple[Decision, ...]
    answers: tuple[Measured | None, ...]
    """Successful measurement of each; None where it failed."""

    @classmethod
    def of(cls, run: RunFolder) -> "Choices":
        """Return the choices of the acquisition of all rounds."""
        state = run.state
        found = {m.candidate: m for m in state.recorded.values() if m.status is Status.OK}
        decisions = [
            decision
            for proposal in state.proposals
            if proposal.stage is Stage.ACQUISITION
            for decision in proposal.decisions
            if decision.chosen
        ]
        return cls(tuple(decisions), tuple(found.get(d.candidate) for d in decisions))


def measure() -> dict[str, object]:
    """Return the figures of both cases."""
    use_data_folder()
    figures: dict[str, object] = {}
    for case in CASES:
        runs = [run_of(case, seed) for seed in SEEDS]
        figures |= {f"{name}_{case}": value for name, value in figures_of(runs).items()}
    return figures


def run_of(case: str, seed: int) -> RunFolder:
    """Run a case with a seed, unless that is done, and return its run."""
    campaign, settings = CASES[case]
    run = (FOLDER / f"{case}-{seed}").absolute()
    own = ("cache=false", "execution.workers=1", f"seed={seed}")
    launch(campaign, run, (*settings, *own, *substitutes(campaign)))
    return RunFolder.read(run)


def figures_of(runs: Sequence[RunFolder]) -> dict[str, object]:
    """Return the figures over the runs of one case, all choices of all seeds together."""
    choices = [Choices.of(run) for run in runs]
    answers = [answer for one in choices for answer in one.answers]
    decisions = [decision for one in choices for decision in one.decisions]
    spec = runs[0].state.spec
    success = Rate.of(sum(hits(spec, answer) for answer in answers), len(answers))
    chance = chance_of(runs)
    by_seed = [
        sum(hits(spec, answer) for answer in one.answers) / len(one.answers) for one in choices
    ]
    found = [_structure_figures(run, one) for run, one in zip(runs, choices, strict=True)]
    far = [value for _, values in found for value in values]
    return {
        "success": {"mean": float(np.mean(by_seed)), "std": float(np.std(by_seed))},
        "success_low": success.low,
        "success_high": success.high,
        "random": chance.value,
        "n_random": float(chance.trials),
        "improvement": success.value / chance.value - 1 if chance.hits else nan,
        "n_designs": float(len(answers)),
        "n_hits": float(success.hits),
        "validity": sum(answer is not None for answer in answers) / len(answers),
        "new_formulas": float(np.mean([share for share, _ in found])),
        "dissimilarity": float(np.median(far)) if far else nan,
        "dissimilar": float(np.mean([value >= DIFFERENT for value in far])) if far else nan,
        "model_share": float(np.mean([_is_made(decision) for decision in decisions])),
        "decoded_share": float(np.mean([d.lineage.model is not None for d in decisions])),
        "n_seeds": float(len(runs)),
    } | _by_wish(spec, answers, _random_values(runs))


def chance_of(runs: Sequence[RunFolder]) -> Rate:
    """Return the share of random materials that hit; see ``_random_values``."""
    spec = runs[0].state.spec
    values = _random_values(runs)
    return Rate.of(sum(bool(each) and meets(spec, each) for each in values), len(values))


def _random_values(runs: Sequence[RunFolder]) -> list[Mapping[str, float]]:
    """Return the values of random materials: of a table all rows; else what the campaigns drew to
    begin with, a failed measurement without any value."""
    first = runs[0].state.spec.tiers[0]
    if isinstance(first, TableOptions):
        table = TableOracle(first)
        return [table.measure(row).properties for row in table.materials()]
    recorded = [m for run in runs for m in run.state.recorded.values()]
    return [m.properties for m in recorded if m.stage is Stage.INITIAL]


def _by_wish(
    spec: CampaignSpec, answers: Sequence[Measured | None], drawn: Sequence[Mapping[str, float]]
) -> dict[str, float]:
    """Return, for each property that is asked for, the share of the choices and of random materials
    that lie in its window or bounds, whatever the other properties are."""
    chosen = [{} if answer is None else answer.properties for answer in answers]
    figures = {}
    for name in spec.property_names():
        wishes = [each for each in spec.objectives if each.property == name]
        bounds = [each for each in spec.constraints if each.property == name]
        for whose, values in (("share", chosen), ("random_share", drawn)):
            held = [
                name in each
                and all(wish.utility(each[name]) >= 0 for wish in wishes)
                and all(bound.margin(each[name]) >= 0 for bound in bounds)
                for each in values
            ]
            figures[f"{whose}_in_{name}"] = float(np.mean(held))
    return figures


def meets(spec: CampaignSpec, properties: Mapping[str, float]) -> bool:
    """Return whether values lie in all windows and bounds."""
    is_inside = all(each.utility(properties[each.property]) >= 0 for each in spec.objectives)
    return is_inside and all(
        each.margin(properties[each.property]) >= 0 for each in spec.constraints
    )


def hits(spec: CampaignSpec, answer: Measured | None) -> bool:
    """Return whether a measurement lies in all windows and bounds; None is one that failed."""
    return answer is not None and meets(spec, answer.properties)


def _is_made(decision: Decision) -> bool:
    """Return whether the model and its climb made a candidate, rather than a random draw."""
    return decision.lineage.source in ("latent", "climbed")


def _structure_figures(run: RunFolder, choices: Choices) -> tuple[float, list[float]]:
    """Return the share of measured choices whose formula the first candidates lack, and each one's
    dissimilarity to the nearest of them, relaxed."""
    state = run.state
    first = [m for m in state.answers() if m.stage is Stage.INITIAL]
    known = [_relaxed(run, m) for m in first]
    formulas = {structure.composition.reduced_formula for structure in known}
    designs = [_relaxed(run, answer) for answer in choices.answers if answer is not None]
    new = [design.composition.reduced_formula not in formulas for design in designs]
    distances = dissimilarities(designs, fingerprints(known))
    return float(np.mean(new)), distances[np.isfinite(distances)].tolist()


def _relaxed(run: RunFolder, measured: Measured) -> Structure:
    material = run.store.get_material(measured.relaxed or measured.candidate)
    assert isinstance(material, Structure)
    return material


if __name__ == "__main__":
    use_data_folder()
    for chosen in map(int, sys.argv[2:]):
        finished = run_of(sys.argv[1], chosen)
        print(figures_of([finished]))
