"""Calibration of a campaign's predictions as figures of merit; see ``loop.state.calibration``."""

from collections.abc import Iterator

from alloop.loop.analyse.figure_of_merit import FigureOfMerit
from alloop.loop.state.calibration import LEVELS, Calibration, predicted_names, predicted_trials
from alloop.loop.state.campaign_state import CampaignState
from alloop.models.metrics.rates import Rate
from alloop.properties import DIMENSIONLESS, shown_unit


def calibration_figures(state: CampaignState) -> Iterator[FigureOfMerit]:
    """Yield, for each property that was predicted and then measured, how well."""
    for name in predicted_names(state):
        if not (predicted := predicted_trials(state, name)):
            continue
        found = Calibration(tuple(predicted))
        unit = shown_unit(state.spec.units().get(name, DIMENSIONLESS))
        yield FigureOfMerit("calibration", f"{name}: RMSE", found.rmse, found.n, unit=unit)
        errors = [each.error for each in predicted]
        yield FigureOfMerit.of_mean(
            "calibration", f"{name}: predicted minus measured", errors, unit
        )
        for level in LEVELS:
            held = Rate.of(round(found.coverage(level) * found.n), found.n)
            yield FigureOfMerit.of_rate(
                "calibration", f"{name}: held by {level:.0%} intervals", held
            )
        yield FigureOfMerit(
            "calibration", f"{name}: mean log predictive density", found.log_density, found.n
        )
        if (correlation := found.rank_correlation) is not None:
            yield FigureOfMerit("calibration", f"{name}: rank correlation", correlation, found.n)
