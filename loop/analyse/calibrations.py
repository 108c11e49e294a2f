"""Calibration of a campaign's predictions as figures of merit; see ``loop.state.calibration``."""

from collections.abc import Iterator

from alloop.loop.analyse.figure_of_merit import FigureOfMerit
from alloop.loop.state.calibration import LEVELS, Calibration, predicted_names, predicted_trials
from alloop.loop.state.campaign_state import CampaignState
from alloop.models.metrics.rates import Rate
from alloop.properties import DIMENSIONLESS, shown_unit

SUBJECT = "calibration"


def calibration_figures(state: CampaignState) -> Iterator[FigureOfMerit]:
    """Yield, for each property that was predicted and then measured, how well."""
    for name in predicted_names(state):
        if not (predicted := predicted_trials(state, name)):
            continue
        found = Calibration(tuple(predicted))
        unit = shown_unit(state.spec.units().get(name, DIMENSIONLESS))
        yield from _of_answers(name, found) if found.is_yes_or_no else _of_values(name, found, unit)
        if (correlation := found.rank_correlation) is not None:
            yield FigureOfMerit(SUBJECT, f"{name}: rank correlation", correlation, found.n)


def _of_values(name: str, found: Calibration, unit: str) -> Iterator[FigureOfMerit]:
    yield FigureOfMerit(SUBJECT, f"{name}: RMSE", found.rmse, found.n, unit=unit)
    errors = [each.error for each in found.predicted]
    yield FigureOfMerit.of_mean(SUBJECT, f"{name}: predicted minus measured", errors, unit)
    for level in LEVELS:
        held = Rate.of(round(found.coverage(level) * found.n), found.n)
        yield FigureOfMerit.of_rate(SUBJECT, f"{name}: held by {level:.0%} intervals", held)
    density = f"{name}: mean log predictive density"
    yield FigureOfMerit(SUBJECT, density, found.log_density, found.n)


def _of_answers(name: str, found: Calibration) -> Iterator[FigureOfMerit]:
    came = Rate.of(round(found.as_expected * found.n), found.n)
    yield FigureOfMerit.of_rate(SUBJECT, f"{name}: answers as expected", came)
    yield FigureOfMerit(SUBJECT, f"{name}: answers promised as expected", found.promised, found.n)
    yield FigureOfMerit(SUBJECT, f"{name}: Brier score", found.brier, found.n)
