"""Parity of predicted and measured values, and calibration of the predicted uncertainty."""

from collections.abc import Sequence
from dataclasses import dataclass

from alloop.loop.report.figures.style import (
    BLUE,
    SEQUENTIAL,
    Figure,
    agreement,
    finished,
    points,
)
from alloop.loop.report.tables import ReportTable
from alloop.loop.report.words import label_of, unit_of, value_of
from alloop.loop.state.calibration import (
    FEWEST,
    Calibration,
    PredictedTrial,
    predicted_names,
    predicted_trials,
)
from alloop.loop.state.campaign_state import CampaignState


@dataclass(frozen=True)
class Parity:
    """The figure of one property and the table under it."""

    heading: str
    verdict: str
    """Whether the intervals can be relied on, in a sentence."""
    is_well: bool
    """Whether nothing is wrong with them, or too few are known to say."""
    figure: Figure
    table: ReportTable


def parities(state: CampaignState) -> list[Parity]:
    """Return one figure and table per property that was predicted and then measured."""
    found = []
    for name in predicted_names(state):
        if guesses := predicted_trials(state, name):
            calibration = Calibration(tuple(guesses))
            found.append(
                Parity(
                    label_of(name),
                    _verdict(calibration),
                    not calibration.verdict,
                    _figure(state, name, guesses),
                    _table(name, guesses),
                )
            )
    return found


def _verdict(calibration: Calibration) -> str:
    if calibration.n < FEWEST:
        return f"{calibration.n} predictions: too few to judge their intervals."
    if calibration.verdict:
        return f"Intervals are {calibration.verdict}."
    held = 100 * calibration.coverage(0.8)
    return f"Intervals can be relied on: those of 80 % held {held:.0f} % of {calibration.n} values."


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
    heads = (
        "round",
        "n",
        f"RMSE{unit}",
        f"bias{unit}",
        f"mean std{unit}",
        *_COVERAGES,
        "rank corr.",
    )
    return ReportTable(
        heads=heads,
        rows=tuple(rows),
        numeric=tuple(range(1, len(heads))),
        note="What each decision promised, against what was measured afterwards. Calibrated "
        "intervals hold the share that they are named by. Bias: predicted minus measured.",
    )


_COVERAGES = ("in 50 %", "in 80 %", "in 95 %")


def _row(round: str, name: str, guesses: Sequence[PredictedTrial]) -> tuple[str, ...]:
    found = Calibration(tuple(guesses))
    correlation = found.rank_correlation
    return (
        round,
        str(found.n),
        value_of(name, found.rmse, with_unit=False),
        value_of(name, found.bias, with_unit=False, signed=True),
        value_of(name, found.sharpness, with_unit=False),
        *(_percent(found.coverage(level)) for level in (0.5, 0.8, 0.95)),
        "–" if correlation is None else f"{correlation:.2f}",
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\u00a0%"
