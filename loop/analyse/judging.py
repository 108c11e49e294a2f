"""Judged materials: what the model expects of them, how far they lie from what it learnt, whether
the campaign could measure them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from alloop.loop.analyse.last_model import encodable
from alloop.loop.analyse.trained_run import FloatArray, TrainedRun
from alloop.loop.choose.own.assessment import own_rejection
from alloop.loop.choose.screening import Seen, lattice_of
from alloop.materials import Material, formula_of, material_id

FAR = 0.99
"""Share of the known materials that have another as near as what is called far has none."""


@dataclass(frozen=True)
class JudgedMaterial:
    """A material and what is thought of it."""

    material: Material
    id: str
    formula: str
    lattice: str | None
    means: Mapping[str, float]
    """Predicted mean by property, in its unit."""
    stds: Mapping[str, float]
    """Predicted standard deviation by property, in its unit."""
    distance: float
    """Distance in the latent space from the nearest known material, each coordinate in standard
    deviations of the known ones."""
    is_far: bool
    """Whether that is more than 99 % of the known materials have to their nearest."""
    refusal: str
    """Reason for which the campaign would not measure it; empty where it would."""

    def row(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "candidate": self.id,
            "formula": self.formula,
            "lattice": self.lattice,
            **{
                key: value
                for name in self.means
                for key, value in (
                    (name, _number(self.means[name])),
                    (f"{name}_std", _number(self.stds[name])),
                )
            },
            "latent_distance": self.distance,
            "is_far": self.is_far,
            "refusal": self.refusal,
        }


@dataclass(frozen=True)
class Judge:
    """Judges materials by a run's model."""

    run: TrainedRun

    @cached_property
    def _seen(self) -> Seen:
        seen = Seen()
        seen.follow(self.run.state, self.run.store)
        return seen

    @cached_property
    def _scale(self) -> FloatArray:
        spread = self.run.latents.std(axis=0)
        return np.where(spread > 0, spread, 1.0)

    @cached_property
    def far(self) -> float:
        """Latent distance from which a material is called far; infinite for a single known one."""
        known = self.run.latents / self._scale
        if len(known) < 2:
            return float("inf")
        nearest = np.partition(cdist(known, known), 1, axis=1)[:, 1]
        return float(np.quantile(nearest, FAR))

    def judge(self, materials: Sequence[Material]) -> list[JudgedMaterial]:
        """Return what is thought of materials, in their order; those that the model cannot
        represent are left out."""
        run = self.run
        rows = encodable(run.model, materials) if materials else []
        if not rows:
            return []
        kept = [materials[row] for row in rows]
        prediction = run.predict(kept)
        distances = cdist(run.encode(kept) / self._scale, run.latents / self._scale).min(axis=1)
        names, space = prediction.property_names, run.state.spec.space
        found = []
        for row, material in enumerate(kept):
            rejection = own_rejection(material, space, self._seen)
            found.append(
                JudgedMaterial(
                    material=material,
                    id=material_id(material),
                    formula=formula_of(material),
                    lattice=lattice_of(material, space),
                    means=dict(zip(names, prediction.mean[row].tolist(), strict=True)),
                    stds=dict(zip(names, prediction.std[row].tolist(), strict=True)),
                    distance=float(distances[row]),
                    is_far=bool(distances[row] > self.far),
                    refusal="" if rejection is None else f"{rejection.rule}: {rejection.reason}",
                )
            )
        return found


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
