"""Oxygen-evolution catalysts: labels until the lowest overpotential of a plate is found.

The ready campaign `oer` on the plates 3496 and 3851, five seeds each, beside a Gaussian process and
a random forest on the fractions with the same first labels, batches and budget.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from alloop.materials import material_id
from alloop.oracles.table.options import TableOptions
from alloop.oracles.table.oracle import TableOracle
from benchmarks.data import use_data_folder
from benchmarks.kept_runs import runs_folder
from benchmarks.search.baselines.table_baselines import (
    Floats,
    gaussian_process,
    random_forest,
    rows_measured,
    run,
)
from benchmarks.search.seeds import OURS, SEEDS, Strategy, run_seeds

CAMPAIGN = "oer"
PLATES = (3496, 3851)
INITIAL, BATCH, LABELS = 16, 8, 144
AT = (32, 48, 64, 96, 144)
"""Numbers of labels that regrets are read at."""
ELEMENTS = ("Ni", "Fe", "Co", "Mn", "Ce", "La")
BASELINES = {"gp": gaussian_process, "forest": random_forest}
LENGTH = (f"budget.measurements=[{LABELS}]", "budget.rounds=1000")


def measure(
    plates: Sequence[int] = PLATES, seeds: Sequence[int] = SEEDS, ours: Strategy = OURS
) -> dict[str, float]:
    """Return medians, over plates and seeds, of the labels to the best and of the regret in mV
    after so many labels, of ours (``oer_…``) and of the others (``oer_NAME_…``).

    Labels are counted in whole batches, as they are paid for; a run that does not find the best
    within its ``LABELS`` counts as one batch more.
    """
    use_data_folder()
    curves: dict[str, list[Floats]] = {"": [], **{name: [] for name in BASELINES}}
    figures: dict[str, float] = {}
    for plate in plates:
        table = Plate.read(plate)
        with runs_folder(f"oer-{plate}") as folder:
            dataset = f"tiers.0.dataset=oer-{plate}"
            runs = run_seeds(CAMPAIGN, [ours], folder, seeds=seeds, overrides=(*LENGTH, dataset))[
                ours.name
            ]
            rows = [rows_measured(path, table.row_of) for path in runs]
        of_plate = {"": rows}
        for name, choose in BASELINES.items():
            print(f"  {name} on {plate} …", flush=True)
            of_plate[name] = [
                run(
                    choose,
                    table.fractions,
                    -table.overpotentials,
                    ours_first[:INITIAL],
                    batch=BATCH,
                    labels=LABELS,
                    seed=seed,
                )
                for seed, ours_first in zip(seeds, rows, strict=True)
            ]
        excess = table.overpotentials - table.overpotentials.min()
        for name, found in of_plate.items():
            regrets = [np.minimum.accumulate(excess[each]) for each in found]
            curves[name] += regrets
            key = f"oer_{name}_" if name else "oer_"
            needed = [labels_to_best(each) for each in regrets]
            figures[f"{key}{plate}_labels_to_best_median"] = float(median(needed))
            figures |= {
                f"{key}{plate}_seed_{s}_labels": float(n)
                for s, n in zip(seeds, needed, strict=True)
            }
    for name, regrets in curves.items():
        key = f"oer_{name}_" if name else "oer_"
        figures |= _summary(key, regrets)
    for name in BASELINES:
        figures[f"oer_labels_over_{name}"] = (
            figures["oer_labels_to_best_median"] / figures[f"oer_{name}_labels_to_best_median"]
        )
    return figures


def labels_to_best(regrets: Floats) -> int:
    """Return the labels that were paid for when the best was found; one batch more than there are
    if it was not.

    Args:
        regrets: of the best so far, after each label.
    """
    found = np.flatnonzero(regrets <= 0)
    if not len(found):
        return len(regrets) + BATCH
    after = int(found[0]) + 1 - INITIAL
    return INITIAL + BATCH * -(-max(after, 0) // BATCH)


def _summary(key: str, regrets: Sequence[Floats]) -> dict[str, float]:
    needed = [labels_to_best(each) for each in regrets]
    return {
        f"{key}labels_to_best_median": float(median(needed)),
        f"{key}found_share": float(np.mean([n <= LABELS for n in needed])),
        **{
            f"{key}regret_{n}_mv": 1000 * float(median(each[n - 1] for each in regrets)) for n in AT
        },
    }


@dataclass(frozen=True)
class Plate:
    """A plate's measurements."""

    fractions: Floats
    """Atomic fractions, shape (n, 6), in the order of ``ELEMENTS``."""
    overpotentials: Floats
    """Measured overpotentials, shape (n,), V."""
    row_of: Mapping[str, int]
    """Row of each candidate, by its id."""

    @classmethod
    def read(cls, number: int) -> "Plate":
        """Return a plate by its number."""
        options = TableOptions.model_validate(
            {
                "dataset": f"oer-{number}",
                "columns": [*ELEMENTS, "overpotential"],
                "properties": {"overpotential": "overpotential"},
            }
        )
        table = TableOracle(options)
        materials = table.materials()
        return cls(
            np.array([[float(m[symbol]) for symbol in ELEMENTS] for m in materials]),
            np.array([table.measure(m).properties["overpotential"] for m in materials]),
            {material_id(m): row for row, m in enumerate(materials)},
        )
