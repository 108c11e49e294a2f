"""Rows of a comparison's tables, for the terminal and the page alike."""

from collections.abc import Sequence
from math import isfinite
from statistics import median

from alloop.loop.compare.comparison import Comparison
from alloop.loop.compare.statistics.contrasts import Contrast
from alloop.loop.compare.statistics.curves import NEVER, Curve, band_of, middle_of
from alloop.loop.compare.statistics.factors import Acceleration
from alloop.loop.report.words import significant

DIGITS = 5
"""Significant digits of values."""


def group_rows(comparison: Comparison) -> list[dict[str, str]]:
    """Return one row per group: runs, labels, and the best after each number of labels."""
    rows = []
    for group in comparison.groups:
        lengths = [len(curve) for curve in group.curves]
        row = {
            "group": group.name,
            "runs": str(len(group.runs)),
            "labels": _range(lengths),
            "feasible": f"{median(sum(x.is_feasible for x in r.labels) for r in group.runs):g}",
        }
        for n in comparison.at:
            row[f"at {n} labels"] = _spread(comparison, [c[:n] for c in group.curves])
        row["regret"] = _regret(comparison, group.at(comparison.at[-1]))
        if comparison.progress.reference is not None:
            row["front"] = _range([len(run.front) for run in group.runs])
        rows.append(row)
    return rows


def contrast_rows(comparison: Comparison) -> list[dict[str, str]]:
    """Return one row per contrast: gain over the baseline, and the paired tests."""
    best = "EF of the best" if comparison.progress.reference is None else "hypervolume ratio"
    return [
        {
            "group": contrast.name,
            "baseline": contrast.baseline,
            "labels": str(contrast.n),
            "gain": _text(contrast.gain, 3, signed=True),
            best: _text(contrast.enhancement_best),
            "pairs": str(len(contrast.test.differences)),
            "t-test p": _p(contrast.test.p.t, contrast.corrected.t),
            "signed-rank p": _p(contrast.test.p.wilcoxon, contrast.corrected.wilcoxon),
        }
        for contrast in comparison.contrasts
    ]


def target_rows(comparison: Comparison) -> list[dict[str, str]]:
    """Return one row per contrast and target: labels to reach it, and the factors."""
    return [
        _target_row(comparison, contrast, found, enhancement)
        for contrast in comparison.contrasts
        for found, enhancement in zip(
            contrast.accelerations, contrast.enhancement_found, strict=True
        )
    ]


def run_rows(comparison: Comparison) -> list[dict[str, str]]:
    """Return one row per run."""
    return [
        {
            "group": group.name,
            "run": str(run.run.path),
            "seed": str(run.seed),
            "labels": str(len(run.labels)),
            "failed": str(run.run.n_failed),
            "feasible": str(sum(label.is_feasible for label in run.labels)),
            comparison.progress.label: _text(
                comparison.progress.shown(best) if isfinite(best := float(run.curve[-1])) else None
            ),
            "state": "open" if run.run.is_open else f"closed: {run.run.state.closed}",
        }
        for group in comparison.groups
        for run in group.runs
    ]


def _target_row(
    comparison: Comparison, contrast: Contrast, found: Acceleration, enhancement: float | None
) -> dict[str, str]:
    ours, theirs = (len(comparison.named(name).runs) for name in (contrast.name, contrast.baseline))
    bound = "≥ " if found.is_bound else ""
    row = {
        "group": contrast.name,
        "baseline": contrast.baseline,
        "target": _text(comparison.progress.shown(found.target)),
        "labels to it": _reached(found.labels, found.reached, ours),
        "baseline's": _reached(found.baseline_labels, found.baseline_reached, theirs),
        "AF": "" if found.factor is None else f"{bound}{significant(found.factor, 3)}",
    }
    if comparison.progress.reference is None:
        row["within"] = f"{contrast.n} labels"
        row["EF of those found"] = _text(enhancement, 3)
    return row


def _spread(comparison: Comparison, curves: Sequence[Curve]) -> str:
    progress = comparison.progress
    band = band_of(curves, comparison.band)
    middle, *ends = (progress.shown(float(each[-1])) for each in (band.middle, band.low, band.high))
    if not isfinite(middle):
        return "none yet"
    text = significant(middle, DIGITS)
    if len(curves) == 1 or not all(map(isfinite, ends)):
        return text
    return f"{text} ({significant(min(ends), DIGITS)} to {significant(max(ends), DIGITS)})"


def _regret(comparison: Comparison, values: Sequence[float]) -> str:
    middle = middle_of(values, comparison.band)
    return "" if middle is None else significant(comparison.progress.optimum - middle, 3)


def _range(numbers: Sequence[int]) -> str:
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low} to {high}"


def _reached(labels: float, reached: int, runs: int) -> str:
    """Return a median number of labels, and how many runs got there."""
    count = "never" if labels == NEVER else f"{labels:g}"
    return f"{count} ({reached} of {runs} runs)"


def _text(value: float | None, digits: int = DIGITS, *, signed: bool = False) -> str:
    if value is None:
        return ""
    return f"{'+' if signed and value > 0 else ''}{significant(value, digits)}"


def _p(p: float | None, corrected: float | None) -> str:
    """Return a p-value, with the corrected one where that differs."""
    if p is None:
        return "no test"
    if corrected is None or corrected == p:
        return significant(p, 2)
    return f"{significant(p, 2)} (Holm {significant(corrected, 2)})"
