"""Contrasts: each strategy against each baseline, at a number of labels."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace

import numpy as np

from alloop.campaigns.objectives import Objective
from alloop.loop.compare.statistics.curves import Band, count_so_far, middle_of
from alloop.loop.compare.statistics.factors import (
    Acceleration,
    acceleration,
    enhancement_of_best,
    enhancement_of_found,
)
from alloop.loop.compare.statistics.group_progress import GroupProgress
from alloop.loop.compare.statistics.significance import (
    UNTESTED,
    PairedTest,
    PValues,
    holm,
    no_test,
    paired_test,
)


@dataclass(frozen=True)
class Contrast:
    """A strategy against a baseline after so many labels."""

    name: str
    """Name of the strategy's group."""
    baseline: str
    """Name of the baseline's group."""
    n: int
    """Number of labels."""
    gain: float | None
    """Middle of the strategy minus middle of the baseline, as a utility."""
    enhancement_best: float | None
    """Enhancement factor by best values, or by hypervolumes."""
    enhancement_found: tuple[float | None, ...]
    """Enhancement factor by labels at least as good as each target; None for hypervolumes, or where
    the baseline found none."""
    accelerations: tuple[Acceleration, ...]
    """Acceleration factor at each target, over all labels of the runs."""
    seeds: tuple[int, ...]
    """Seeds that both have, by which runs are paired."""
    same_start: int
    """Number of pairs whose initial candidates are the same."""
    test: PairedTest
    corrected: PValues = UNTESTED
    """P-values of the test, corrected by Holm's rule for all contrasts at this number of labels."""


def contrasts_of(
    groups: Sequence[GroupProgress],
    baselines: Sequence[str],
    numbers: Sequence[int],
    targets: Sequence[float],
    band: Band,
    objectives: Sequence[Objective],
) -> tuple[Contrast, ...]:
    """Return the contrasts of all groups that are no baseline with each baseline, at each number
    of labels, with Holm's correction over those at one number.

    Args:
        groups: all groups.
        baselines: names of some of them.
        numbers: numbers of labels.
        targets: as utilities; the baseline's middle at each number, if there are none.
        band: says what the middle is.
        objectives: one, or several by hypervolume.
    """
    by_name = {group.name: group for group in groups}
    found: list[Contrast] = []
    for n in numbers:
        at_n = [
            _contrast(group, by_name[name], n, targets, band, is_single=len(objectives) == 1)
            for name in baselines
            for group in groups
            if group.name not in baselines
        ]
        found += _corrected(at_n)
    return tuple(found)


def _contrast(
    group: GroupProgress,
    baseline: GroupProgress,
    n: int,
    targets: Sequence[float],
    band: Band,
    *,
    is_single: bool,
) -> Contrast:
    ours, theirs = group.at(n), baseline.at(n)
    middles = middle_of(ours, band), middle_of(theirs, band)
    wanted = list(targets) or [middle for middle in middles[1:] if middle is not None]
    seeds, pairs, test = _pairs(group, baseline, n)
    return Contrast(
        group.name,
        baseline.name,
        n,
        None if None in middles else middles[0] - middles[1],  # type: ignore[operator]
        enhancement_of_best(ours, theirs, band),
        tuple(_found(group, baseline, n, target) if is_single else None for target in wanted),
        tuple(acceleration(group.curves, baseline.curves, target) for target in wanted),
        seeds,
        pairs,
        test,
    )


def _found(group: GroupProgress, baseline: GroupProgress, n: int, target: float) -> float | None:
    ours, theirs = (
        [
            count_so_far([u[0] if (u := label.counted) else None for label in run.labels], target)
            for run in each.runs
        ]
        for each in (group, baseline)
    )
    return enhancement_of_found(ours, theirs, n)


def _pairs(
    group: GroupProgress, baseline: GroupProgress, n: int
) -> tuple[tuple[int, ...], int, PairedTest]:
    """Return the seeds that both have, how many of those pairs began alike, and the test."""
    ours, theirs = ({run.seed: run for run in each.runs} for each in (group, baseline))
    for each in (group, baseline):
        if repeated := each.group.repeated_seeds():
            problem = f"{each.name} has several runs of seed {', '.join(map(str, repeated))}"
            return (), 0, no_test((), f"{problem}, so runs cannot be paired by seed")
    seeds = tuple(sorted(ours.keys() & theirs.keys()))
    starts = [(ours[s].run.first_candidates(), theirs[s].run.first_candidates()) for s in seeds]
    same = sum(bool(a) and a == b for a, b in starts)
    if not seeds:
        return (), 0, no_test((), "the two have no seed in common to pair runs by")
    values = [(float(ours[s].curve[n - 1]), float(theirs[s].curve[n - 1])) for s in seeds]
    without = [str(s) for s, pair in zip(seeds, values, strict=True) if not np.isfinite(pair).all()]
    if without:
        problem = f"seed {', '.join(without)} has no feasible label in one of the two runs"
        return seeds, same, no_test((), problem)
    return seeds, same, paired_test([a - b for a, b in values])


def _corrected(contrasts: Sequence[Contrast]) -> list[Contrast]:
    columns = zip(*(astuple(contrast.test.p) for contrast in contrasts), strict=True)
    rows = zip(*map(holm, columns), strict=True)
    return [
        replace(contrast, corrected=PValues(*row))
        for contrast, row in zip(contrasts, rows, strict=True)
    ]
