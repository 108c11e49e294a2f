"""Agreement of two tiers on the candidates that both have measured."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from alloop.loop.record.events import Measured
from alloop.loop.state.campaign_state import CampaignState
from alloop.properties import FORMATION_ENERGY

VOLUME = "volume_per_atom"
MIN_PAIRS = 5
"""Least number of pairs for a rank correlation: of four random pairs one in 24 agrees fully."""
DRIFT_SIGNIFICANCE = 0.01
"""Probability of a drift as large by chance (Welch's t test) below which it is reported."""


@dataclass(frozen=True)
class TierDifference:
    """The higher tier's value minus the low one's, over some candidates."""

    mean: float
    """Mean difference in the property's unit; of volumes, as a share of the lower tier's."""
    std: float
    """Standard deviation of the differences; 0 for a single candidate."""


@dataclass(frozen=True)
class Disagreement:
    """Disagreement of a tier with the one below, on the candidates that both have measured."""

    tier: int
    n_pairs: int
    differences: dict[str, TierDifference]
    """Differences by property: those the campaign wants, and the volume where both measured it."""
    rank_correlation: float | None
    """Spearman's rank correlation of the utility; None for fewer than ``MIN_PAIRS`` pairs, or
    where a tier gives all the same value."""
    energy_correlation: float | None
    """Spearman's rank correlation of the formation energies."""
    warning: str = ""
    """Warning for people; empty while the tiers agree."""

    @property
    def is_doubtful(self) -> bool:
        """Whether the lower tier is no good guide to the higher one."""
        return bool(self.warning)


Pairs = Sequence[tuple[Measured, Measured]]
"""Pairs of measurements of one candidate, by the lower and by the higher tier."""


def disagreement(state: CampaignState, tier: int) -> Disagreement:
    """Return the disagreement of a tier and the one below over everything both have measured, with
    a warning where their order of the candidates is too different, or their differences drift."""
    pairs = pairs_of(state, tier)
    found = _compare(state, tier, pairs)
    warnings = []
    threshold = state.spec.promotion.min_rank_correlation
    if found.rank_correlation is not None and found.rank_correlation < threshold:
        warnings.append(
            f"tiers {tier - 1} and {tier} order {len(pairs)} candidates differently: the rank "
            f"correlation of their utility is {found.rank_correlation:.2f}, below {threshold:g}"
        )
    warnings += drifts(state, tier, pairs)
    return Disagreement(**vars(found) | {"warning": "; ".join(warnings)})


def by_round(state: CampaignState, tier: int) -> dict[int, Disagreement]:
    """Return the disagreement of the tiers by the round in which candidates were promoted."""
    pairs = pairs_of(state, tier)
    rounds = sorted({high.round for _, high in pairs})
    return {
        n: _compare(state, tier, [pair for pair in pairs if pair[1].round == n]) for n in rounds
    }


def pairs_of(state: CampaignState, tier: int) -> list[tuple[Measured, Measured]]:
    """Return the measurements of the same candidates by a tier and the one below, in the order in
    which the higher tier was asked."""
    high = {m.candidate for m in state.answers(tier)}
    below = {m.candidate: m for m in state.answers(tier - 1) if m.candidate in high}
    return [(below[m.candidate], m) for m in state.answers(tier) if m.candidate in below]


def drifts(state: CampaignState, tier: int, pairs: Pairs) -> list[str]:
    """Return a sentence for each wanted property whose difference has changed in the last round:
    the search has come to where the lower tier errs differently.
    """
    last = max((high.round for _, high in pairs), default=0)
    found = []
    for name in state.spec.property_names():
        now = [_difference(pair, name) for pair in pairs if pair[1].round == last]
        before = [_difference(pair, name) for pair in pairs if pair[1].round < last]
        if min(len(now), len(before)) < 2 or len(set(now)) == len(set(before)) == 1:
            continue
        from scipy.stats import ttest_ind  # noqa: PLC0415 (half a second)

        chance = float(ttest_ind(now, before, equal_var=False).pvalue)
        if chance < DRIFT_SIGNIFICANCE:
            found.append(
                f"the difference of tiers {tier - 1} and {tier} in {name} drifts: "
                f"{fmean(now):.3g} in round {last}, {fmean(before):.3g} before"
            )
    return found


def _compare(state: CampaignState, tier: int, pairs: Pairs) -> Disagreement:
    names = [*state.spec.property_names()]
    if pairs and all(VOLUME in m.properties for pair in pairs for m in pair):
        names.append(VOLUME)
    differences = {}
    for name in dict.fromkeys(names) if pairs else ():
        values = [_difference(pair, name) for pair in pairs]
        spread = stdev(values) if len(values) > 1 else 0.0
        differences[name] = TierDifference(fmean(values), spread)
    merits = [[state.utility.value(m.properties) for m in pair] for pair in pairs]
    energies = [
        [m.properties[FORMATION_ENERGY] for m in pair]
        for pair in pairs
        if all(FORMATION_ENERGY in m.properties for m in pair)
    ]
    return Disagreement(
        tier, len(pairs), differences, _rank_correlation(merits), _rank_correlation(energies)
    )


def _difference(pair: tuple[Measured, Measured], name: str) -> float:
    low, high = (m.properties[name] for m in pair)
    return (high - low) / low if name == VOLUME else high - low


def _rank_correlation(values: Sequence[Sequence[float]]) -> float | None:
    if len(values) < MIN_PAIRS:
        return None
    import numpy as np  # noqa: PLC0415
    from scipy.stats import spearmanr  # noqa: PLC0415

    columns = np.array(values)
    if (np.ptp(columns, axis=0) == 0).any():
        return None
    found = float(spearmanr(columns[:, 0], columns[:, 1]).statistic)
    return None if math.isnan(found) else found
