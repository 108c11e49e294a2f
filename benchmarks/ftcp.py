"""The figures of FTCP: `make bench-ftcp`."""

import os

from benchmarks.ftcp_data import Split, carbons, perovskites, split
from benchmarks.ftcp_design import design_figures
from benchmarks.ftcp_invariance import invariance
from benchmarks.ftcp_reconstruction import (
    featurise_per_second,
    forest_mae,
    reconstruction,
    roundtrip_rate,
    target_errors,
)
from benchmarks.recording import record
from models.ftcp.model import FtcpModel
from models.ftcp.options import DirectNetwork, FtcpOptions, PublishedNetwork

WITH_PUBLISHED = "ALLOOP_BENCH_PUBLISHED"
"""Set it to train the published network too, which takes an hour on a busy machine."""


def main() -> None:
    """Measure everything and write results/ftcp.json."""
    perov, carbon = perovskites(), carbons()
    figures: dict[str, object] = {
        "roundtrip_rate_perov": roundtrip_rate(perov),
        "roundtrip_rate_carbon": roundtrip_rate(carbon),
        "featurise_per_second": featurise_per_second(perov),
    }
    rows = split(perov)
    model, seconds = _fitted(rows, FtcpOptions(network=DirectNetwork()))
    figures |= _named(reconstruction(model, rows.held_out), "perov")
    figures |= {"fit_seconds": seconds} | target_errors(model, rows.held_out)
    figures["target_mae_forest"] = forest_mae(rows)
    print(figures, flush=True)
    if os.environ.get(WITH_PUBLISHED):
        published, seconds = _fitted(rows, FtcpOptions(network=PublishedNetwork()))
        figures |= _named(reconstruction(published, rows.held_out), "perov_published")
        figures["fit_seconds_published"] = seconds
        figures["target_mae_published"] = target_errors(published, rows.held_out)["target_mae"]
    figures |= invariance(rows)
    rows = split(carbon)
    model, seconds = _fitted(rows, FtcpOptions(network=DirectNetwork()))
    figures |= _named(reconstruction(model, rows.held_out), "carbon")
    figures["fit_seconds_carbon"] = seconds
    print(figures, flush=True)
    figures |= design_figures()
    print(record("ftcp", figures, command="make bench-ftcp"))


def _fitted(rows: Split, options: FtcpOptions) -> tuple[FtcpModel, float]:
    model = FtcpModel(options, rows.training.property_names)
    return model, model.fit(rows.training, seed=0).seconds


def _named(figures: dict[str, float], data: str) -> dict[str, float]:
    return {f"{name}_{data}": value for name, value in figures.items()}


if __name__ == "__main__":
    main()
