"""Parity of predicted and measured values, and calibration of the predicted uncertainty."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from alloop.loop.report.style import (
    BLUE,
    SEQUENTIAL,
    Figure,
    agreement,
    finished,
    points,
)
from alloop.loop.report.tables import ReportTable
from alloop.loop.report.words import label_of, unit_of, value_of
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.trials import Trial, measured_trials

WITHIN_ONE_SIGMA, WITHIN_TWO_SIGMA = 0.683, 0.954
"""Shares of a normal distribution within one and two standard deviations."""


@dataclass(frozen=True)
class PredictedTrial:
    """Prediction of a property at the choice of a candidate, with the value then measured."""

    trial: Trial
    mean: float
    std: float
    measured: float

    @property
    def error(self) -> float:
        """Error: predicted minus measured, in the property's unit."""
        return self.mean - self.measured


@dataclass(frozen=True)
class Calibration:
    """Accuracy and calibration of a set of predictions."""

    n: int
    rmse: float
    """Root mean squared error, in the property's unit."""
    bias: float
    """Bias: mean of predicted minus measured, in the property's unit."""
    within_one: float
    """Share of measured values within one standard deviation of the mean."""
    within_two: float

    @classmethod
    def of(cls, guesses: Sequence[PredictedTrial]) -> "Calibration":
        """Return the figures of at least one guess."""
        n = len(guesses)
        return cls(
            n=n,
            rmse=math.sqrt(math.fsum(g.error**2 for g in guesses) / n),
            bias=math.fsum(g.error for g in guesses) / n,
            within_one=sum(abs(g.error) <= g.std for g in guesses) / n,
            within_two=sum(abs(g.error) <= 2 * g.std for g in guesses) / n,
        )


def predicted_trials(state: CampaignState, name: str) -> list[PredictedTrial]:
    """Return the guesses about a property that tier 0 has answered, in order."""
    return [
        PredictedTrial(trial, posterior.mean, posterior.std, trial.answer.properties[name])
        for trial in measured_trials(state)
        if trial.answer is not None and (posterior := trial.decision.posterior.get(name))
    ]


@dataclass(frozen=True)
class Parity:
    """The figure of one property and the table under it."""

    heading: str
    figure: Figure
    table: ReportTable


def parities(state: CampaignState) -> list[Parity]:
    """Return one figure and table per property that was predicted and then measured."""
    found = []
    for name in state.spec.property_names():
        if guesses := predicted_trials(state, name):
            found.append(
                Parity(label_of(name), _figure(state, name, guesses), _table(name, guesses))
            )
    return found


def _figure(state: CampaignState, name: str, guesses: Sequence[PredictedTrial]) -> Figure:
    unit = f" ({unit_of(name)})" if unit_of(name) else ""
    figure = agreement(
        [g.measured for g in guesses],
        [g.mean for g in guesses],
        (f"measured{unit}", f"predicted{unit}"),
        height=420,
    )
    rounds = [g.trial.proposal.round for g in guesses]
    marker = {"size": 7, "color": BLUE, "line": {"width": 0.5, "color": "#ffffff"}}
    if len(set(rounds)) > 1:
        marker |= {
            "color": rounds,
            "colorscale": SEQUENTIAL,
            "colorbar": {
                "title": {"text": "round", "side": "right", "font": {"size": 12}},
                "thickness": 10,
                "len": 0.7,
                "outlinewidth": 0,
                "tickvals": sorted(set(rounds)),
            },
        }
    settings = points([g.trial for g in guesses], state.utility)
    settings["text"] = [
        f"{text}<br>predicted {number_pair(name, g.mean, g.std)}"
        for text, g in zip(settings["text"], guesses, strict=True)
    ]
    figure.add_scatter(
        x=[g.measured for g in guesses],
        y=[g.mean for g in guesses],
        error_y={
            "type": "data",
            "array": [g.std for g in guesses],
            "color": "#b6bcc4",
            "thickness": 1,
            "width": 0,
        },
        marker=marker,
        **settings,
    )
    return finished(
        figure,
        id=f"parity-{name}",
        alt=f"predicted against measured {label_of(name)} of {len(guesses)} candidates",
        caption="The surrogate's mean ± one standard deviation when it chose; on the dashed "
        "line it was right.",
    )


def number_pair(name: str, mean: float, std: float) -> str:
    """Return ``186.23 ± 0.41 GPa``."""
    return f"{value_of(name, mean, with_unit=False)} ± {value_of(name, std)}"


def _table(name: str, guesses: Sequence[PredictedTrial]) -> ReportTable:
    rounds = sorted({g.trial.proposal.round for g in guesses})
    rows = [
        _row(str(round), name, [g for g in guesses if g.trial.proposal.round == round])
        for round in rounds
    ]
    if len(rounds) > 1:
        rows.append(_row("all", name, guesses))
    unit = f" ({unit_of(name)})" if unit_of(name) else ""
    return ReportTable(
        heads=("round", "n", f"RMSE{unit}", f"bias{unit}", "within 1σ", "within 2σ"),
        rows=tuple(rows),
        numeric=(1, 2, 3, 4, 5),
        note=f"A calibrated surrogate has {_percent(WITHIN_ONE_SIGMA)} of the measured values "
        f"within 1σ and {_percent(WITHIN_TWO_SIGMA)} within 2σ. Bias: predicted minus measured.",
    )


def _row(round: str, name: str, guesses: Sequence[PredictedTrial]) -> tuple[str, ...]:
    found = Calibration.of(guesses)
    return (
        round,
        str(found.n),
        value_of(name, found.rmse, with_unit=False),
        value_of(name, found.bias, with_unit=False, signed=True),
        _percent(found.within_one),
        _percent(found.within_two),
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\u00a0%"
