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
    LEVELS,
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
        return f"{calibration.n} predictions: too few to judge them."
    what = calibration.promises.capitalize()
    if calibration.verdict:
        return f"{what} are {calibration.verdict}."
    return f"{what} can be relied on: {calibration.summary}."


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
    by_round: dict[str, list[PredictedTrial]] = {}
    for guess in sorted(guesses, key=lambda g: g.trial.proposal.round):
        by_round.setdefault(str(guess.trial.proposal.round), []).append(guess)
    every = Calibration(tuple(guesses))
    found = {round: Calibration(tuple(of_round)) for round, of_round in by_round.items()}
    if len(found) > 1:
        found["all"] = every
    columns = _of_answers if every.is_yes_or_no else _of_values
    heads = ("round", "n", *columns(name, every), "rank corr.")
    return ReportTable(
        heads=heads,
        rows=tuple(
            (round, str(each.n), *columns(name, each).values(), _correlation(each))
            for round, each in found.items()
        ),
        numeric=tuple(range(1, len(heads))),
        note="What each decision promised, against what was measured afterwards. "
        + (
            "The Brier score is the mean squared difference of probability and answer."
            if every.is_yes_or_no
            else "Calibrated intervals hold the share that they are named by. Bias: predicted "
            "minus measured."
        ),
    )


def _of_values(name: str, found: Calibration) -> dict[str, str]:
    """Return the columns of values that have intervals."""
    unit = f" ({unit_of(name)})" if unit_of(name) else ""
    return {
        f"RMSE{unit}": value_of(name, found.rmse, with_unit=False),
        f"bias{unit}": value_of(name, found.bias, with_unit=False, signed=True),
        f"mean std{unit}": value_of(name, found.sharpness, with_unit=False),
        **{f"in {100 * level:.0f} %": _percent(found.coverage(level)) for level in LEVELS},
    }


def _of_answers(name: str, found: Calibration) -> dict[str, str]:
    """Return the columns of answers that have probabilities."""
    return {
        "as expected": _percent(found.as_expected),
        "promised": _percent(found.promised),
        "Brier score": f"{found.brier:.3f}",
    }


def _correlation(found: Calibration) -> str:
    return "–" if found.rank_correlation is None else f"{found.rank_correlation:.2f}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\u00a0%"
