"""The figures of the closed loop: `make bench-loop`."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from alloop.loop.run_folder import RunFolder
from benchmarks.data import allogen_folder
from benchmarks.loop.labels import bulk_modulus_mae_gpa, labels_per_second
from benchmarks.loop.lattice import lattice_figures
from benchmarks.recording import record

SEEDS = (1, 2, 3, 4, 5)
NO_PROMOTION = "tiers.1.promote=0"
CAMPAIGN = "nifecr-bulk-modulus"


def main() -> None:
    """Measure everything and write results/loop.json."""
    data = allogen_folder()
    figures: dict[str, object] = {"labels_per_second_2_workers": labels_per_second(2)}
    figures |= lattice_figures(data)
    figures |= bulk_modulus_mae_gpa(data)
    with tempfile.TemporaryDirectory() as folder:
        pairs = [against_random(Path(folder), seed) for seed in SEEDS]
    figures["wins_over_random_of_5"] = sum(loop > chance for loop, chance in pairs)
    for seed, (loop, chance) in zip(SEEDS, pairs, strict=True):
        figures[f"best_loop_seed_{seed}_gpa"] = loop
        figures[f"best_random_seed_{seed}_gpa"] = chance
    print(record("loop", figures, command="make bench-loop"))


def against_random(folder: Path, seed: int) -> tuple[float, float]:
    """Return the best feasible bulk modulus in GPa of the loop and of as many random draws."""
    loop, n = best_of(folder / f"loop-{seed}", f"seed={seed}", NO_PROMOTION)
    chance, n_random = best_of(
        folder / f"random-{seed}",
        f"seed={seed}",
        NO_PROMOTION,
        "acquisition.strategy=random",
        "augmentation=null",
        "budget.rounds=0",
        f"budget.initial={n}",
    )
    if n_random != n:
        raise RuntimeError(f"{n} measurements by the loop, {n_random} at random")
    print(f"seed {seed}: loop {loop:.2f}, random {chance:.2f} GPa, {n} each", flush=True)
    return loop, chance


def best_of(run: Path, *settings: str) -> tuple[float, int]:
    """Run the ready campaign and return its best bulk modulus in GPa and how many it measured."""
    alloop = shutil.which("alloop", path=str(Path(sys.executable).parent))
    assert alloop is not None
    overrides = [part for setting in settings for part in ("--set", setting)]
    command = [alloop, "launch", CAMPAIGN, "--run", str(run), *overrides]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    state = RunFolder.read(run).state
    best = state.best()
    assert best is not None
    assert state.utility.is_feasible(best.properties)
    return best.properties["bulk_modulus"], state.cost(0).calls


if __name__ == "__main__":
    main()
