"""What labels of a higher tier are worth to the search: with and without them in the fits.

LAMMPS with an interatomic potential is cheap, CHGNet, a learned potential trained on DFT, is dear,
and they differ by composition (`benchmarks.two_fidelity`). The search asks the first, each round
promotes four to the second, and the best by the second is what counts. Both runs of a seed begin
with the same labels; those without differ in `learning.higher_tiers` alone: they search, and
promote, by the first tier's values.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from alloop.loop.compare.statistics.significance import paired_test
from alloop.loop.run_folder import RunFolder
from benchmarks.kept_runs import runs_folder
from benchmarks.search.figures import best_figures, key_of, test_figures
from benchmarks.search.seeds import SEEDS, Strategy, run_seeds

ELEMENTS = ("Ni", "Fe", "Cr")
SPEC: Mapping[str, Any] = {
    "name": "learning",
    "space": {
        "elements": list(ELEMENTS),
        "fractions": {element: [0.1, 0.6] for element in ELEMENTS},
        "lattices": ["fcc", "bcc"],
        "atoms": 16,
    },
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "acquisition": {"strategy": "surrogate-bo", "batch": 16, "aim": "top-tier"},
    "tiers": [
        {"kind": "lammps", "potential": "NiFeCr-Wu2017"},
        {"kind": "dft", "engine": "chgnet", "promote": 4},
    ],
    "promotion": {"when": "round"},
    "budget": {"initial": 64, "rounds": 6, "measurements": [160, 24]},
    "execution": {"workers": 1},
}
WITH = Strategy("with")
WITHOUT = Strategy("without", ("learning.higher_tiers=false",))


def measure(
    seeds: Sequence[int] = SEEDS,
    strategies: Sequence[Strategy] = (WITH, WITHOUT),
    overrides: Sequence[str] = (),
) -> dict[str, float]:
    """Return medians and seeds of the best bulk modulus by the higher tier, GPa, its mean over the
    higher tier's labels as they came (``…_mean_so_far_gpa``), and the paired test of learning
    from them against not learning.
    """
    with runs_folder("learning") as folder:
        runs = run_seeds(SPEC, strategies, folder, seeds=seeds, overrides=overrides)
        curves = {
            name: [_best_so_far(RunFolder.read(path)) for path in paths]
            for name, paths in runs.items()
        }
    figures: dict[str, float] = {}
    bests = {name: [float(curve[-1]) for curve in each] for name, each in curves.items()}
    for name, values in bests.items():
        key = f"higher_tier_{key_of(name)}"
        figures |= best_figures(key, values, seeds)
        figures[f"{key}_mean_so_far_gpa"] = float(np.mean([c.mean() for c in curves[name]]))
    ours = bests[WITH.name]
    for name, values in bests.items():
        if name != WITH.name:
            differences = [a - b for a, b in zip(ours, values, strict=True)]
            figures |= test_figures("higher_tier", name, paired_test(differences))
    return figures


def _best_so_far(folder: RunFolder) -> np.ndarray:
    """Return the highest bulk modulus after each of the higher tier's labels, GPa."""
    found = [m.properties["bulk_modulus"] for m in folder.state.answers(1)]
    return np.maximum.accumulate(found)
