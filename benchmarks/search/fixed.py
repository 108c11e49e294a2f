"""Fixed composition: fcc Ni18Cr18Fe18, highest bulk modulus, by the ready campaign
`nifecr-ordering` and by the script beside. The part `ternary` sets it beside the other strategies.
"""

from collections.abc import Sequence

import numpy as np

from alloop.loop.compare.statistics.significance import paired_test
from benchmarks.kept_runs import runs_folder
from benchmarks.search.baselines.ordering_script import search
from benchmarks.search.figures import best_figures, test_figures
from benchmarks.search.seeds import OURS, SEEDS, compared

CAMPAIGN = "nifecr-ordering"
AT = (144, 400)
"""Numbers of labels that bests are read at; 64 of them are random."""
LENGTH = (f"budget.measurements=[{AT[-1]}]", "budget.rounds=1000", "budget.wall_time=null")
"""Settings that let it spend all labels, and no clock decide."""


def measure(seeds: Sequence[int] = SEEDS) -> dict[str, float]:
    """Return medians and seeds of the best bulk modulus after so many labels, in GPa, the same of
    the script, and the p-values of the difference.
    """
    figures: dict[str, float] = {}
    with runs_folder("fixed") as folder:
        (ours,) = compared(
            CAMPAIGN, [OURS], folder, seeds=seeds, overrides=LENGTH, at=AT, baselines=[]
        ).groups
        for n in AT:
            figures |= best_figures(f"fixed_{n}", ours.at(n), seeds)
    print("  script …", flush=True)
    script = [np.fmax.accumulate(list(search(seed, AT[-1]))) for seed in seeds]
    for n in AT:
        theirs = [float(best[n - 1]) for best in script]
        figures |= best_figures(f"fixed_script_{n}", theirs, seeds)
        pairs = zip(ours.at(n), theirs, strict=True)
        differences = [a - b for a, b in pairs]
        figures |= test_figures(f"fixed_{n}", "script", paired_test(differences))
    return figures
