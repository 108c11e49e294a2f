"""The interface of every generative model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self, runtime_checkable

from alloop.errors import ModelError
from alloop.materials import Material

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor


def column_of(property_names: Sequence[str], name: str) -> int:
    """Return a property's place among a model's.

    Raises:
        ModelError: if the model has no such property.
    """
    if name not in property_names:
        raise ModelError(
            f"the model knows no {name}", remedy=f"It knows {', '.join(property_names)}."
        )
    return list(property_names).index(name)


@dataclass(frozen=True)
class Dataset:
    """Materials with their known property values: what a model is trained on."""

    materials: tuple[Material, ...]
    property_names: tuple[str, ...]
    labels: "np.ndarray"
    """Values in the properties' units, shape (n, p); NaN where a value is not known."""
    is_augmented: "np.ndarray"
    """True for rows that local search made, shape (n,)."""
    relaxed: tuple[Material | None, ...] = ()
    """Each material at rest, as an oracle relaxed it, which is what the labels are of; None where
    none did. Empty where no material has been relaxed, or the model does not ask for it."""

    def __post_init__(self) -> None:
        n, p = len(self.materials), len(self.property_names)
        if self.labels.shape != (n, p):
            raise ValueError(f"labels have shape {self.labels.shape}, not {(n, p)}")
        if self.is_augmented.shape != (n,):
            raise ValueError(f"is_augmented has shape {self.is_augmented.shape}, not {(n,)}")
        if self.relaxed and len(self.relaxed) != n:
            raise ValueError(f"{len(self.relaxed)} relaxed materials for {n} materials")

    def __len__(self) -> int:
        return len(self.materials)

    def take(self, rows: "Sequence[int] | np.ndarray") -> "Dataset":
        """Return some rows, in the order that they are named in."""
        chosen = list(rows)
        return replace(
            self,
            materials=tuple(self.materials[row] for row in chosen),
            labels=self.labels[chosen],
            is_augmented=self.is_augmented[chosen],
            relaxed=tuple(self.relaxed[row] for row in chosen) if self.relaxed else (),
        )

    def require_properties(self, names: tuple[str, ...]) -> None:
        """Check that the columns are those that a model was made for.

        Raises:
            ModelError: if they are others, or in another order.
        """
        if self.property_names != names:
            raise ModelError(
                f"the data holds {', '.join(self.property_names)}; "
                f"the model was made for {', '.join(names)}"
            )


@dataclass(frozen=True)
class SkippedRow:
    """A row of a table that no model can learn from."""

    row: int
    """0 for the first row of data."""
    name: str
    """``material_id`` where the table has it; else empty."""
    reason: str


@dataclass(frozen=True)
class FitSummary:
    """Summary of a training: recorded in the ledger, shown in reports."""

    n_labelled: int
    n_unlabelled: int
    epochs: int
    seconds: float
    metrics: dict[str, float]
    """Final losses and errors by name, on training rows unless the name says otherwise."""


@dataclass(frozen=True)
class Prediction:
    """Predicted properties at latent points, with their uncertainty."""

    property_names: tuple[str, ...]
    mean: "Tensor"
    """Predicted means, shape (n, p), in the properties' units."""
    std: "Tensor"
    """Predicted standard deviations, shape (n, p), in the properties' units."""


OnProgress = Callable[[float, str], None]
"""Progress callback: takes the share done, in [0, 1], and a short message."""


@runtime_checkable
class GenerativeModel(Protocol):
    """A model with a latent space that materials go into and come out of.

    A new instance is untrained. ``fit`` on a model that was loaded or fitted before continues
    from its weights. Everything random follows the given seed, so on one machine the same
    calls give the same bits.
    """

    def fit(self, data: Dataset, *, seed: int, on_progress: OnProgress | None = None) -> FitSummary:
        """Train on labelled and unlabelled rows (labels NaN)."""

    def encode(self, materials: Sequence[Material]) -> "Tensor":
        """Return posterior means, shape (n, d).

        Raises:
            MaterialError: if a material cannot be represented.
        """

    def decode(self, z: "Tensor", *, seed: int) -> list[Material]:
        """Return one material per row of z, shape (n, d)."""

    def predict(self, z: "Tensor") -> Prediction:
        """Return mean and standard deviation of every property at z, shape (n, d)."""

    def save(self, path: Path) -> None:
        """Write one file: tensors and JSON (safetensors), the same bytes for the same model."""

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file that ``save`` wrote; executes nothing in it.

        Raises:
            ModelError: if the file is of another model or version.
        """


@runtime_checkable
class LearnsWithoutLabels(Protocol):
    """A model that materials without a label teach something which it does not draw itself."""

    def most_unlabelled(self, n_labelled: int) -> int:
        """Return how many unlabelled materials beside so many labelled ones are worth the time that
        they take to train on."""


@runtime_checkable
class LearnsRelaxed(Protocol):
    """A model that learns where atoms come to rest, not only what they were proposed as."""

    def learns_relaxed(self) -> bool:
        """Return whether ``fit`` makes use of ``Dataset.relaxed``."""


class KeptFit(Protocol):
    """Place of a fit in progress, from which another process goes on with it."""

    def read(self) -> bytes | None:
        """Return what was kept last; None where there is nothing that can be believed."""

    def write(self, content: bytes) -> None:
        """Keep this in place of what was kept before, durably and all or nothing."""

    def remove(self) -> None:
        """Forget what was kept: the fit is over, or was another."""


@runtime_checkable
class ResumesFit(Protocol):
    """A model whose fit, killed half-way, goes on where it was kept last."""

    def fit_kept(
        self, data: Dataset, *, seed: int, kept: KeptFit, on_progress: OnProgress | None = None
    ) -> FitSummary:
        """Train as ``fit`` does, to the same bits, going on from what is kept of the same fit.

        What is kept of other data, options or another seed is not used, and ``on_progress`` says
        so.
        """


class Assessed(Protocol):
    """Result of ``CanAssess.assess``."""

    @property
    def prediction(self) -> Prediction:
        """Predicted mean and standard deviation of every property."""


@runtime_checkable
class CanAssess(Protocol):
    """A model that predicts from a material itself, not only from its latent point."""

    def assess(self, materials: Sequence[Material]) -> Assessed:
        """Return the prediction for each material.

        Raises:
            MaterialError: if a material cannot be represented.
        """


@runtime_checkable
class HasGradient(Protocol):
    """A model whose predicted means can be climbed in its latent space."""

    def predicted_means(self, z: "Tensor") -> "Tensor":
        """Return the means of ``predict``, differentiable: shape (n, d) to (n, p)."""


@runtime_checkable
class HasEmbedding(Protocol):
    """A model whose surrogate should see something smoother than z itself.

    The surrogate's inputs are ``embed(z)``: for example a symmetry-invariant summary of a
    latent that holds one block per site.
    """

    def embed(self, z: "Tensor") -> "Tensor":
        """Return differentiable features of latent points: shape (..., d) to (..., m)."""
