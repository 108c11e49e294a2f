"""The figures of FTCP: `make bench-ftcp`.

`python -m benchmarks.ftcp PART …` measures only some parts again and keeps the others' figures.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from alloop.models.base import Dataset
from alloop.models.ftcp.model import FtcpModel
from alloop.models.ftcp.options import DirectNetwork, FtcpOptions, PublishedNetwork
from benchmarks.ftcp.data import SEEDS, Split, carbons, perovskites, split
from benchmarks.ftcp.design import design_figures
from benchmarks.ftcp.invariance import invariance
from benchmarks.ftcp.reconstruction import (
    featurise_per_second,
    forest_mae,
    reconstruction,
    roundtrip_rate,
    target_errors,
)
from benchmarks.ftcp.uniqueness import unique_carbons
from benchmarks.recording import RESULTS, record
from benchmarks.spread import spread

Figures = dict[str, object]
DIRECT = FtcpOptions(network=DirectNetwork())
PUBLISHED = FtcpOptions(network=PublishedNetwork())
FEW = 512


def main() -> None:
    """Measure the parts asked for, all by default, and write results/ftcp.json after each."""
    for part in sys.argv[1:] or PARTS:
        figures = _earlier() | PARTS[part]()
        path = record("ftcp", figures, command="make bench-ftcp")
        print(f"{part}: {path}", flush=True)


def _roundtrip() -> Figures:
    perov = perovskites()
    return {
        "roundtrip_rate_perov": roundtrip_rate(perov),
        "roundtrip_rate_carbon": roundtrip_rate(carbons()),
        "featurise_per_second": featurise_per_second(perov),
    }


def _perov() -> Figures:
    return _over_seeds(perovskites(), SEEDS, DIRECT, "perov", with_forest=True)


def _carbon() -> Figures:
    return _over_seeds(carbons(), SEEDS, DIRECT, "carbon", with_forest=False)


def _carbon_unique() -> Figures:
    """Measure both networks on Carbon-24 without its duplicates, the published one on one split."""
    data = unique_carbons()
    figures = _over_seeds(data, SEEDS, DIRECT, "carbon_unique", with_forest=False)
    name = "carbon_unique_published"
    figures |= _over_seeds(data, SEEDS[:1], PUBLISHED, name, with_forest=False)
    return figures | {"n_carbon": len(carbons()), "n_carbon_unique": len(data)}


def _networks() -> Figures:
    """Measure both networks, as the options have them, on few rows: the published one takes over
    half an hour of one core on all of them.
    """
    rows = split(perovskites(), SEEDS[0])
    few = Split(rows.training.take(np.arange(FEW)), rows.held_out)
    return {
        f"{figure}_{FEW}_rows_{name}": value
        for name, options in (("direct", DIRECT), ("published", PUBLISHED))
        for figure, value in _measured(few, options, SEEDS[0], with_forest=False).items()
    }


def _invariance() -> Figures:
    return dict(invariance(split(perovskites(), SEEDS[0])))


PARTS: Mapping[str, Callable[[], Figures]] = {
    "roundtrip": _roundtrip,
    "perov": _perov,
    "carbon": _carbon,
    "carbon_unique": _carbon_unique,
    "invariance": _invariance,
    "design": design_figures,
    "networks": _networks,
}


def _over_seeds(
    data: Dataset, seeds: Sequence[int], options: FtcpOptions, name: str, *, with_forest: bool
) -> Figures:
    """Return every figure's mean and standard deviation over splits; of one split, its value."""
    runs = [_measured(split(data, seed), options, seed, with_forest) for seed in seeds]
    return {_named(figure, name): _summary([run[figure] for run in runs]) for figure in runs[0]}


def _named(figure: str, data: str) -> str:
    """Return the figure's name; on Perov-5, only reconstruction is measured elsewhere too."""
    is_of_perov = data == "perov" and figure.startswith(("target", "fit"))
    return figure if is_of_perov else f"{figure}_{data}"


def _summary(values: Sequence[float]) -> object:
    if len(values) == 1:
        return values[0]
    return spread(values)


def _measured(rows: Split, options: FtcpOptions, seed: int, with_forest: bool) -> dict[str, float]:
    model = FtcpModel(options, rows.training.property_names)
    seconds = model.fit(rows.training, seed=seed).seconds
    figures = reconstruction(model, rows.held_out) | {"fit_seconds": seconds}
    figures |= target_errors(model, rows.held_out)
    if with_forest:
        figures["target_mae_forest"] = forest_mae(rows)
    print(f"split {seed}: {figures}", flush=True)
    return figures


def _earlier() -> Figures:
    path = RESULTS / "ftcp.json"
    figures: Figures = json.loads(path.read_text("utf-8"))["figures"] if path.exists() else {}
    return figures


if __name__ == "__main__":
    main()
