"""Inverse design: from wanted properties to crystals worth an oracle's time."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from pymatgen.core import Structure
from torch import Tensor

from alloop.errors import ModelError
from alloop.models.analyses import DesignBatch, Wish
from alloop.models.base import Dataset
from alloop.models.ftcp.inverse_design.sampling import local_perturbations
from alloop.models.ftcp.inverse_design.screening import (
    CrystalScreen,
    ScreenRejection,
    ScreenRules,
    counts,
)
from alloop.models.ftcp.model import FtcpModel

DECODE_BATCH = 256
"""Number of latent points decoded at once."""
MAX_BATCHES = 40
"""Number of batches after which a design with too few crystals is left short."""


class TargetOutsideTraining(UserWarning):
    """No training label lies in the window; designs will be guesses."""


@dataclass(frozen=True)
class Window:
    """Wanted range of one property, ends included, in its unit."""

    property: str
    low: float = -math.inf
    high: float = math.inf

    @classmethod
    def around(cls, property: str, value: float, tolerance: float) -> "Window":
        """Return the window of a target and its tolerance."""
        return cls(property, value - tolerance, value + tolerance)

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Return which values lie in the window; NaN does not."""
        return (values >= self.low) & (values <= self.high)

    def distance(self, values: np.ndarray) -> np.ndarray:
        """Return the distance of values outside of the window; 0 inside."""
        return np.maximum(np.maximum(self.low - values, values - self.high), 0.0)

    def probability(self, mean: Tensor, std: Tensor) -> Tensor:
        """Return the probability that Gaussians lie in the window."""
        normal = torch.distributions.Normal(mean, std)
        return normal.cdf(torch.tensor(self.high)) - normal.cdf(torch.tensor(self.low))


@dataclass(frozen=True)
class DesignOptions:
    """Settings of a design."""

    n: int = 20
    """Number of crystals wanted."""
    scale: float = 0.6
    """Scale of the local perturbation, in units of the prior; 0.3 to 3 in the paper."""
    parents: int = 32
    """Number of training crystals, those nearest to the windows, that points are drawn around."""
    pool: int = 4
    """Number of crystals that pass the screen for every one that is kept."""
    one_per_formula: bool = False
    """Whether only the likeliest crystal of a formula is kept: others may relax to the same."""
    rules: ScreenRules = field(default_factory=ScreenRules)


@dataclass(frozen=True)
class DesignedCrystal:
    """A designed crystal with its parent and its chance of success."""

    structure: Structure
    parent: int
    """Row of the training crystal that it was sampled around."""
    probability: float
    """Probability that all windows hold, by the model's prediction for the re-encoded crystal."""


@dataclass(frozen=True)
class DesignResult:
    """Result of a design: the crystals kept, and the rejections of the screen."""

    kept: tuple[DesignedCrystal, ...]
    """Designed crystals, the most probable first."""
    n_sampled: int
    rejections: tuple[ScreenRejection, ...]


def design(
    model: FtcpModel,
    data: Dataset,
    windows: Sequence[Window],
    options: DesignOptions,
    *,
    seed: int,
) -> DesignResult:
    """Return crystals for which the model expects the windows to hold.

    Training crystals nearest to the windows are encoded, points around them decoded and
    screened; the passing crystals are encoded again, so that what the decoder really made is
    judged, and those likeliest to hit are kept.

    Warns:
        TargetOutsideTraining: if no label lies within a window, with the labels' range.

    Raises:
        ModelError: if a window is of a property that the model or the data do not know.
    """
    columns = [_column(model, data, window) for window in windows]
    parents = _parents(data, windows, columns, options.parents)
    z = model.encode([data.materials[row] for row in parents])
    known = [material for material in data.materials if isinstance(material, Structure)]
    screen = CrystalScreen(options.rules, known)
    found: list[DesignedCrystal] = []
    rejections: list[ScreenRejection] = []
    copies = max(1, DECODE_BATCH // len(parents))
    n_sampled = 0
    for batch in range(MAX_BATCHES):
        points = local_perturbations(z, copies=copies, scale=options.scale, seed=seed + batch)
        passed, rejected = screen.screen_all(model.decode_unrepaired(points))
        n_sampled += len(points)
        rejections += rejected.values()
        if passed:
            structures = [structure for _, structure in passed]
            chances = _success_probabilities(model, structures, windows)
            found += [
                DesignedCrystal(structure, int(parents[row % len(parents)]), chance)
                for (row, structure), chance in zip(passed, chances, strict=True)
            ]
        if len(found) >= options.pool * options.n:
            break
    likeliest = sorted(found, key=lambda one: -one.probability)
    if options.one_per_formula:
        likeliest = _best_per_formula(likeliest)
    return DesignResult(tuple(likeliest[: options.n]), n_sampled, tuple(rejections))


def design_batch(model: FtcpModel, data: Dataset, wish: Wish, *, n: int, seed: int) -> DesignBatch:
    """Return the crystals that ``design`` keeps, and how many its screen refused."""
    window = Window.around(wish.property_name, wish.value, wish.tolerance)
    with warnings.catch_warnings():  # whoever asks says how far the target is
        warnings.simplefilter("ignore", TargetOutsideTraining)
        found = design(model, data, [window], DesignOptions(n=n, one_per_formula=True), seed=seed)
    refused = ", ".join(f"{name} {k}" for name, k in sorted(counts(found.rejections).items()))
    note = f"sampled {found.n_sampled} latent points; refused by the screen: {refused or 'none'}"
    return DesignBatch(tuple(one.structure for one in found.kept), (note,))


def _best_per_formula(designs: Sequence[DesignedCrystal]) -> list[DesignedCrystal]:
    firsts: dict[str, DesignedCrystal] = {}
    for one in designs:
        firsts.setdefault(one.structure.composition.reduced_formula, one)
    return list(firsts.values())


def _column(model: FtcpModel, data: Dataset, window: Window) -> int:
    for names, who in ((model.property_names, "model"), (data.property_names, "data")):
        if window.property not in names:
            raise ModelError(
                f"the {who} has no property {window.property}; it has {', '.join(names)}",
                remedy="Label some crystals with it, and fit again.",
            )
    column = data.property_names.index(window.property)
    labels = data.labels[:, column]
    known = labels[np.isfinite(labels)]
    if len(known) == 0:
        raise ModelError(
            f"no crystal is labelled with {window.property}", remedy="Measure some first."
        )
    if not window.holds(known).any():
        warnings.warn(
            f"no training crystal has {window.property} between {window.low:g} and "
            f"{window.high:g}; the labels range from {known.min():g} to {known.max():g}",
            TargetOutsideTraining,
            stacklevel=3,
        )
    return column


def _parents(
    data: Dataset, windows: Sequence[Window], columns: Sequence[int], n: int
) -> np.ndarray:
    """Rows nearest to all windows, distances in standard deviations of the labels."""
    total = np.zeros(len(data))
    for window, column in zip(windows, columns, strict=True):
        labels = data.labels[:, column]
        spread = float(np.nanstd(labels)) or 1.0
        distance = window.distance(labels) / spread
        if np.isfinite([window.low, window.high]).all():  # prefer the middle among what fits
            distance = distance + 1e-3 * np.abs(labels - (window.low + window.high) / 2) / spread
        total += np.where(np.isfinite(labels), distance, np.inf)
    order = np.argsort(total, kind="stable")[:n]
    nearest = order[np.isfinite(total[order])]
    if len(nearest) == 0:
        raise ModelError("no crystal has labels for all windows", remedy="Measure some first.")
    return nearest


def _success_probabilities(
    model: FtcpModel,
    structures: Sequence[Structure],
    windows: Sequence[Window],
) -> list[float]:
    prediction = model.predict(model.encode(structures))
    chances = torch.ones(len(structures))
    for window in windows:
        column = model.property_names.index(window.property)
        mean, std = prediction.mean[:, column], prediction.std[:, column]
        chances = chances * window.probability(mean, std)
    return [float(chance) for chance in chances]
