"""Each ingredient of the search off in turn: fixed composition at 144 labels, ternary at 160."""

from collections.abc import Sequence

from benchmarks.kept_runs import runs_folder
from benchmarks.search import fixed, ternary
from benchmarks.search.ablated import INGREDIENTS
from benchmarks.search.figures import best_figures, contrast_figures, key_of
from benchmarks.search.seeds import OURS, SEEDS, Strategy, compared

WITHOUT_MODEL = Strategy("model", ("acquisition.strategy=surrogate-bo",))
ABLATIONS = (WITHOUT_MODEL, *(Strategy(name, ablation=name) for name in INGREDIENTS))
"""Ours without each ingredient, under the ingredient's name."""
PROBLEMS = {
    "fixed": (
        fixed.CAMPAIGN,
        ("budget.measurements=[144]", "budget.rounds=5"),
        144,
    ),
    "ternary": (
        ternary.CAMPAIGN,
        (*ternary.LENGTH[:2], "budget={initial: 64, rounds: 6, measurements: [160]}"),
        160,
    ),
}
"""Campaign, settings and number of labels of each problem."""


def measure(
    ablations: Sequence[Strategy] = ABLATIONS, seeds: Sequence[int] = SEEDS
) -> dict[str, float]:
    """Return medians and seeds of the best without each ingredient, GPa
    (``ablation_PROBLEM_NAME_median_gpa``), ours at the same number of labels
    (``ablation_PROBLEM_median_gpa``), and the gain by each ingredient with its p-values.
    """
    figures: dict[str, float] = {}
    for problem, (campaign, settings, n) in PROBLEMS.items():
        with runs_folder(f"ablation-{problem}") as folder:
            found = compared(
                campaign,
                (OURS, *ablations),
                folder,
                seeds=seeds,
                overrides=settings,
                at=(n,),
                baselines=[each.name for each in ablations],
            )
        for group in found.groups:
            ending = "" if group.name == OURS.name else f"_{key_of(group.name)}"
            figures |= best_figures(f"ablation_{problem}{ending}", group.at(n), seeds)
        for contrast in found.contrasts:
            figures |= contrast_figures(f"ablation_{problem}", contrast)
    return figures
