"""FTCP's third design case as a campaign: power factor as large as possible, with a gap of 0.3 to
1.5 eV and a negative formation energy.

The example `examples/plugin/power-factor.yaml` with its plugin: SevenNet relaxes, Quantum ESPRESSO
and BoltzTraP2 calculate gap and power factor. One seed, or as many as ``ALLOOP_BENCH_SEEDS`` says;
runs are kept as those of `benchmarks.crystals.cases`, whose definitions the figures follow. It
needs what the example needs: `make espresso`, `pip install BoltzTraP2 ./examples/plugin`.
"""

from math import isfinite
from pathlib import Path

from alloop.loop.record.events import Stage
from alloop.loop.run_folder import RunFolder
from benchmarks.crystals.cases import FOLDER, figures_of
from benchmarks.search.seeds import launch, seeds_wanted

SPEC = Path(__file__).parents[2] / "examples" / "plugin" / "power-factor.yaml"
FIRST_SEED = 3
"""Seed that stands in the example."""


def measure() -> dict[str, object]:
    """Return the figures of `cases.figures_of` (``…_power_factor``), and the largest power factor
    that gap, formation energy and synthesizability allow, of the first candidates, of what the
    rounds chose, and without these conditions (``best_power_factor…``), µW/(cm K²)."""
    runs = [run_of(FIRST_SEED + i) for i in range(len(seeds_wanted(1)))]
    found = {f"{name}_power_factor": value for name, value in figures_of(runs).items()}
    figures = {
        name: value
        for name, value in found.items()
        if not isinstance(value, float) or isfinite(value)
    }
    answers = [m for run in runs for m in run.state.answers()]
    allowed = [m for m in answers if runs[0].state.utility.is_feasible(m.properties)]
    groups = {
        "best_power_factor_first": [m for m in allowed if m.stage is Stage.INITIAL],
        "best_power_factor": [m for m in allowed if m.stage is not Stage.INITIAL],
        "best_power_factor_of_all": answers,
    }
    for name, group in groups.items():
        if group:
            figures[name] = max(m.properties["power_factor"] for m in group)
    figures["n_allowed_power_factor"] = float(len(allowed))
    return figures


def run_of(seed: int) -> RunFolder:
    """Run the campaign with a seed, unless that is done, and return its run."""
    run = (FOLDER / f"power_factor-{seed}").absolute()
    launch(str(SPEC), run, ("execution.workers=1", f"seed={seed}"))
    return RunFolder.read(run)
