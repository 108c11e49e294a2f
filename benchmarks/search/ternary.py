"""The ready campaign's space and constraint: Ni–Fe–Cr, fcc and bcc, 54 atoms, and a formation
energy of at most 0.08 eV/atom. Ours against every other strategy at 160 and 300 labels of LAMMPS.
"""

from collections.abc import Sequence
from statistics import median

import numpy as np

from alloop.loop.compare.comparison import Comparison
from benchmarks.kept_runs import runs_folder
from benchmarks.search.figures import best_figures, contrast_figures, key_of
from benchmarks.search.seeds import BASELINES, OURS, SEEDS, Strategy, compared

CAMPAIGN = "nifecr-bulk-modulus"
AT = (160, 300)
"""Numbers of labels that bests are read at; 64 of them are random."""
LENGTH = (
    "tiers=[{kind: lammps, potential: NiFeCr-Wu2017}]",
    "promotion={}",
    f"budget={{initial: 64, rounds: 1000, measurements: [{AT[-1]}]}}",
)
"""The first tier alone, and settings that let every strategy spend all labels."""


def measure(
    strategies: Sequence[Strategy] = (OURS, *BASELINES), seeds: Sequence[int] = SEEDS
) -> dict[str, float]:
    """Return medians and seeds of the best allowed bulk modulus, GPa, p-values against each of the
    others (``ternary_p_NAME`` at the larger number of labels, ``ternary_160_p_NAME`` at 160; the
    largest of them, ``ternary_p_largest``), and the labels that ours needs to reach the best of the
    others' last medians.
    """
    figures: dict[str, float] = {}
    with runs_folder("ternary") as folder:
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
        name = "ternary" if group.name == OURS.name else f"ternary_{key_of(group.name)}"
        for n in AT:
            figures |= best_figures(f"{name}_{n}", group.at(n), seeds)
    for contrast in found.contrasts:
        name = "ternary" if contrast.n == AT[-1] else f"ternary_{contrast.n}"
        figures |= contrast_figures(name, contrast)
    for name in ("ternary", f"ternary_{AT[0]}"):
        keys = [f"{name}_p_{key_of(group.name)}" for group in found.groups]
        if tested := [figures[key] for key in keys if key in figures]:  # a single seed gives none
            figures[f"{name}_p_largest"] = max(tested)
    figures["ternary_labels_to_best_baseline"] = labels_to_best_baseline(found)
    return figures


def labels_to_best_baseline(found: Comparison) -> float:
    """Return the median number of labels after which ours is as good as the best of the others is
    in the end, by its median over seeds; one more than all where it never is.
    """
    others = [group for group in found.groups if group.name != OURS.name]
    wanted = max(float(median(group.at(AT[-1]))) for group in others)
    needed = []
    for curve in found.named(OURS.name).curves:
        reached = np.flatnonzero(np.asarray(curve) >= wanted)
        needed.append(int(reached[0]) + 1 if len(reached) else AT[-1] + 1)
    return float(median(needed))
