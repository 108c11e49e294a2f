"""What labels of a higher tier are worth to the search: with and without them in the fits.

Two interatomic potentials stand for cheap and dear: the search asks the first, each round promotes
four to the second, and the best by the second is what counts. All runs of a seed begin with the
same labels; those without differ in `learning.higher_tiers` alone, and a third group searches for
the first tier's best, as if the second were not there until the end of each round.
"""

from collections.abc import Mapping, Sequence
from typing import Any

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
        "atoms": 54,
    },
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "acquisition": {"strategy": "latent-bo", "batch": 16, "aim": "top-tier"},
    "tiers": [
        {"kind": "lammps", "potential": "NiFeCr-Wu2017"},
        {"kind": "lammps", "potential": "MoCoNiVFeAlCr_2nn.meam", "promote": 4},
    ],
    "promotion": {"when": "round", "keep_structure": True},
    "budget": {"initial": 64, "rounds": 6, "measurements": [160, 24]},
    "execution": {"workers": 2},
}
WITH = Strategy("with")
WITHOUT = Strategy("without", ("learning.higher_tiers=false",))
FIRST_TIER = Strategy("first tier", ("acquisition.aim=first-tier",))


def measure(
    seeds: Sequence[int] = SEEDS,
    strategies: Sequence[Strategy] = (WITH, WITHOUT, FIRST_TIER),
    overrides: Sequence[str] = (),
) -> dict[str, float]:
    """Return medians and seeds of the best bulk modulus by the higher tier, GPa, and the paired
    tests of learning from it against the others.
    """
    with runs_folder("learning") as folder:
        runs = run_seeds(SPEC, strategies, folder, seeds=seeds, overrides=overrides)
        bests = {
            name: [_best(RunFolder.read(path)) for path in paths] for name, paths in runs.items()
        }
    figures: dict[str, float] = {}
    for name, values in bests.items():
        figures |= best_figures(f"higher_tier_{key_of(name)}", values, seeds)
    ours = bests[WITH.name]
    for name, values in bests.items():
        if name != WITH.name:
            differences = [a - b for a, b in zip(ours, values, strict=True)]
            figures |= test_figures("higher_tier", name, paired_test(differences))
    return figures


def _best(folder: RunFolder) -> float:
    """Return the highest bulk modulus that the higher tier has measured, GPa."""
    return max(m.properties["bulk_modulus"] for m in folder.state.answers(1))
