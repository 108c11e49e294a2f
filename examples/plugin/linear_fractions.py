"""A model of one's own: properties linear in atomic fractions and their products.

The latent point of an alloy is its fractions themselves, so that decoding is exact.
"""

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Literal, Self

import numpy as np
import torch
from pydantic import Field
from pymatgen.core import Composition
from torch import Tensor

from alloop.errors import MaterialError
from alloop.materials import Material, composition_of
from alloop.models import Dataset, FitSummary, GenerativeModel, ModelOptions, Prediction
from alloop.models.checkpoint import Description, read, write
from alloop.space import Space


class LinearFractionsOptions(ModelOptions):
    """Options of a model after ``model: {kind: linear-fractions}``."""

    kind: Literal["linear-fractions"] = "linear-fractions"
    members: int = Field(default=16, ge=2, description="regressions, each on a bootstrap sample")
    ridge: float = Field(default=1e-3, gt=0)

    def spaces(self) -> tuple[str, ...]:
        return ("compositions",)

    def build(self, space: Space, property_names: Sequence[str]) -> GenerativeModel:
        return LinearFractions(self, space.elements, tuple(property_names))

    def load(self, path: Path) -> GenerativeModel:
        return LinearFractions.load(path)


class LinearFractionsDescription(Description):
    """Description in a checkpoint, beside its tensors."""

    kind: str = "linear-fractions"
    version: int = 1
    options: LinearFractionsOptions
    elements: tuple[str, ...]
    property_names: tuple[str, ...]


class LinearFractions:
    """An ensemble of ridge regressions on fractions and products of two fractions."""

    def __init__(
        self, options: LinearFractionsOptions, elements: tuple[str, ...], names: tuple[str, ...]
    ) -> None:
        self.options, self.elements, self.property_names = options, elements, names
        n = len(elements)
        shape = (options.members, n + n * (n - 1) // 2, len(names))
        self.weights = torch.zeros(shape, dtype=torch.float64)

    def fit(self, data: Dataset, *, seed: int, on_progress=None) -> FitSummary:
        began, rng = perf_counter(), np.random.default_rng(seed)
        data.require_properties(self.property_names)
        features = _features(self.encode(data.materials)).numpy()
        known = np.isfinite(data.labels)
        penalty = self.options.ridge * np.eye(features.shape[1])
        for member in range(self.options.members):
            for column in range(len(self.property_names)):
                rows = np.flatnonzero(known[:, column])
                if len(rows):
                    drawn = rng.choice(rows, len(rows))
                    x, y = features[drawn], data.labels[drawn, column]
                    self.weights[member, :, column] = torch.from_numpy(
                        np.linalg.solve(x.T @ x + penalty, x.T @ y)
                    )
            if on_progress is not None:
                on_progress((member + 1) / self.options.members, "")
        n_labelled = int(known.any(axis=1).sum())
        n_rest = len(data) - n_labelled
        return FitSummary(n_labelled, n_rest, 1, perf_counter() - began, {})

    def encode(self, materials: Sequence[Material]) -> Tensor:
        rows = []
        for material in materials:
            fractions = composition_of(material).fractional_composition.get_el_amt_dict()
            if stray := fractions.keys() - set(self.elements):
                raise MaterialError(f"{min(stray)} is no element of the model")
            rows.append([fractions.get(symbol, 0.0) for symbol in self.elements])
        return torch.tensor(rows, dtype=torch.float64).reshape(-1, len(self.elements))

    def decode(self, z: Tensor, *, seed: int) -> list[Material]:
        z = z.clamp(min=0) + 1e-12
        fractions = (z / z.sum(dim=1, keepdim=True)).round(decimals=3).tolist()
        return [Composition(dict(zip(self.elements, row, strict=True))) for row in fractions]

    def predict(self, z: Tensor) -> Prediction:
        each = torch.einsum("nf,mfp->mnp", _features(z.double()), self.weights)
        return Prediction(self.property_names, each.mean(dim=0), each.std(dim=0) + 1e-9)

    def save(self, path: Path) -> None:
        told = LinearFractionsDescription(
            options=self.options, elements=self.elements, property_names=self.property_names
        )
        write(path, told, {"weights": self.weights})

    @classmethod
    def load(cls, path: Path) -> Self:
        told, tensors = read(path, LinearFractionsDescription)
        model = cls(told.options, told.elements, told.property_names)
        model.weights = tensors["weights"]
        return model


def _features(z: Tensor) -> Tensor:
    """Return fractions and products of two of them, shape (n, f)."""
    i, j = torch.triu_indices(z.shape[1], z.shape[1], offset=1)
    return torch.cat([z, z[:, i] * z[:, j]], dim=1)
