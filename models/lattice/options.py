"""Options of the lattice model; light, so that campaign specs can import them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from alloop.models.starting import SameSizeOptions
from alloop.paths import OwnFile
from alloop.space import Decorations, Space

if TYPE_CHECKING:
    from alloop.models.base import Dataset, GenerativeModel, SkippedRow
    from alloop.models.lattice.model import LatticeModel


class LatticeOptions(SameSizeOptions):
    """Options of a generator of decorations of parent lattices."""

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
    start_from: OwnFile | None = Field(
        default=None,
        description="checkpoint of a model of these sizes, elements and lattices that was "
        "trained on other data; `alloop pretrain` makes one",
    )

    def spaces(self) -> tuple[str, ...]:
        """Return the kinds of space that it can learn."""
        return ("decorations",)

    def build(self, space: Space, property_names: Sequence[str]) -> "LatticeModel":
        """Return the model, untrained."""
        from alloop.models.lattice.decorations import DecorationSpace  # noqa: PLC0415
        from alloop.models.lattice.model import LatticeModel  # noqa: PLC0415 (torch waits)

        assert isinstance(space, Decorations)
        return LatticeModel(self, DecorationSpace.of_space(space), property_names)

    def load(self, path: Path) -> "GenerativeModel":
        """Return the model of a checkpoint."""
        from alloop.models.lattice.model import LatticeModel  # noqa: PLC0415

        return LatticeModel.load(path)

    def read_table(
        self, path: Path, columns: Mapping[str, str], space: Space
    ) -> "tuple[Dataset, tuple[SkippedRow, ...]]":
        """Return a table's decorations and labels, and the rows that were skipped."""
        from alloop.models.crystal_table import read_crystal_table  # noqa: PLC0415
        from alloop.models.lattice.decorations import DecorationSpace  # noqa: PLC0415

        assert isinstance(space, Decorations)
        read = read_crystal_table(path, columns, refusal=DecorationSpace.of_space(space).refusal)
        return read.data, read.skipped
