"""The figures of the DVAE: `make bench-dvae`. Five random splits, comparators beside.

    python -m benchmarks.dvae              every part
    python -m benchmarks.dvae PART …       some parts; the figures of the others stay

Parts: model, heads, paper_head, paired, campaign. Seconds are of processor time, on one thread.
What was measured is kept in the folder of ALLOOP_BENCH_KEPT, if that is set, split by split, so
that a run that was stopped goes on where it was.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pymatgen.core import Composition

from alloop.materials import formula_of
from alloop.models.dvae.inversion import invert
from alloop.models.dvae.model import DvaeModel
from alloop.models.dvae.options import DvaeOptions
from benchmarks.dvae.campaign import labels_needed
from benchmarks.dvae.data import PHASE, Alloys, read_alloys, split_of
from benchmarks.dvae.figures import draw
from benchmarks.dvae.generator import (
    consistency,
    decoded_by_probability,
    inversion,
    latents,
    probes,
    reconstruction,
)
from benchmarks.dvae.heads import (
    expected_calibration_error,
    head_figures,
    probabilities,
    scores,
)
from benchmarks.dvae.paired import paired_figures
from benchmarks.dvae.paper_head import paper_head_figures
from benchmarks.recording import RESULTS, record

SEEDS = (0, 1, 2, 3, 4)
"""Seeds of the splits. Settings were chosen on the 812 alloys that none of these tests on."""
EXAMPLE = "Al1.4Co0.9Cr1.4Cu0.5Fe0.9Ni1"
"""The alloy that the paper inverts (section 3.3)."""
FORMER_HEAD = Path(__file__).with_name("former_head.npz")
"""Held-out predictions of the head before it was simplified, for ``paired``."""

Figures = dict[str, Any]


def main() -> None:
    """Measure the parts that are asked for, and write results/dvae.json."""
    torch.set_num_threads(1)
    asked = sys.argv[1:] or list(PARTS)
    path = RESULTS / "dvae.json"
    figures: Figures = json.loads(path.read_text("utf-8"))["figures"] if sys.argv[1:] else {}
    for part in asked:
        figures |= PARTS[part]()
    command = "make bench-dvae" if not sys.argv[1:] else "python -m benchmarks.dvae PART"
    print(record("dvae", figures, command=command))


def _over_splits(name: str, measure: Callable[[int], Figures]) -> Figures:
    """Return mean and standard deviation over the splits of what is measured on each."""
    splits = [_kept(f"{name}-{seed}", partial(measure, seed)) for seed in SEEDS]
    return {figure: _mean_and_std([s[figure] for s in splits]) for figure in splits[0]}


def _kept(name: str, measure: Callable[[], Figures]) -> Figures:
    """Return figures from where they were kept, or measure and keep them."""
    folder = os.environ.get("ALLOOP_BENCH_KEPT")
    path = Path(folder) / f"{name}.json" if folder else None
    if path is not None and path.exists():
        return dict(json.loads(path.read_text("utf-8")))
    figures = measure()
    print(f"{name}: {figures}", flush=True)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(figures), encoding="utf-8")
    return figures


def _mean_and_std(values: list[float]) -> dict[str, float]:
    return {"mean": float(np.mean(values)), "std": float(np.std(values))}


def _model() -> Figures:
    figures = _over_splits("model", model_figures)
    probes_of_phase = [figures[f"phase_probe_auc_{kind}"] for kind in ("logistic", "forest")]
    figures["phase_probe_auc"] = max(probes_of_phase, key=lambda figure: figure["mean"])
    return figures


def model_figures(seed: int) -> Figures:
    """Return the figures of one split that the whole model gives."""
    alloys = _alloys()
    split = split_of(len(alloys.labels), seed)
    model = DvaeModel(DvaeOptions(), alloys.elements, (PHASE,))
    start = time.process_time()
    summary = model.fit(alloys.dataset(split), seed=seed)
    fit_seconds = time.process_time() - start  # of one thread, on a machine that may be shared
    said, truth = probabilities(model, alloys, split.test), alloys.labels[split.test]
    if seed == SEEDS[0]:
        draw(alloys, latents(model, alloys))
        _print_path(model)
    return {
        "fit_seconds": fit_seconds,
        "fit_wall_seconds": summary.seconds,
        **scores("864_best_head", truth, said),
        "expected_calibration_error": expected_calibration_error(truth, said),
        **reconstruction(model, alloys, split.test),
        **probes(model, alloys, split),
        **consistency(model, alloys, split, seed),
        **decoded_by_probability(model, alloys, split, seed),
        **inversion(model, alloys, split),
    }


def _print_path(model: DvaeModel) -> None:
    for keep in (False, True):
        for step in invert(model, Composition(EXAMPLE), keep_elements=keep).steps:
            formula = formula_of(step.design.composition)
            print(f"{EXAMPLE}: {formula}, {step.design.value:.2f}", flush=True)


def _heads() -> Figures:
    return _over_splits("heads", lambda seed: dict(head_figures(_alloys(), seed)))


def _paper_head() -> Figures:
    found = _kept("paper_head", lambda: dict(paper_head_figures(_alloys(), SEEDS)))
    return {name: _mean_and_std(values) for name, values in found.items()}


def _campaign() -> Figures:
    return _over_splits("campaign", lambda seed: dict(labels_needed(_alloys(), seed)))


def _paired() -> Figures:
    return _kept("paired", lambda: dict(paired_figures(_alloys(), FORMER_HEAD, SEEDS)))


PARTS: dict[str, Callable[[], Figures]] = {
    "model": _model,
    "heads": _heads,
    "paper_head": _paper_head,
    "paired": _paired,
    "campaign": _campaign,
}


@cache
def _alloys() -> Alloys:
    return read_alloys()


if __name__ == "__main__":
    main()
