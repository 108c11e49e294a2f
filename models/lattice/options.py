"""Options of the lattice model; light, so that campaign specs can import them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from alloop.models.options import ModelOptions
from alloop.space import Decorations, Space

if TYPE_CHECKING:
    from alloop.models.base import GenerativeModel


class LatticeOptions(ModelOptions):
    """Options of a generator of decorations of fcc and bcc parent lattices."""

    kind: Literal["lattice"] = "lattice"
    width: int = Field(default=32, ge=4, le=512, description="features per site")
    depth: int = Field(default=2, ge=1, le=8, description="message-passing steps of the encoder")
    latents_per_site: int | None = Field(
        default=None,
        ge=1,
        le=16,
        description="latents per site; by default one less than there are elements",
    )
    ensemble: int = Field(default=4, ge=2, le=16, description="property heads")
    unlabelled: int = Field(default=1024, ge=0, description="random decorations added, per fit")
    epochs: int = Field(default=15, ge=1, description="epochs of the first fit")
    refit_epochs: int = Field(default=3, ge=1, description="epochs of each later fit")
    batch_size: int = Field(default=64, ge=1)
    learning_rate: float = Field(default=5e-3, gt=0)

    def spaces(self) -> tuple[str, ...]:
        """Return the kinds of space that it can learn."""
        return ("decorations",)

    def build(self, space: Space, property_names: Sequence[str]) -> "GenerativeModel":
        """Return the model, untrained."""
        from alloop.models.lattice.model import LatticeModel  # noqa: PLC0415 (torch waits)

        assert isinstance(space, Decorations)
        return LatticeModel(
            self,
            elements=space.elements,
            lattices=space.lattices,
            atoms=space.atoms,
            count_bounds=space.count_bounds(),
            property_names=property_names,
        )

    def load(self, path: Path) -> "GenerativeModel":
        """Return the model of a checkpoint."""
        from alloop.models.lattice.model import LatticeModel  # noqa: PLC0415

        return LatticeModel.load(path)
