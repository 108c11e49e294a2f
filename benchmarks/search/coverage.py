"""Coverage of the predictions by which candidates were chosen, over the campaigns of all parts.

The runs of `ours` of the parts before, in the folder that ALLOOP_BENCH_RUNS names, are read; each
decision's posterior is held against what its measurement gave, in rounds 2 and later.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from alloop.loop.run_folder import RunFolder
from alloop.loop.state.calibration import (
    FEWEST,
    Calibration,
    PredictedTrial,
    latest_calibration,
    predicted_names,
)
from benchmarks.kept_runs import KEEP
from benchmarks.search.seeds import OURS

LEVEL = 0.8
ABLATION = "ablation"
"""Beginning of the folders that hold no campaigns of their own."""


def measure() -> dict[str, float]:
    """Return the share of values inside 80 % intervals (``coverage_80``), that of the worst
    campaign, over its seeds and properties, and each campaign's.

    Raises:
        SystemExit: if no folder of runs is named, or it holds none.
    """
    kept = os.environ.get(KEEP)
    if kept is None:
        raise SystemExit(f"name the folder of the other parts' runs in {KEEP}")
    shares, everything = {}, []
    for part in sorted(Path(kept).iterdir()):
        if part.is_dir() and not part.name.startswith(ABLATION):
            for campaign, predicted in _of_part(part):
                if len(predicted) >= FEWEST:
                    shares[campaign] = _share(predicted)
                    everything += predicted
    if not everything:
        raise SystemExit(f"{kept} holds no runs of {OURS.name}")
    return {
        "coverage_80": _share(everything),
        "coverage_80_worst_campaign": min(shares.values()),
        "coverage_predictions": float(len(everything)),
        **{f"coverage_80_{campaign}": share for campaign, share in shares.items()},
    }


def _of_part(part: Path) -> Iterator[tuple[str, list[PredictedTrial]]]:
    """Yield the predictions of each of a part's campaigns, over its seeds."""
    by_campaign: dict[str, list[PredictedTrial]] = {}
    for run in sorted(part.rglob(f"{OURS.name}-*")):
        state = RunFolder.read(run).state
        key = f"{part.name}_{state.spec.name}".replace("-", "_")
        for name in predicted_names(state):
            if (later := latest_calibration(state, name)) is not None:
                by_campaign.setdefault(key, []).extend(later.predicted)
    yield from by_campaign.items()


def _share(predicted: list[PredictedTrial]) -> float:
    return Calibration(tuple(predicted)).coverage(LEVEL)
