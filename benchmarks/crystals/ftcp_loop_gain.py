"""What FTCP is worth in a campaign: crystals in the window of formation energies among the 48 that
its rounds chose, beside local search alone and random draws with the same 48 first labels.

The ready campaign `ftcp-formation-energy`, with crystals of at most five atoms. Seeds are five by
default; ``ALLOOP_BENCH_SEEDS=2`` takes two. Runs in the folder of ``ALLOOP_BENCH_RUNS`` are gone on
with.
"""

from pathlib import Path

from alloop.loop.compare.statistics.significance import paired_test
from alloop.loop.run_folder import RunFolder
from benchmarks.crystals.cases import Choices, hits
from benchmarks.kept_runs import runs_folder
from benchmarks.search.figures import key_of, test_figures
from benchmarks.search.seeds import SEEDS, Strategy, of_kind, run_seeds, seeds_wanted

CAMPAIGN = "ftcp-formation-energy"
LENGTH = (
    "space.max_atoms=5",
    "tiers.0.max_steps=100",
    "budget={initial: 48, rounds: 3, measurements: [96]}",
    "execution.workers=1",
)
OURS = Strategy("ftcp")
BASELINES = (of_kind("local-search"), of_kind("random"))


def measure() -> dict[str, float]:
    """Return ``ftcp_loop_hits``, the mean over seeds of the crystals in the window, each seed's,
    the same of the baselines (``ftcp_loop_NAME_hits``), and gains with their p-values.
    """
    seeds = seeds_wanted(len(SEEDS))
    with runs_folder("ftcp-loop") as folder:
        runs = run_seeds(CAMPAIGN, [OURS, *BASELINES], folder, seeds=seeds, overrides=LENGTH)
        found = {name: [hits_of(run) for run in each] for name, each in runs.items()}
    figures: dict[str, float] = {"ftcp_loop_seeds": float(len(seeds))}
    for name, each in found.items():
        key = "ftcp_loop" if name == OURS.name else f"ftcp_loop_{key_of(name)}"
        figures[f"{key}_hits"] = sum(each) / len(each)
        figures |= {f"{key}_seed_{s}_hits": float(n) for s, n in zip(seeds, each, strict=True)}
    for baseline in BASELINES:
        pairs = zip(found[OURS.name], found[baseline.name], strict=True)
        test = paired_test([float(ours - theirs) for ours, theirs in pairs])
        figures |= test_figures("ftcp_loop", baseline.name, test)
    return figures


def hits_of(path: Path) -> int:
    """Return how many crystals that a run's rounds chose lie in its window."""
    run = RunFolder.read(path)
    return sum(hits(run.state.spec, answer) for answer in Choices.of(run).answers)
