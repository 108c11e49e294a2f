"""Paired tests over seeds, and what so few of them can show."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

MOST_ENUMERATED = 16
"""Largest number of pairs whose 2^n assignments of signs are all counted; above it the signed-rank
test takes its normal approximation."""


@dataclass(frozen=True)
class PValues:
    """P-values of a paired comparison; None for a test that could not be made."""

    t: float | None = None
    """Student's paired t-test, two-sided."""
    t_greater: float | None = None
    """Student's paired t-test against "the first is better", one-sided."""
    wilcoxon: float | None = None
    """Wilcoxon's signed-rank test, two-sided; pairs without a difference are left out."""
    wilcoxon_greater: float | None = None
    """Wilcoxon's signed-rank test, one-sided."""


UNTESTED = PValues()


@dataclass(frozen=True)
class PairedTest:
    """Tests of paired differences against zero."""

    differences: tuple[float, ...]
    """Difference of each pair; positive where the first is better."""
    mean: float | None
    """Mean difference; None without a pair."""
    interval: tuple[float, float] | None
    """Student's 95 % confidence interval of the mean difference."""
    p: PValues
    problem: str = ""
    """Reason why a test is missing; empty where none is."""


def paired_test(differences: Sequence[float]) -> PairedTest:
    """Test paired differences with Student's t and Wilcoxon's signed-rank test.

    The second is exact, ties and all: every assignment of signs is counted (up to 16 pairs).

    Args:
        differences: one for each pair, finite.
    """
    if len(differences) < 2:
        return no_test(differences, "a single pair of runs cannot be tested; it takes two seeds")
    if not any(differences):
        return no_test(differences, "every pair is equal")
    d = np.asarray(differences, dtype=float)
    two, one = signed_rank_p(differences, "two-sided"), signed_rank_p(differences, "greater")
    mean = float(d.mean())
    if np.ptp(d) == 0:
        problem = "every pair differs by the same, so the t-test has no spread to go by"
        return PairedTest(tuple(differences), mean, None, PValues(None, None, two, one), problem)
    student = stats.ttest_1samp(d, 0.0)
    greater = float(stats.ttest_1samp(d, 0.0, alternative="greater").pvalue)
    low, high = student.confidence_interval(0.95)
    p = PValues(float(student.pvalue), greater, two, one)
    return PairedTest(tuple(differences), mean, (float(low), float(high)), p)


def no_test(differences: Sequence[float], problem: str) -> PairedTest:
    """Return the record of pairs that cannot be tested, and why."""
    mean = float(np.mean(differences)) if differences else None
    return PairedTest(tuple(differences), mean, None, UNTESTED, problem)


def signed_rank_p(differences: Sequence[float], alternative: str) -> float:
    """Return the p-value of Wilcoxon's signed-rank test (Biometrics Bulletin 1, 80, 1945).

    Args:
        differences: of the pairs, not all zero; zeros are left out, as Wilcoxon did.
        alternative: ``two-sided`` or ``greater``.
    """
    d = np.asarray(differences, dtype=float)
    d = d[d != 0]
    if len(d) > MOST_ENUMERATED:
        return float(stats.wilcoxon(d, alternative=alternative, method="approx").pvalue)
    everything = stats.PermutationMethod(n_resamples=2**MOST_ENUMERATED)
    return float(stats.wilcoxon(d, alternative=alternative, method=everything).pvalue)


def smallest_p(pairs: int) -> tuple[float, float]:
    """Return the least p-values that the exact signed-rank test can give, two- and one-sided:
    those of pairs that all point one way.
    """
    return min(1.0, 2.0 / 2**pairs), 1.0 / 2**pairs


def pairs_needed(level: float, comparisons: int = 1) -> int:
    """Return the fewest pairs for which the two-sided exact signed-rank test can fall to a level
    after Holm's correction for so many comparisons.
    """
    return math.ceil(math.log2(2.0 * comparisons / level))


def holm(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Return p-values adjusted for their number by Holm's step-down rule (Scand. J. Statist. 6,
    65, 1979): compared with a level, they keep the chance of any false finding below it.

    Args:
        p_values: None for a test that could not be made, which counts for nothing.
    """
    known = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for place, (p, i) in enumerate(known):
        largest = max(largest, min(1.0, (len(known) - place) * p))
        adjusted[i] = largest
    return tuple(adjusted)


def power_note(pairs: int, comparisons: int) -> str:
    """Return in words what the signed-rank test can show with so many pairs.

    Args:
        pairs: number of seeds that both have.
        comparisons: number of tests that Holm's rule corrects for.
    """
    two, one = smallest_p(pairs)
    needed = pairs_needed(0.05, comparisons)
    seeds = "1 seed" if pairs == 1 else f"{pairs} seeds"
    text = (
        f"With {seeds} the exact signed-rank test gives no less than {two:.3g} two-sided "
        f"({one:.3g} one-sided), even where every seed agrees"
    )
    if pairs >= needed:
        return text + "."
    corrected = f" corrected for {comparisons} comparisons" if comparisons > 1 else ""
    return (
        f"{text}; a two-sided p{corrected} below 0.05 takes {needed} seeds. The t-test can show "
        "more, if differences are about normal, which so few cannot prove."
    )
