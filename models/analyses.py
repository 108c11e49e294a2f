"""What a model can do for people beside learning and proposing: each is a Protocol of its own.

`alloop latent` and `alloop evaluate` need no more than ``GenerativeModel``, nor does `alloop
design`: a model that implements ``AsksForValues``, ``CanDesign``, ``CanInvert``, ``SamplesAround``
or ``InterpolatesLatents`` does that part of it in its own way. `alloop importance` needs
``CanExplain``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from alloop.materials import Material
from alloop.models.base import Dataset

if TYPE_CHECKING:
    from torch import Tensor

    from alloop.models.explanation import DescriptorWeights, Explanation


@dataclass(frozen=True)
class Wish:
    """A value of a property that is asked for."""

    property_name: str
    value: float
    """Target, in the property's unit."""
    tolerance: float
    """Deviation from the target that is still good, in the property's unit; positive."""


@dataclass(frozen=True)
class DesignBatch:
    """Materials that a model designed in its own way."""

    materials: tuple[Material, ...]
    """Designed materials, the most promising first."""
    notes: tuple[str, ...] = ()
    """Remarks for people: what was sampled and refused."""


@runtime_checkable
class CanExplain(Protocol):
    """A model whose predictions are functions of named descriptors."""

    def explain(
        self,
        materials: Sequence[Material],
        *,
        background: Sequence[Material],
        property_name: str,
        seed: int,
    ) -> "Explanation":
        """Return SHAP values of the predictions for materials.

        Args:
            materials: to be explained.
            background: materials of the last fit, over which the base value is a mean.
            property_name: of the model's.
            seed: of everything random.

        Raises:
            MaterialError: if a material cannot be represented.
            ModelError: if nothing was learnt of the property.
        """


@runtime_checkable
class HasDescriptorWeights(Protocol):
    """A model whose descriptors enter nearly linearly, so that each has a weight."""

    def descriptor_weights(
        self, materials: Sequence[Material], *, property_name: str
    ) -> "DescriptorWeights":
        """Return the mean slope of a property against each descriptor over materials.

        Raises:
            ModelError: if nothing was learnt of the property.
        """


@runtime_checkable
class AsksForValues(Protocol):
    """A model whose latent points name the values of properties to decode with."""

    def asking(self, z: "Tensor", property_name: str, value: float) -> "Tensor":
        """Return latent points (n, d) that ask for a value of a property.

        Raises:
            ModelError: if the model has no such property.
        """


@runtime_checkable
class CanDesign(Protocol):
    """A model with an inverse design of its own."""

    def design(self, data: Dataset, wish: Wish, *, n: int, seed: int) -> DesignBatch:
        """Return at most n materials for target values.

        Raises:
            ModelError: if the model or the data do not know the property.
        """


@runtime_checkable
class CanInvert(Protocol):
    """A model with an inversion of its own: the smallest change that gives a property."""

    def smallest_changes(self, material: Material, wish: Wish) -> tuple[Material, ...]:
        """Return the materials on the way from one that misses a wish to one that meets it, the
        smallest change last; none where it knows no way of its own for this property.

        Raises:
            MaterialError: if the material cannot be represented.
            ModelError: if the model has no such property.
        """


@runtime_checkable
class SamplesAround(Protocol):
    """A model that knows what lies around a latent point."""

    def points_around(self, material: Material, *, radius: float, n: int, seed: int) -> "Tensor":
        """Return latent points (n, d) drawn around a material's; the radius is in units of the
        prior's standard deviation."""


@runtime_checkable
class DrawsLatents(Protocol):
    """A model whose prior new latent points are drawn from."""

    def draw(self, n: int, *, seed: int) -> "Tensor":
        """Return latent points from the prior, shape (n, d)."""


@runtime_checkable
class InterpolatesLatents(Protocol):
    """A model whose latent points are joined by something else than straight lines."""

    def points_between(self, z: "Tensor", shares: "Tensor") -> "Tensor":
        """Return latent points (n, d) at shares (n,) of the way between two, z (2, d)."""
