"""The stiffest of 3,953 binary crystals: how much faster than at random, and than with a forest.

The ready campaign `stiffest-binary`, five seeds, beside a random forest on Magpie's statistics of
the composition with expected improvement, from the same first labels. What counts is how many of
the ``TOP`` stiffest, one in a hundred, were found. Acceleration and enhancement factors are those
of Rohr et al., Chem. Sci. 11, 2696 (2020), and of Liang et al., npj Comput. Mater. 7, 188 (2021);
random choice is counted exactly: its labels to the k-th of K among N, and its hits, have
expectations in closed form.
"""

from collections.abc import Sequence
from statistics import median

import numpy as np
from matminer.featurizers.composition import ElementProperty

from alloop.campaigns.load import load_spec
from alloop.loop.compare.statistics.significance import paired_test
from alloop.materials import Material, composition_of, formula_of, material_id
from alloop.oracles.table.options import TableOptions
from benchmarks.data import use_data_folder
from benchmarks.kept_runs import runs_folder
from benchmarks.search.baselines.table_baselines import (
    Floats,
    Rows,
    random_forest,
    rows_measured,
    run,
)
from benchmarks.search.figures import test_figures
from benchmarks.search.seeds import OURS, SEEDS, Strategy, run_seeds

CAMPAIGN = "stiffest-binary"
INITIAL, BATCH, LABELS, FOREST_LABELS = 32, 16, 208, 400
TOP, AT = 40, 100
LENGTH = (f"budget.measurements=[{LABELS}]", "budget.rounds=1000")


def measure(
    seeds: Sequence[int] = SEEDS, ours: Strategy = OURS, forest_labels: int = FOREST_LABELS
) -> dict[str, float]:
    """Return acceleration and enhancement factors over random choice (``binaries_af_50``,
    ``binaries_ef_100``) and over the forest (``binaries_forest_…``), and what they come from.

    A run that does not find half of the best counts as one that needs one label more than it has.
    """
    use_data_folder()
    options = load_spec(CAMPAIGN).tiers[0]
    assert isinstance(options, TableOptions)
    materials = options.list_materials()
    table = options.build(())
    moduli = np.array([table.measure(each).properties["bulk_modulus"] for each in materials])
    row_of = {material_id(each): row for row, each in enumerate(materials)}
    with runs_folder("binaries") as folder:
        runs = run_seeds(CAMPAIGN, [ours], folder, seeds=seeds, overrides=LENGTH)[ours.name]
        rows = [rows_measured(path, row_of) for path in runs]
    features, forest = magpie(materials), []
    for seed, first in zip(seeds, rows, strict=True):
        print(f"  forest-{seed} …", flush=True)
        forest.append(
            run(
                random_forest,
                features,
                moduli,
                first[:INITIAL].tolist(),
                batch=BATCH,
                labels=forest_labels,
                seed=seed,
            )
        )
    return factors(moduli, rows, forest, seeds)


def factors(
    moduli: Floats, ours: Sequence[Rows], forest: Sequence[Rows], seeds: Sequence[int]
) -> dict[str, float]:
    """Return the figures.

    Args:
        moduli: of the table, shape (n,), GPa.
        ours: rows in the order in which they were measured, of each run.
        forest: the same with the forest.
        seeds: of the runs.
    """
    is_top = np.zeros(len(moduli), dtype=bool)
    is_top[np.argsort(-moduli, kind="stable")[:TOP]] = True
    found, theirs = ([np.cumsum(is_top[rows]) for rows in runs] for runs in (ours, forest))
    needed, forest_needed = (
        float(median(_labels_to(count, TOP // 2) for count in counts)) for counts in (found, theirs)
    )
    hits, forest_hits = (
        np.array([float(count[AT - 1]) for count in counts]) for counts in (found, theirs)
    )
    random_needed, random_hits = random_labels(len(moduli), TOP, TOP // 2), AT * TOP / len(moduli)
    best = [
        float(np.flatnonzero(moduli[rows] == moduli.max()).min(initial=LABELS)) for rows in ours
    ]
    return {
        "binaries_af_50": random_needed / needed,
        "binaries_ef_100": float(hits.mean()) / random_hits,
        "binaries_forest_af_50": forest_needed / needed,
        "binaries_forest_ef_100": float(hits.mean() / forest_hits.mean()),
        **test_figures("binaries_100", "forest", paired_test((hits - forest_hits).tolist())),
        "binaries_labels_to_half_median": needed,
        "binaries_forest_labels_to_half_median": forest_needed,
        "binaries_random_labels_to_half": random_needed,
        "binaries_found_100": float(hits.mean()),
        "binaries_forest_found_100": float(forest_hits.mean()),
        "binaries_labels_to_stiffest_median": float(median(best)) + 1,
        **{f"binaries_seed_{s}_found_100": float(n) for s, n in zip(seeds, hits, strict=True)},
        **{
            f"binaries_forest_seed_{s}_found_100": float(n)
            for s, n in zip(seeds, forest_hits, strict=True)
        },
    }


def random_labels(n: int, top: int, wanted: int) -> float:
    """Return the expected number of random labels, without repetition, until so many of the top
    are found (the mean of the negative hypergeometric distribution)."""
    return wanted * (n + 1) / (top + 1)


def magpie(materials: Sequence[Material]) -> Floats:
    """Return Magpie's 132 statistics of compositions, as matminer computes them."""
    featuriser = ElementProperty.from_preset("magpie", impute_nan=True)
    of_formula: dict[str, list[float]] = {}
    for each in materials:
        formula = formula_of(composition_of(each))
        if formula not in of_formula:
            of_formula[formula] = featuriser.featurize(composition_of(each))
    return np.array([of_formula[formula_of(composition_of(each))] for each in materials])


def _labels_to(counts: np.ndarray, wanted: int) -> int:
    reached = np.flatnonzero(counts >= wanted)
    return int(reached[0]) + 1 if len(reached) else len(counts) + 1
