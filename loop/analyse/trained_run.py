"""The trained model of a run with what it learnt from: what every analysis begins with."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch

from alloop.errors import RunError
from alloop.loop.analyse.last_model import MOST, deterministic, encodable, evenly, load_model
from alloop.loop.choose.known_values import KnownValues, known_values
from alloop.loop.choose.moves.compositions import rounded
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.state.campaign_state import CampaignState
from alloop.materials import Material
from alloop.models.base import CanAssess, Dataset, GenerativeModel, Prediction

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TrainedRun:
    """The last model of a run, and the materials with known values."""

    state: CampaignState
    store: ArtifactStore
    model: GenerativeModel
    round: int
    """Round in which the model was trained."""
    known: tuple[KnownValues, ...]
    """Candidates with known values that the model can represent, on the first tier's scale."""
    materials: tuple[Material, ...]
    """Their materials, in the same order."""

    @classmethod
    def of(cls, state: CampaignState, store: ArtifactStore) -> "TrainedRun":
        """Return the last model of a run with what is known.

        Raises:
            RunError: if the run has trained no model, or nothing is known that it could encode.
            LedgerError: if its checkpoint is missing or was changed.
            ModelError: if the checkpoint cannot be read.
        """
        return cls.with_model(state, store, *load_model(state, store))

    @classmethod
    def with_model(
        cls, state: CampaignState, store: ArtifactStore, model: GenerativeModel, round: int
    ) -> "TrainedRun":
        """Return a run's last model, which was loaded before, with what is known.

        Raises:
            RunError: if nothing is known that the model could encode.
        """
        known, materials = _representable(state, store, model)
        if not materials:
            raise RunError(
                "nothing that the model can encode has a known value",
                remedy="Measure some candidates first: `alloop resume` goes on.",
            )
        return cls(state, store, model, round, known, materials)

    @cached_property
    def latents(self) -> FloatArray:
        """Latent points of the known materials, shape (n, d)."""
        return self.encode(self.materials)

    @cached_property
    def dataset(self) -> Dataset:
        """The known materials and their values, as a model is trained on them."""
        names = self.state.spec.property_names()
        labels = [[each.properties.get(name, np.nan) for name in names] for each in self.known]
        n = len(self.known)
        return Dataset(self.materials, names, np.array(labels), np.zeros(n, dtype=bool))

    def labels(self, name: str) -> FloatArray:
        """Return the known values of a property, shape (n,); NaN where not known."""
        return self.dataset.labels[:, self.dataset.property_names.index(name)]

    def encode(self, materials: Sequence[Material]) -> FloatArray:
        """Return latent points, shape (n, d)."""
        with deterministic(0):
            return np.asarray(self.model.encode(materials), dtype=float)

    def decode(self, z: torch.Tensor, seed: int) -> list[Material]:
        """Return what latent points decode to, in the steps of the space, as the loop would."""
        with deterministic(seed):
            return rounded(self.model.decode(z, seed=seed), self.state.spec.space)

    def predict(self, materials: Sequence[Material]) -> Prediction:
        """Return what the model expects of materials."""
        with deterministic(0):
            if isinstance(self.model, CanAssess):
                return self.model.assess(materials).prediction
            return self.model.predict(self.model.encode(materials))


def _representable(
    state: CampaignState, store: ArtifactStore, model: GenerativeModel
) -> tuple[tuple[KnownValues, ...], tuple[Material, ...]]:
    known = evenly(known_values(state), MOST)
    materials = [store.get_material(each.candidate) for each in known]
    rows = encodable(model, materials) if materials else []
    return tuple(known[row] for row in rows), tuple(materials[row] for row in rows)
