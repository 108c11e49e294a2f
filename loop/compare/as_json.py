"""A comparison as plain JSON values: everything, curves too."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from alloop.loop.compare.comparison import Comparison
from alloop.loop.compare.statistics.contrasts import Contrast
from alloop.loop.compare.statistics.curves import middle_of
from alloop.loop.compare.statistics.factor_curves import FactorCurves, factor_curves
from alloop.loop.compare.statistics.factors import Acceleration
from alloop.loop.compare.statistics.group_progress import GroupProgress, RunProgress
from alloop.loop.compare.statistics.progress import shown_value


def comparison_to_json(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as plain JSON values.

    Values are as people know them: GPa to be maximised as GPa, a window as the distance from it.
    Null stands for what is not known or not finite, such as the best before the first feasible
    label, or the labels to reach a target that is never reached. Curves have one value for each
    label, from the first.
    """
    progress = comparison.progress
    return {
        "objectives": [o.model_dump(mode="json") for o in comparison.objectives],
        "progress": {
            "name": progress.name,
            "unit": progress.unit,
            "optimum": _number(progress.shown(progress.optimum)),
            "optimum_is_given": progress.is_optimum_given,
            "reference": progress.reference_shown() or None,
        },
        "band": comparison.band.value,
        "labels": list(comparison.at),
        "groups": [_group(group, comparison) for group in comparison.groups],
        "contrasts": [_contrast(each, comparison) for each in comparison.contrasts],
        "factor_curves": [_factors(each, comparison) for each in factor_curves_of(comparison)],
        "differing": list(comparison.differing),
        "notes": list(comparison.notes),
    }


def factor_curves_of(comparison: Comparison) -> tuple[FactorCurves, ...]:
    """Return the factors of every group over every baseline."""
    pairs = dict.fromkeys((each.name, each.baseline) for each in comparison.contrasts)
    return tuple(
        factor_curves(comparison.named(name), comparison.named(baseline), comparison.band)
        for name, baseline in pairs
    )


def _group(group: GroupProgress, comparison: Comparison) -> dict[str, Any]:
    progress, band = comparison.progress, group.band
    low, high = (band.low, band.high) if progress.sign > 0 else (band.high, band.low)
    curves = {"middle": band.middle, "low": low, "high": high}
    return {
        "name": group.name,
        "curve": {name: _numbers(progress.sign * curve) for name, curve in curves.items()},
        "regret": _numbers(progress.optimum - band.middle),
        "at": [
            {
                "labels": n,
                "middle": _shown(middle_of(group.at(n), comparison.band), comparison),
                "values": _numbers(progress.sign * np.array(group.at(n))),
            }
            for n in comparison.at
        ],
        "runs": [_run(run, comparison) for run in group.runs],
    }


def _run(run: RunProgress, comparison: Comparison) -> dict[str, Any]:
    progress = comparison.progress
    return {
        "run": str(run.run.path),
        "seed": run.seed,
        "labels": len(run.labels),
        "feasible": sum(label.is_feasible for label in run.labels),
        "failed": run.run.n_failed,
        "open": run.run.is_open,
        "curve": _numbers(progress.sign * run.curve),
        "front": [
            {
                "candidate": label.candidate,
                "formula": label.formula,
                "values": {
                    o.property: shown_value(o, u)
                    for o, u in zip(comparison.objectives, label.utilities or (), strict=True)
                },
            }
            for label in run.front
        ],
    }


def _contrast(contrast: Contrast, comparison: Comparison) -> dict[str, Any]:
    test = contrast.test
    return {
        "name": contrast.name,
        "baseline": contrast.baseline,
        "labels": contrast.n,
        "gain": _number(contrast.gain),
        "enhancement_best": _number(contrast.enhancement_best),
        "targets": [
            _acceleration(each, comparison) | {"enhancement_found": _number(found)}
            for each, found in zip(contrast.accelerations, contrast.enhancement_found, strict=True)
        ],
        "seeds": list(contrast.seeds),
        "same_initial": contrast.same_start,
        "differences": _numbers(test.differences),
        "mean_difference": _number(test.mean),
        "interval_95": None if test.interval is None else _numbers(test.interval),
        "p": vars(test.p),
        "p_holm": vars(contrast.corrected),
        "problem": test.problem or None,
    }


def _acceleration(found: Acceleration, comparison: Comparison) -> dict[str, Any]:
    return {
        "target": _shown(found.target, comparison),
        "labels": _number(found.labels),
        "baseline_labels": _number(found.baseline_labels),
        "reached": found.reached,
        "baseline_reached": found.baseline_reached,
        "acceleration": _number(found.factor),
        "is_lower_bound": found.is_bound,
    }


def _factors(curves: FactorCurves, comparison: Comparison) -> dict[str, Any]:
    return {
        "name": curves.name,
        "baseline": curves.baseline,
        "acceleration": [_acceleration(each, comparison) for each in curves.accelerations],
        "enhancement_best": _numbers(curves.enhancements),
    }


def _shown(utility: float | None, comparison: Comparison) -> float | None:
    return None if utility is None else _number(comparison.progress.shown(utility))


def _numbers(values: Iterable[float | None]) -> list[float | None]:
    return [_number(value) for value in values]


def _number(value: float | None) -> float | None:
    """Return a finite number; None for anything else."""
    return float(value) if value is not None and math.isfinite(value) else None
