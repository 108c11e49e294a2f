"""Fixed composition: fcc Ni18Cr18Fe18, highest bulk modulus, by the ready campaign
`nifecr-ordering`, by other strategies with the same first labels, and by the script beside.
"""

from collections.abc import Sequence

import numpy as np

from alloop.loop.compare.statistics.significance import paired_test
from benchmarks.search.figures import best_figures, contrast_figures, key_of, test_figures
from benchmarks.search.ordering_script import search
from benchmarks.search.seeds import (
    OURS,
    SEEDS,
    Strategy,
    compared,
    of_kind,
    runs_folder,
)

CAMPAIGN = "nifecr-ordering"
AT = (144, 400)
"""Numbers of labels that bests are read at; 64 of them are random."""
OTHERS = tuple(of_kind(kind) for kind in ("random", "local-search", "annealing", "genetic"))
"""Strategies beside ours. Those that climb over compositions have nothing to do here."""
LENGTH = (f"budget.measurements=[{AT[-1]}]", "budget.rounds=1000", "budget.wall_time=null")
"""Settings that let every strategy spend all labels, and no clock decide."""


def measure(
    strategies: Sequence[Strategy] = (OURS, *OTHERS), seeds: Sequence[int] = SEEDS
) -> dict[str, float]:
    """Return medians and seeds of the best bulk modulus after so many labels, in GPa, p-values
    against each of the others, and the same of the script.
    """
    figures: dict[str, float] = {}
    with runs_folder("fixed") as folder:
        found = compared(
            CAMPAIGN,
            strategies,
            folder,
            seeds=seeds,
            overrides=LENGTH,
            at=AT,
            baselines=[each.name for each in strategies if each != OURS],
        )
        for group in found.groups:
            name = "fixed" if group.name == OURS.name else f"fixed_{key_of(group.name)}"
            for n in AT:
                figures |= best_figures(f"{name}_{n}", group.at(n), seeds)
        for contrast in found.contrasts:
            figures |= contrast_figures(f"fixed_{contrast.n}", contrast)
    print("  script …", flush=True)
    script = [np.fmax.accumulate(list(search(seed, AT[-1]))) for seed in seeds]
    for n in AT:
        theirs = [float(best[n - 1]) for best in script]
        figures |= best_figures(f"fixed_script_{n}", theirs, seeds)
        pairs = zip(found.named(OURS.name).at(n), theirs, strict=True)
        differences = [a - b for a, b in pairs]
        figures |= test_figures(f"fixed_{n}", "script", paired_test(differences))
    return figures
