"""What labels and weights are worth that one has already: measurements saved, over five seeds.

The problem is the ready campaign `nifecr-ordering` at a small budget. A run from nothing sets the
goal of its seed: the best that it has found. The others stop when they have measured something as
good; how many measurements fewer that took is what was saved.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from alloop.campaigns.load import load_spec
from alloop.loop.pretraining import pretrain
from alloop.loop.run_folder import RunFolder
from benchmarks.search.seeds import SEEDS, launch, runs_folder

SPEC = "nifecr-ordering"
GOAL = "bulk_modulus"
INITIAL, BATCH, ROUNDS = 24, 8, 3
BROUGHT = 200
BROUGHT_SEED = 1001
"""Seed of the labels that are brought: none of the runs' own."""
MOST = INITIAL + BATCH * ROUNDS
"""Measurements of a run from nothing, and the most of the others."""


def measure() -> dict[str, Any]:
    """Return measurements until each seed's goal is reached: from nothing, with 200 labels of
    random orderings brought, and with a model that was trained on these labels beforehand."""
    with runs_folder("start") as folder:
        brought = folder / "brought"
        _run(brought, folder, BROUGHT_SEED, rounds=0, initial=BROUGHT, most=BROUGHT)
        weights = _weights(brought, folder)
        needed: dict[str, list[int]] = {"nothing": [], "start": [], "transfer": []}
        for seed in SEEDS:
            own = folder / f"nothing-{seed}"
            _run(own, folder, seed)
            goal = max(_values(own))
            needed["nothing"].append(_until(own, goal))
            stop = (f"stop.target={goal!r}",)
            start = folder / f"start-{seed}"
            labels = f"start={{labels: {brought}}}"
            _run(start, folder, seed, *stop, labels, initial=0, rounds=MOST // BATCH)
            needed["start"].append(_until(start, goal))
            transfer = folder / f"transfer-{seed}"
            _run(transfer, folder, seed, *stop, f"model.start_from={weights}")
            needed["transfer"].append(_until(transfer, goal))
        return _figures(needed, max(_values(brought)), folder)


def _figures(
    needed: Mapping[str, Sequence[int]], best_brought: float, folder: Path
) -> dict[str, Any]:
    figures: dict[str, Any] = {
        f"labels_until_goal_{name}_median": float(median(counts)) for name, counts in needed.items()
    }
    for name in ("start", "transfer"):
        pairs = zip(needed["nothing"], needed[name], strict=True)
        saved = [own - other for own, other in pairs]
        figures[f"labels_saved_by_{name}"] = float(median(saved))
        figures[f"labels_saved_by_{name}_seeds"] = [float(n) for n in saved]
        figures[f"goal_missed_by_{name}"] = float(sum(n > MOST for n in needed[name]))
    figures["labels_brought"] = float(BROUGHT)
    figures["start_best_brought_gpa"] = best_brought
    figures["start_goal_median_gpa"] = float(
        median(max(_values(folder / f"nothing-{seed}")) for seed in SEEDS)
    )
    return figures


def _run(
    run: Path,
    folder: Path,
    seed: int,
    *settings: str,
    initial: int = INITIAL,
    rounds: int = ROUNDS,
    most: int = MOST,
) -> None:
    budget = f"budget={{initial: {initial}, rounds: {rounds}, measurements: [{most}]}}"
    common = (budget, f"acquisition.batch={BATCH}", "execution.workers=1", f"seed={seed}")
    launch(SPEC, run, (*common, f"cache={folder}/labels", *settings))


def _values(run: Path) -> list[float]:
    """Return what a run has measured, in the order of the decisions."""
    return [m.properties[GOAL] for m in RunFolder.read(run).state.answers()]


def _until(run: Path, goal: float) -> int:
    """Return the number of measurements until one is as good as the goal; one more than the most
    where none is."""
    values = _values(run)
    return next((n for n, value in enumerate(values, start=1) if value >= goal), MOST + 1)


def _weights(brought: Path, folder: Path) -> Path:
    """Return a checkpoint of the campaign's model, trained on the labels of a run."""
    measured = RunFolder.read(brought)
    rows = [f"cif,{GOAL}"]
    for m in measured.state.answers():
        cif = measured.store.get_material(m.candidate).to(fmt="cif")
        rows.append(f'"{cif}",{m.properties[GOAL]!r}')
    table, out = folder / "brought.csv", folder / "weights.safetensors"
    table.write_text("\n".join(rows) + "\n", "utf-8")
    if not out.exists():
        pretrain(load_spec(SPEC), table, {GOAL: GOAL}, out, seed=BROUGHT_SEED)
    return out
