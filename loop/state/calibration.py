"""Calibration of the search's predictions: what decisions promised, held against what came.

Every figure is prospective: a decision's posterior was written down before its measurement.
"""

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from alloop.loop.record.events import Stage
from alloop.loop.record.stored_events import outline_of
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.outliers import outlier_warnings
from alloop.loop.state.trials import Trial
from alloop.properties import DIMENSIONLESS, ENERGY_ABOVE_HULL, FORMATION_ENERGY, shown_unit

LEVELS = {0.5: 0.6744897501960817, 0.8: 1.2815515655446004, 0.95: 1.959963984540054}
"""Half-widths of a normal distribution's central intervals, in standard deviations, by the share
that they hold."""
SURPRISE = 4.0
"""Number of standard deviations off from which a value is a surprise: of normal values, one in
16,000."""
SHOWN_SURPRISES = 3
FEWEST = 10
"""Number of predictions below which nothing is said about their intervals."""
NARROW, WIDE = 0.65, 0.93
"""Share held by the 80 % intervals below, or above, which they are called wrong."""
OVERCONFIDENT = 0.15
"""Difference of the share of answers that come as expected from the promised one, beyond which
probabilities are called wrong."""


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

    @property
    def probability(self) -> float:
        """Probability of a yes, of a property whose values are answers."""
        return min(max(self.mean, 0.0), 1.0)

    @property
    def deviation(self) -> float:
        """Measured minus predicted, in standard deviations of the prediction."""
        return -self.error / self.std if self.std > 0 else math.copysign(math.inf, -self.error)


@dataclass(frozen=True)
class Calibration:
    """Accuracy and calibration of at least one prediction of a property."""

    predicted: tuple[PredictedTrial, ...]

    @property
    def n(self) -> int:
        """Number of predictions."""
        return len(self.predicted)

    @cached_property
    def rmse(self) -> float:
        """Root mean squared error, in the property's unit."""
        return math.sqrt(math.fsum(p.error**2 for p in self.predicted) / self.n)

    @cached_property
    def bias(self) -> float:
        """Mean of predicted minus measured, in the property's unit."""
        return math.fsum(p.error for p in self.predicted) / self.n

    @cached_property
    def sharpness(self) -> float:
        """Mean predicted standard deviation, in the property's unit; less is sharper."""
        return math.fsum(p.std for p in self.predicted) / self.n

    @cached_property
    def log_density(self) -> float:
        """Mean logarithm of the predictive density at the measured values; more is better. Its
        opposite is the NLPD."""
        return (
            math.fsum(
                -0.5 * math.log(2 * math.pi * max(p.std, 1e-300) ** 2) - 0.5 * p.deviation**2
                for p in self.predicted
            )
            / self.n
        )

    @cached_property
    def rank_correlation(self) -> float | None:
        """Spearman's rank correlation of predicted and measured; None where one is constant."""
        ranks = [
            _ranks(values)
            for values in ([p.mean for p in self.predicted], [p.measured for p in self.predicted])
        ]
        if any(len(set(each)) < 2 for each in ranks):
            return None
        return statistics.correlation(*ranks)

    @cached_property
    def deviations(self) -> tuple[float, ...]:
        """Measured minus predicted, in standard deviations of each prediction."""
        return tuple(p.deviation for p in self.predicted)

    def coverage(self, level: float) -> float:
        """Return the share of measured values inside the central intervals of a level."""
        return sum(abs(deviation) <= LEVELS[level] for deviation in self.deviations) / self.n

    @cached_property
    def is_yes_or_no(self) -> bool:
        """Whether what was measured are answers, 1 for yes and 0 for no: a mean is then the
        probability of a yes, and intervals of a normal distribution say nothing."""
        return {p.measured for p in self.predicted} == {0.0, 1.0}

    @property
    def promises(self) -> str:
        """What was promised: ``intervals``, or ``probabilities`` of a yes."""
        return "probabilities" if self.is_yes_or_no else "intervals"

    @cached_property
    def brier(self) -> float:
        """Brier score of yes or no: mean squared difference of probability and answer. Less is
        better; 0.25 is that of one half for all."""
        return math.fsum((p.probability - p.measured) ** 2 for p in self.predicted) / self.n

    @cached_property
    def promised(self) -> float:
        """Share of answers that should have come as expected: mean of the larger probability."""
        return math.fsum(max(p.probability, 1 - p.probability) for p in self.predicted) / self.n

    @cached_property
    def as_expected(self) -> float:
        """Share of answers that came as the larger probability said."""
        return sum((p.probability >= 0.5) == (p.measured == 1) for p in self.predicted) / self.n

    @property
    def summary(self) -> str:
        """How predictions came true, in a few words."""
        if self.is_yes_or_no:
            return (
                f"{100 * self.as_expected:.0f} % of {self.n} answers came as expected, "
                f"{100 * self.promised:.0f} % promised"
            )
        return f"80 % intervals held {100 * self.coverage(0.8):.0f} % of {self.n} values"

    @property
    def verdict(self) -> str:
        """What people should know of intervals or probabilities; empty where they are as they
        should be."""
        if self.n < FEWEST:
            return ""
        if self.is_yes_or_no:
            excess = self.promised - self.as_expected
            if abs(excess) < OVERCONFIDENT:
                return ""
            return f"too {'sure' if excess > 0 else 'unsure'}: {self.summary}"
        held = self.coverage(0.8)
        if held < NARROW:
            return f"too narrow: {self.summary}"
        if held > WIDE:
            return f"too wide: {self.summary}"
        return ""


def held_against(name: str) -> str:
    """Return the property whose predictions tell how good those of a property are: of an energy
    above the hull the formation energy, since a new phase moves the hull."""
    return FORMATION_ENERGY if name == ENERGY_ABOVE_HULL else name


def predicted_names(state: CampaignState) -> tuple[str, ...]:
    """Return the properties whose predictions are held against what came."""
    return tuple(dict.fromkeys(held_against(name) for name in state.spec.property_names()))


def predictions(state: CampaignState) -> dict[str, list[PredictedTrial]]:
    """Return the predictions that tier 0 has answered, in order, by property;
    ``CampaignState.predicted`` keeps them."""
    found: dict[str, list[PredictedTrial]] = {}
    for trial, posterior in state.foreseen:
        assert trial.measured is not None, "what was foreseen was answered"
        measured = trial.measured.properties
        for name, moments in posterior.items():
            if name in measured:
                predicted = PredictedTrial(trial, moments["mean"], moments["std"], measured[name])
                found.setdefault(name, []).append(predicted)
    return found


def predicted_trials(state: CampaignState, name: str) -> Sequence[PredictedTrial]:
    """Return the predictions of a property that tier 0 has answered, in order."""
    return state.predicted.get(name, ())


def calibration_by_round(state: CampaignState, name: str) -> dict[int, Calibration]:
    """Return the calibration of a property's predictions in each round that made any."""
    by_round: dict[int, list[PredictedTrial]] = {}
    for predicted in predicted_trials(state, name):
        by_round.setdefault(predicted.trial.proposal.round, []).append(predicted)
    return {round: Calibration(tuple(found)) for round, found in sorted(by_round.items())}


def latest_calibrations(state: CampaignState) -> dict[str, Calibration]:
    """Return the calibration of each property that was predicted in any round but the first, over
    all these rounds; ``CampaignState.calibrations`` keeps them."""
    later = {
        name: tuple(p for p in predicted if p.trial.proposal.round > 1)
        for name, predicted in state.predicted.items()
    }
    return {name: Calibration(predicted) for name, predicted in later.items() if predicted}


def latest_calibration(state: CampaignState, name: str) -> Calibration | None:
    """Return the calibration of all rounds but the first, whose surrogate had nothing to be
    corrected by; None where there are no later ones."""
    return state.calibrations.get(name)


def surprises(state: CampaignState) -> list[tuple[str, PredictedTrial]]:
    """Return the values that were far from what was expected, with their property, the farthest
    first. An answer of yes or no is never far."""
    found: list[tuple[str, PredictedTrial]] = []
    for name in predicted_names(state):
        every = Calibration(tuple(predicted_trials(state, name)))
        if not every.is_yes_or_no:
            found += [(name, p) for p in every.predicted if abs(p.deviation) >= SURPRISE]
    return sorted(found, key=lambda pair: -abs(pair[1].deviation))


def drawn_at_random(state: CampaignState) -> dict[int, tuple[int, int]]:
    """Return the rounds whose search found too little that is new: how many candidates were drawn
    at random in place, and how many were chosen in all."""
    found = {}
    for proposal in state.proposals:
        n = proposal.notes.get("drawn_at_random", 0.0)
        if proposal.stage is Stage.ACQUISITION and isinstance(n, float) and n > 0:
            chosen = sum(decision["chosen"] for decision in outline_of(proposal))
            found[proposal.round] = (int(n), chosen)
    return found


def prediction_lines(state: CampaignState) -> list[str]:
    """Return, for each property, in a line how the predictions of rounds 2 and later came true."""
    lines = []
    for name in predicted_names(state):
        if (found := latest_calibration(state, name)) is not None:
            correlation = found.rank_correlation
            ranks = "" if correlation is None else f", rank correlation {correlation:.2f}"
            lines.append(f"{name}: {found.summary}{ranks}")
    return lines


def search_warnings(state: CampaignState) -> list[str]:
    """Return a sentence for each thing about the search that people should know before they
    believe it."""
    found = outlier_warnings(state)
    for name in predicted_names(state):
        calibration = latest_calibration(state, name)
        if calibration is not None and calibration.verdict:
            found.append(
                f"the predicted {calibration.promises} of {name} are {calibration.verdict}"
            )
    for round, (n, chosen) in drawn_at_random(state).items():
        found.append(
            f"round {round} found too little that is new: {n} of its {chosen} candidates were "
            "drawn at random"
        )
    unexpected = surprises(state)
    units = state.spec.units()
    for name, predicted in unexpected[:SHOWN_SURPRISES]:
        found.append(
            f"{name} of candidate {predicted.trial.decision.candidate[:10]} is a surprise: "
            f"{predicted.measured:.6g}{_unit_behind(units, name)}, expected {predicted.mean:.6g} ± "
            f"{predicted.std:.2g}"
        )
    if len(unexpected) > SHOWN_SURPRISES:
        more = len(unexpected) - SHOWN_SURPRISES
        found.append(
            f"{more} more {'value was a surprise' if more == 1 else 'values were surprises'}"
        )
    return found


def _unit_behind(units: Mapping[str, str], name: str) -> str:
    """Return a property's unit with a space before it; empty where it has none."""
    unit = shown_unit(units.get(name, DIMENSIONLESS))
    return f" {unit}" if unit else ""


def _ranks(values: Sequence[float]) -> list[float]:
    """Return ranks, equals sharing their mean rank."""
    count = Counter(values)
    rank_of, before = {}, 0
    for value in sorted(count):
        rank_of[value] = before + (count[value] - 1) / 2
        before += count[value]
    return [rank_of[value] for value in values]
