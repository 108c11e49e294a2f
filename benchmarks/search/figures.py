"""Figures of a comparison, by the names that claims know them by."""

from collections.abc import Sequence
from statistics import median

from alloop.loop.compare.statistics.contrasts import Contrast
from alloop.loop.compare.statistics.significance import PairedTest


def key_of(name: str) -> str:
    """Return what a strategy is called in the names of figures."""
    return name.replace("-", "_").replace(" ", "_")


def best_figures(name: str, values: Sequence[float], seeds: Sequence[int]) -> dict[str, float]:
    """Return the median over seeds and each seed's value: ``NAME_median_gpa``,
    ``NAME_seed_1_gpa``.
    """
    each = {f"{name}_seed_{s}_gpa": v for s, v in zip(seeds, values, strict=True)}
    return {f"{name}_median_gpa": float(median(values))} | each


def test_figures(name: str, baseline: str, test: PairedTest) -> dict[str, float]:
    """Return the p-values of a paired test against a baseline: ``NAME_p_BASELINE`` of the t-test,
    two-sided; ``NAME_signed_rank_p_BASELINE`` of the exact signed-rank test, one-sided, since five
    seeds cannot give less than 0.0625 two-sided.
    """
    key = key_of(baseline)
    found = {
        f"{name}_gain_{key}": test.mean,
        f"{name}_p_{key}": test.p.t,
        f"{name}_signed_rank_p_{key}": test.p.wilcoxon_greater,
    }
    return {figure: value for figure, value in found.items() if value is not None}


def contrast_figures(name: str, contrast: Contrast) -> dict[str, float]:
    """Return the p-values of a contrast, and that of the t-test after Holm's correction:
    ``NAME_p_holm_BASELINE``.
    """
    found = test_figures(name, contrast.baseline, contrast.test)
    if contrast.corrected.t is not None:
        found[f"{name}_p_holm_{key_of(contrast.baseline)}"] = contrast.corrected.t
    return found
