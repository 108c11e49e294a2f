"""What the DVAE's questions are worth in a campaign: how well the last model of the ready campaign
`hea-single-phase` sorts the alloys whose labels it never asked for, beside the model of as many
labels drawn at random.

Both are judged on the alloys that neither run asked for, by accuracy and by the area under the
curve of true against false positives. Local search does not stand beside: it looks for the best,
and the question here is how well all are sorted. Seeds are five by default;
``ALLOOP_BENCH_SEEDS=2`` takes two.
"""

from pathlib import Path
from statistics import mean

import numpy as np
from sklearn.metrics import roc_auc_score

from alloop.loop.analyse.last_model import load_model
from alloop.loop.compare.statistics.significance import paired_test
from alloop.loop.run_folder import RunFolder
from alloop.materials import material_id
from alloop.models.base import CanAssess
from alloop.oracles.table.options import TableOptions
from alloop.oracles.table.oracle import TableOracle
from benchmarks.data import use_data_folder
from benchmarks.kept_runs import runs_folder
from benchmarks.search.figures import test_figures
from benchmarks.search.seeds import SEEDS, Strategy, run_seeds, seeds_wanted

CAMPAIGN = "hea-single-phase"
OURS = Strategy("dvae")
LABELS = 344
"""Number of labels that the last model of the ready campaign learns from."""
RANDOM = Strategy("random", (f"budget={{initial: {LABELS}, rounds: 1, measurements: [384]}}",))
"""All labels that the model learns from are drawn at random."""


def measure() -> dict[str, float]:
    """Return ``dvae_loop_accuracy`` and ``dvae_loop_auc``, means over seeds, on the alloys that
    neither run asked for, the same of random questions (``dvae_loop_random_…``), and gains with
    their p-values."""
    use_data_folder()
    seeds = seeds_wanted(len(SEEDS))
    with runs_folder("dvae-loop") as folder:
        runs = run_seeds(CAMPAIGN, [OURS, RANDOM], folder, seeds=seeds)
        pairs = zip(runs[OURS.name], runs[RANDOM.name], strict=True)
        found = np.array([judged(ours, theirs) for ours, theirs in pairs])  # (seeds, run, figure)
    figures: dict[str, float] = {"dvae_loop_seeds": float(len(seeds))}
    for place, kind in enumerate(("accuracy", "auc")):
        for run, key in enumerate(("dvae_loop", "dvae_loop_random")):
            figures[f"{key}_{kind}"] = mean(found[:, run, place].tolist())
        gains = (found[:, 0, place] - found[:, 1, place]).tolist()
        figures |= test_figures(f"dvae_loop_{kind}", RANDOM.name, paired_test(gains))
    return figures


def judged(*paths: Path) -> list[tuple[float, float]]:
    """Return accuracy and area under the curve of each run's last model on the alloys that no run
    asked for."""
    runs = [RunFolder.read(path) for path in paths]
    options = runs[0].state.spec.tiers[0]
    assert isinstance(options, TableOptions)
    table = TableOracle(options)
    asked = {each.candidate for run in runs for each in run.state.answers()}
    rows = [row for row in table.materials() if material_id(row) not in asked]
    (name,) = runs[0].state.spec.property_names()
    truth = np.array([table.measure(row).properties[name] for row in rows]) >= 0.5
    found = []
    for run in runs:
        model, _ = load_model(run.state, run.store)
        assert isinstance(model, CanAssess)
        said = model.assess(rows).prediction.mean[:, 0].numpy()
        found.append((float(((said >= 0.5) == truth).mean()), float(roc_auc_score(truth, said))))
    return found
