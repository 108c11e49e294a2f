"""Launches campaigns for several strategies and seeds as `alloop launch` does, and compares them.

Every run is a process of its own. All share one cache of labels, so what two runs ask of the same
oracle is measured once; a ledger records which labels came from there.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from alloop.loop.compare.comparison import Comparison, compare
from alloop.loop.run_folder import RunFolder

SEEDS = (1, 2, 3, 4, 5)
LIMIT = 6 * 3600
"""Seconds after which a run is said never to end."""


def seeds_wanted(default: int) -> tuple[int, ...]:
    """Return the seeds to run: as many as ``ALLOOP_BENCH_SEEDS`` says, or so many by default."""
    return tuple(range(1, 1 + int(os.environ.get("ALLOOP_BENCH_SEEDS", default))))


Spec = str | Path | Mapping[str, Any]
"""A ready campaign's name, a YAML file, or a spec as plain values."""


@dataclass(frozen=True)
class Strategy:
    """A strategy: a name, and what it changes in the spec."""

    name: str
    overrides: tuple[str, ...] = ()
    """``key.path=value`` settings, as `alloop launch --set` takes them."""
    ablation: str = ""
    """Ingredient of the search that is taken out (``benchmarks.search.ablated``); or empty."""


def of_kind(kind: str, batch: int = 16) -> Strategy:
    """Return one of the product's strategies at its own settings, without local search after."""
    return Strategy(
        kind, (f"acquisition={{strategy: {kind}, batch: {batch}}}", "augmentation=null")
    )


OURS = Strategy("ours")
"""The campaign as it is ready."""
BASELINES = tuple(
    of_kind(kind)
    for kind in (
        "random",
        "local-search",
        "annealing",
        "genetic",
        "latent-gradient",
        "screening",
        "greedy",
    )
)
"""Strategies that ours has to beat."""


def run_seeds(
    spec: Spec,
    strategies: Sequence[Strategy],
    folder: Path,
    *,
    seeds: Sequence[int] = SEEDS,
    overrides: Sequence[str] = (),
) -> dict[str, list[Path]]:
    """Run every strategy with every seed and return the run directories by strategy.

    Args:
        spec: what is searched for.
        strategies: each with a name of its own.
        folder: for the runs and their labels; what is done there already is not done again.
        seeds: of each strategy; runs of one seed draw the same first candidates.
        overrides: settings of all runs.

    Raises:
        RuntimeError: if a run fails or does not close.
    """
    source = _source(spec, folder)
    found: dict[str, list[Path]] = {}
    for seed in seeds:  # seed by seed, so that what is there after a while compares all strategies
        for strategy in strategies:
            run = folder / f"{strategy.name}-{seed}"
            settings = (*overrides, *strategy.overrides, f"seed={seed}", f"cache={folder}/labels")
            launch(source, run, settings, ablation=strategy.ablation)
            found.setdefault(strategy.name, []).append(run)
    return found


def compared(
    spec: Spec,
    strategies: Sequence[Strategy],
    folder: Path,
    *,
    seeds: Sequence[int] = SEEDS,
    overrides: Sequence[str] = (),
    **options: Any,
) -> Comparison:
    """Run strategies as ``run_seeds`` does and compare them; ``options`` are those of
    ``alloop.loop.compare.comparison.compare``.
    """
    runs = run_seeds(spec, strategies, folder, seeds=seeds, overrides=overrides)
    return compare(labels=runs, **options)


def launch(source: str, run: Path, settings: Sequence[str], *, ablation: str = "") -> None:
    """Run or go on with a campaign as `alloop launch` does, unless it has closed already.

    Args:
        source: a ready campaign's name or a file.
        run: its directory.
        settings: ``key.path=value``, laid over it.
        ablation: ingredient of the search that is taken out; empty for none.

    Raises:
        RuntimeError: if it fails, with what it said; or if it ends without being closed.
    """
    if (run / "ledger.sqlite").exists() and RunFolder.read(run).state.closed is not None:
        return
    print(f"  {run.name} …", flush=True)
    words = [word for setting in settings for word in ("--set", setting)]
    program = ["benchmarks.search.ablated", ablation] if ablation else ["alloop"]
    done = subprocess.run(
        [sys.executable, "-m", *program, "launch", source, "--run", str(run), *words],
        check=False,
        timeout=LIMIT,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip()  # a pause is said where the rest is
        raise RuntimeError(f"{run.name} failed: {said}")
    if RunFolder.read(run).state.closed is None:
        raise RuntimeError(f"{run.name} has not ended: {done.stdout.strip()}")


def _source(spec: Spec, folder: Path) -> str:
    """Return what `alloop launch` takes for a spec; plain values are written to a file first."""
    if not isinstance(spec, Mapping):
        return str(spec)
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(dict(spec), sort_keys=False, allow_unicode=True), "utf-8")
    return str(path)
