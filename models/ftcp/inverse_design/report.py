"""Metrics of a design, once its crystals were relaxed and measured."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Structure

from alloop.crystal_matching import CrystalMatcher
from alloop.models.base import Dataset
from alloop.models.ftcp.inverse_design.design import DesignedCrystal, DesignResult, Window
from alloop.models.ftcp.inverse_design.dissimilarity import DIFFERENT, dissimilarities
from alloop.models.ftcp.inverse_design.screening import counts
from alloop.models.metrics.rates import CONFIDENCE, Rate

POSTERIOR_DRAWS = 100_000
"""Number of draws from the posterior of two rates, for the interval of their ratio."""


@dataclass(frozen=True)
class DesignOutcome:
    """An oracle's measurement of one designed crystal."""

    relaxed: Structure | None
    """Relaxed structure; None where the relaxation or the measurement failed."""
    properties: Mapping[str, float]
    failure: str = ""


Evaluate = Callable[[Structure], DesignOutcome]
"""Function that relaxes a crystal and measures it, such as one that calls an oracle."""


@dataclass(frozen=True)
class DesignReport:
    """The paper's metrics of one design ("Workflow")."""

    windows: tuple[Window, ...]
    designs: tuple[DesignedCrystal, ...]
    outcomes: tuple[DesignOutcome, ...]
    is_valid: tuple[bool, ...]
    """Whether each design was relaxed and measured, and repeats no earlier design after
    relaxation."""
    is_hit: tuple[bool, ...]
    """Whether each design is valid and all its windows hold."""
    validity: Rate
    """Share of the designed crystals that are valid."""
    success: Rate
    """Share of all designed crystals, not only of the valid ones, that hit, as in the paper."""
    random: Rate
    """Share of the labelled training crystals that hit."""
    improvement: float
    """Gain over random choice: success rate / random rate − 1; NaN if no training crystal hits."""
    improvement_interval: tuple[float, float]
    composition_uniqueness: float
    """Share of valid designs whose formula is not in the training set."""
    dissimilarity: tuple[float, ...]
    """Distance of every valid design to its nearest training crystal."""
    n_sampled: int
    rejections: Mapping[str, int]
    """Number of sampled crystals that each rule of the screen refused."""

    @property
    def median_dissimilarity(self) -> float:
        """Median dissimilarity of the valid designs; NaN if there are none."""
        known = [value for value in self.dissimilarity if math.isfinite(value)]
        return float(np.median(known)) if known else math.nan

    @property
    def n_dissimilar(self) -> int:
        """Number of valid designs that count as another structure than all training crystals."""
        return sum(value >= DIFFERENT for value in self.dissimilarity)

    def __str__(self) -> str:
        """Return the metrics for people, a line each."""
        low, high = self.improvement_interval
        hits = ", ".join(f"{w.low:g} ≤ {w.property} ≤ {w.high:g}" for w in self.windows)
        refused = ", ".join(f"{name} {n}" for name, n in sorted(self.rejections.items()))
        return "\n".join(
            [
                f"designed {len(self.designs)} crystals for {hits}",
                f"sampled {self.n_sampled} latent points; refused: {refused or 'none'}",
                f"valid {_percent(self.validity)}",
                f"hit {_percent(self.success)}; random {_percent(self.random)}",
                f"improvement over random {self.improvement:+.0%} ({low:+.0%} to {high:+.0%})",
                f"new compositions {self.composition_uniqueness:.0%}",
                f"dissimilarity {self.median_dissimilarity:.2f} (median); "
                f"{self.n_dissimilar} above {DIFFERENT}",
            ]
        )


def evaluate_designs(designs: DesignResult, evaluate: Evaluate) -> tuple[DesignOutcome, ...]:
    """Relax and measure every design, in order."""
    return tuple(evaluate(one.structure) for one in designs.kept)


def report_on(
    designs: DesignResult,
    outcomes: Sequence[DesignOutcome],
    windows: Sequence[Window],
    data: Dataset,
    known_fingerprints: np.ndarray,
) -> DesignReport:
    """Return the metrics of a design.

    Args:
        designs: as ``design`` gave them.
        outcomes: one per design, in order.
        windows: that were designed for.
        data: the training set.
        known_fingerprints: of its crystals (``dissimilarity.fingerprints``).
    """
    is_valid = _valid(outcomes)
    is_hit = [
        valid and all(bool(w.holds(np.array(_value(outcome, w)))) for w in windows)
        for valid, outcome in zip(is_valid, outcomes, strict=True)
    ]
    columns = [data.property_names.index(window.property) for window in windows]
    labels = data.labels[:, columns]
    labelled = np.isfinite(labels).all(axis=1)
    hits = np.all([w.holds(labels[:, i]) for i, w in enumerate(windows)], axis=0) & labelled
    success = Rate.of(sum(is_hit), len(outcomes))
    random = Rate.of(int(hits.sum()), int(labelled.sum()))
    valid = [one for one, ok in zip(outcomes, is_valid, strict=True) if ok]
    relaxed = [one.relaxed for one in valid if one.relaxed is not None]
    formulas = {
        material.composition.reduced_formula
        for material in data.materials
        if isinstance(material, Structure)
    }
    new = [one.composition.reduced_formula not in formulas for one in relaxed]
    return DesignReport(
        windows=tuple(windows),
        designs=designs.kept,
        outcomes=tuple(outcomes),
        is_valid=tuple(is_valid),
        is_hit=tuple(is_hit),
        validity=Rate.of(sum(is_valid), len(outcomes)),
        success=success,
        random=random,
        improvement=success.value / random.value - 1 if random.hits else math.nan,
        improvement_interval=_ratio_interval(success, random),
        composition_uniqueness=float(np.mean(new)) if new else math.nan,
        dissimilarity=tuple(dissimilarities(relaxed, known_fingerprints).tolist()),
        n_sampled=designs.n_sampled,
        rejections=counts(designs.rejections),
    )


def _valid(outcomes: Sequence[DesignOutcome]) -> list[bool]:
    """Return whether each design was relaxed and measured, and repeats no earlier one once
    relaxed."""
    matcher = CrystalMatcher()
    seen: list[Structure] = []
    is_valid = []
    for outcome in outcomes:
        relaxed = outcome.relaxed
        ok = relaxed is not None and not any(matcher.matches(relaxed, other) for other in seen)
        if ok and relaxed is not None:
            seen.append(relaxed)
        is_valid.append(ok)
    return is_valid


def _value(outcome: DesignOutcome, window: Window) -> float:
    return outcome.properties.get(window.property, math.nan)


def _ratio_interval(success: Rate, random: Rate) -> tuple[float, float]:
    """Return the interval of success / random − 1: quantiles of both rates' posteriors (Jeffreys'
    prior)."""
    rng = np.random.default_rng(0)
    draws = [
        rng.beta(rate.hits + 0.5, rate.trials - rate.hits + 0.5, POSTERIOR_DRAWS)
        for rate in (success, random)
    ]
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(draws[0] / draws[1] - 1, [tail, 1 - tail])
    return float(low), float(high)


def _percent(rate: Rate) -> str:
    return f"{rate.hits}/{rate.trials} = {rate.value:.1%} ({rate.low:.1%} to {rate.high:.1%})"
