"""Two objectives at once: stiff and light, and stiff and stable, on Ni–Fe–Cr cells of 16 atoms.

Our search for the Pareto front against every other strategy, by the hypervolume after so many
labels above the reference point that the runs took from their first labels.
`ALLOOP_BENCH_SEEDS=5` takes more seeds than the two that fit into ten minutes on two quiet cores.
"""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from alloop.loop.compare.comparison import Comparison
from benchmarks.kept_runs import runs_folder
from benchmarks.search.figures import contrast_figures, key_of
from benchmarks.search.seeds import BASELINES, OURS, Strategy, compared, seeds_wanted

SEEDS = seeds_wanted(2)
LABELS = 128
STIFF = {"property": "bulk_modulus", "goal": "maximise"}
PROBLEMS: Mapping[str, Sequence[Mapping[str, str]]] = {
    "density": (STIFF, {"property": "density", "goal": "minimise"}),
    "formation_energy": (STIFF, {"property": "formation_energy_per_atom", "goal": "minimise"}),
}
"""Objectives of each problem."""


def spec_of(problem: str) -> dict[str, Any]:
    """Return the spec of a problem, as plain values."""
    elements = ("Ni", "Fe", "Cr")
    return {
        "name": f"pareto-{problem.replace('_', '-')}",
        "space": {
            "elements": list(elements),
            "fractions": {symbol: [0.0, 0.8] for symbol in elements},
            "lattices": ["fcc", "bcc"],
            "atoms": 16,
        },
        "objectives": [dict(each) for each in PROBLEMS[problem]],
        "model": {"kind": "lattice"},
        "acquisition": {"strategy": "latent-bo", "batch": 16},
        "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
        "budget": {"initial": 32, "rounds": 1000, "measurements": [LABELS]},
        "execution": {"kind": "local", "workers": 2},
    }


def measure(
    strategies: Sequence[Strategy] = (OURS, *BASELINES), seeds: Sequence[int] = SEEDS
) -> dict[str, float]:
    """Return ratios of hypervolumes, ours over each other strategy's: ``hypervolume_ratio_NAME`` is
    the smaller of the two problems' medians over seeds, ``hypervolume_ratio_PROBLEM_NAME`` each
    one's; and the p-values of the paired tests.
    """
    figures: dict[str, float] = {"hypervolume_seeds": float(len(seeds))}
    others = [each.name for each in strategies if each != OURS]
    ratios: dict[str, list[float]] = {name: [] for name in others}
    for problem in PROBLEMS:
        with runs_folder(f"pareto-{problem}") as folder:
            found = compared(
                spec_of(problem),
                strategies,
                folder,
                seeds=seeds,
                at=(LABELS,),
                baselines=others,
            )
        figures |= _problem_figures(problem, found)
        for name in others:
            ratio = _ratio(found, name)
            ratios[name].append(ratio)
            figures[f"hypervolume_ratio_{problem}_{key_of(name)}"] = ratio
    worst = {f"hypervolume_ratio_{key_of(name)}": min(each) for name, each in ratios.items()}
    return figures | worst


def _problem_figures(problem: str, found: Comparison) -> dict[str, float]:
    figures = {
        f"hypervolume_{problem}_{key_of(group.name)}": float(median(group.at(LABELS)))
        for group in found.groups
    }
    for contrast in found.contrasts:
        figures |= contrast_figures(f"hypervolume_{problem}", contrast)
    return figures


def _ratio(found: Comparison, name: str) -> float:
    """Return our hypervolume over another strategy's, the median over pairs of one seed."""
    pairs = zip(found.named(OURS.name).at(LABELS), found.named(name).at(LABELS), strict=True)
    return float(median(ours / theirs for ours, theirs in pairs))
