"""The figures of the DVAE: `make bench-dvae`. Five random splits, comparators beside."""

import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from pymatgen.core import Composition

from alloop.materials import formula_of
from alloop.models.dvae.design import invert
from alloop.models.dvae.model import DvaeModel
from alloop.models.dvae.nearest import nearest_inverted
from alloop.models.dvae.options import DvaeOptions
from benchmarks.dvae.campaign import labels_needed
from benchmarks.dvae.data import PHASE, Alloys, read_alloys, split_of
from benchmarks.dvae.figures import draw
from benchmarks.dvae.generator import consistency, inversion, latents, probes, reconstruction
from benchmarks.dvae.heads import (
    best_head_with_few_labels,
    comparator_figures,
    expected_calibration_error,
    ingredients,
    probabilities,
    scores,
)
from benchmarks.recording import RESULTS, record

SEEDS = (0, 1, 2, 3, 4)
"""Seeds of the splits. Settings were chosen on the 812 alloys that none of these tests on."""
EXAMPLE = "Al1.4Co0.9Cr1.4Cu0.5Fe0.9Ni1"
"""The alloy that the paper inverts (section 3.3)."""
ONLY_MODEL = "model"


def main() -> None:
    """Measure everything and write results/dvae.json; seeds as arguments only print.

    With ``model FOLDER`` as arguments, only what the best model gives is measured, one split after
    another, and the figures of comparators, paper's head and campaign stay as they were. Each
    split's figures are kept in the folder: a run that was stopped goes on where it was.
    """
    only_model = sys.argv[1:2] == [ONLY_MODEL]
    asked = [] if only_model else [int(argument) for argument in sys.argv[1:]]
    if only_model:
        splits = [_kept(Path(sys.argv[2]) / f"split-{seed}.json", seed) for seed in SEEDS]
    else:
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            splits = list(pool.map(figures_of, asked or SEEDS))
    figures = {
        name: {
            "mean": float(np.mean([split[name] for split in splits])),
            "std": float(np.std([split[name] for split in splits])),
        }
        for name in splits[0]
    }
    figures["phase_probe_auc"] = max(
        (figures[f"phase_probe_auc_{kind}"] for kind in ("logistic", "forest")),
        key=lambda figure: figure["mean"],
    )
    for name, figure in figures.items():
        print(f"{name}: {figure['mean']:.4f} ± {figure['std']:.4f}")
    if only_model:
        kept = json.loads((RESULTS / "dvae.json").read_text("utf-8"))["figures"]
        print(
            record(
                "dvae",
                kept | figures,
                command=f"python -m benchmarks.dvae {ONLY_MODEL} FOLDER",
            )
        )
    elif not asked:
        print(record("dvae", figures, command="make bench-dvae"))


def _kept(path: Path, seed: int) -> dict[str, float]:
    """Return a split's figures from where they were kept, or measure and keep them."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(model_figures(seed)), encoding="utf-8")
    return dict(json.loads(path.read_text("utf-8")))


def figures_of(seed: int) -> dict[str, float]:
    """Return every figure of one split."""
    figures = model_figures(seed)
    figures |= comparator_figures(_alloys(), seed)
    figures |= labels_needed(_alloys(), seed)
    print(f"split {seed}: {figures}", flush=True)
    return figures


def model_figures(seed: int) -> dict[str, float]:
    """Return the figures of one split that the best model gives."""
    alloys = _alloys()
    split = split_of(len(alloys.labels), seed)
    model = DvaeModel(DvaeOptions(), alloys.elements, (PHASE,))
    start = time.process_time()
    summary = model.fit(alloys.dataset(split), seed=seed)
    fit_cpu_seconds = time.process_time() - start
    print(
        f"split {seed}: fitted in {summary.seconds:.0f} s, {fit_cpu_seconds:.0f} of a core",
        flush=True,
    )
    said, truth = probabilities(model, alloys, split.test), alloys.labels[split.test]
    figures = {
        "fit_seconds": summary.seconds,
        "fit_cpu_seconds": fit_cpu_seconds,
        **scores("864_best_head", truth, said),
        "expected_calibration_error": expected_calibration_error(truth, said),
        **ingredients(model, alloys, split.test),
        **reconstruction(model, alloys, split.test),
        **probes(model, alloys, split),
        **consistency(model, alloys, split, seed),
        **inversion(model, alloys, split),
    }
    if seed == SEEDS[0]:
        draw(alloys, latents(model, alloys))
        _print_path(model)
    figures |= best_head_with_few_labels(alloys, seed)
    print(f"split {seed}: {figures}", flush=True)
    return figures


def _print_path(model: DvaeModel) -> None:
    path = invert(model, Composition(EXAMPLE))
    designs = [step.design for step in path.steps]
    if path.succeeded:
        designs.append(nearest_inverted(model, path))
    for design in designs:
        print(f"{EXAMPLE}: {formula_of(design.composition)}, {design.value:.2f}", flush=True)


@cache
def _alloys() -> Alloys:
    return read_alloys()


if __name__ == "__main__":
    main()
