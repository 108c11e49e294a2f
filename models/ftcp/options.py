"""Options of FTCP; light, so that campaign specs can import them."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from alloop.errors import SpecError
from alloop.models.options import ModelOptions
from alloop.paths import OwnFile
from alloop.space import CrystalSpace, Space, Structures

if TYPE_CHECKING:
    from alloop.models.base import Dataset, GenerativeModel, SkippedRow


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class PublishedNetwork(_Part):
    """The paper's convolutions over the whole matrix, trained as published.

    Sizes, rates and weights are those of the published code (the paper's section S2.4).
    """

    kind: Literal["published"] = "published"
    channels: tuple[int, int, int] = (32, 64, 128)
    dense: int = Field(default=1024, ge=8)
    epochs: int = Field(default=200, ge=1, description="epochs of the first fit")
    refit_epochs: int = Field(default=20, ge=1, description="epochs of each later fit")
    batch_size: int = Field(default=256, ge=1)
    kl_weight: float = Field(
        default=2.0,
        ge=0,
        description="weight of the KL divergence, its mean over latents and batch",
    )
    property_weight: float = Field(
        default=10.0, ge=0, description="weight of squared errors of labels scaled to 0–1"
    )
    occupancy_threshold: float = Field(
        default=0.05, gt=0, lt=1, description="a site is empty where all entries are below"
    )


class DirectNetwork(_Part):
    """Linear paths between crystal and latent point, and probabilities for elements and sites.

    Its encoder sees the whole matrix; its decoder gives the real-space part only, which the
    reciprocal part follows from.
    """

    kind: Literal["direct"] = "direct"
    width: int = Field(default=512, ge=8, le=4096)
    depth: int = Field(default=2, ge=1, le=8, description="residual blocks on either side")
    embedding: int = Field(default=64, ge=4, le=512, description="numbers per element")
    steps: int = Field(default=1500, ge=1, description="training steps of the first fit")
    refit_steps: int = Field(default=300, ge=1, description="training steps of each later fit")
    batch_size: int = Field(default=64, ge=1)
    learning_rate: float = Field(
        default=2e-3, gt=0, description="highest learning rate of the schedule"
    )
    kl_weight: float = Field(default=0.1, ge=0, description="weight of the KL divergence, per nat")
    property_weight: float = Field(
        default=10.0, ge=0, description="weight of squared errors over the labels' variance"
    )
    resolution: float = Field(
        default=0.05,
        gt=0,
        description="resolution of coordinates in the loss, as a share of the cell",
    )


NetworkOptions = Annotated[PublishedNetwork | DirectNetwork, Field(discriminator="kind")]


class FtcpOptions(ModelOptions):
    """Options of inverse design of crystals through the FTCP representation."""

    kind: Literal["ftcp"] = "ftcp"
    network: NetworkOptions = Field(
        default=DirectNetwork(),
        description="direct learns from few rows; the published one rebuilds none of 512 crystals "
        "after training on as many, and wants tens of thousands",
    )
    latents: int = Field(default=256, ge=2, le=1024)
    heads: int = Field(default=5, ge=2, le=32, description="target branches, for uncertainty")
    property_weights: dict[str, float] = Field(
        default_factory=dict, description="factors on single properties' losses (γ in Eq. 3)"
    )
    augmentation: Literal["none", "symmetry"] = Field(
        default="none", description="symmetry: shifted origins, reordered sites and axes"
    )
    max_elements: int = Field(
        default=8, ge=1, le=20, description="largest number of elements in one crystal"
    )
    max_sites: int = Field(
        default=40, ge=1, le=200, description="largest number of sites in one cell"
    )
    start_from: OwnFile | None = Field(
        default=None,
        description="checkpoint of a model of these sizes that was trained on other data; "
        "`alloop pretrain` makes one",
    )

    def spaces(self) -> tuple[str, ...]:
        """Return the kinds of space that it can learn."""
        return ("structures",)

    def build(self, space: Space, property_names: Sequence[str]) -> "GenerativeModel":
        """Return the model, untrained, with room for whatever the space allows."""
        from alloop.models.ftcp.model import FtcpModel  # noqa: PLC0415 (torch waits)
        from alloop.models.ftcp.representation.crystals import Size  # noqa: PLC0415

        assert isinstance(space, CrystalSpace)
        most = min(len(space.elements), space.most_atoms(), self.max_elements)
        if isinstance(space, Structures) and space.max_elements is not None:
            most = min(most, space.max_elements)
        size = Size(most, space.most_atoms())
        return FtcpModel(self, tuple(property_names), elements=space.elements, size=size)

    def load(self, path: Path) -> "GenerativeModel":
        """Return the model of a checkpoint."""
        from alloop.models.ftcp.model import FtcpModel  # noqa: PLC0415

        return FtcpModel.load(path)

    def check(self, space: Space, property_names: Sequence[str]) -> None:
        """Check that the space's crystals fit, and that weights are of known properties."""
        if isinstance(space, CrystalSpace) and space.most_atoms() > self.max_sites:
            raise ValueError(
                f"space.max_atoms ({space.most_atoms()}) is more than model.max_sites "
                f"({self.max_sites}); lower the one or raise the other"
            )
        if isinstance(space, Structures) and space.most_elements() > self.max_elements:
            raise ValueError(
                f"crystals of up to {space.most_elements()} elements are proposed, and the model "
                f"holds {self.max_elements} (model.max_elements); set space.max_elements to that, "
                "or raise it"
            )
        if stray := sorted(self.property_weights.keys() - set(property_names)):
            raise ValueError(
                f"model.property_weights names {stray[0]}, which no objective or constraint "
                "speaks of; remove it"
            )

    def start(self, path: Path, space: Space, property_names: Sequence[str]) -> "GenerativeModel":
        """Return the model with a checkpoint's weights; raises as ``StartsFromCheckpoint``."""
        from alloop.models.ftcp.model import FtcpModel  # noqa: PLC0415

        assert isinstance(space, CrystalSpace)
        trained = FtcpModel.load(path)
        if space.most_atoms() > trained.size.sites:
            raise SpecError(
                f"space.max_atoms is {space.most_atoms()}, but the model to start from has room "
                f"for {trained.size.sites} sites",
                where=str(path),
                remedy=f"Set space.max_atoms to {trained.size.sites}, or train one with more room.",
            )
        return trained.adapted(self, tuple(property_names), elements=space.elements)

    def read_table(
        self, path: Path, columns: Mapping[str, str], space: Space
    ) -> "tuple[Dataset, tuple[SkippedRow, ...]]":
        """Return a table's crystals and labels, and the rows that were skipped."""
        from alloop.models.crystal_table import read_crystal_table  # noqa: PLC0415
        from alloop.models.ftcp.representation.crystals import Size, representation_problem  # noqa: PLC0415

        del space  # the table may hold other elements
        largest = Size(self.max_elements, self.max_sites)
        read = read_crystal_table(
            path, columns, refusal=partial(representation_problem, size=largest)
        )
        return read.data, read.skipped

    def build_for(
        self, data: "Dataset", space: Space, property_names: Sequence[str]
    ) -> "GenerativeModel":
        """Return the model, untrained, with room for the data and for the space."""
        from alloop.models.ftcp.model import FtcpModel  # noqa: PLC0415
        from alloop.models.ftcp.representation.crystals import Size  # noqa: PLC0415

        assert isinstance(space, CrystalSpace)
        own = Size.of(data.materials)
        n_elements = min(max(own.elements, len(space.elements)), self.max_elements)
        room = Size(n_elements, max(own.sites, space.most_atoms()))
        return FtcpModel(self, tuple(property_names), size=room)

    def sizes(self) -> dict[str, Any]:
        """Return, by key, what checkpoints must agree in for one to continue the other."""
        network = self.network.model_dump(include=_SIZES)
        return {"latents": self.latents} | {f"network.{key}": network[key] for key in network}


_SIZES = {"kind", "channels", "dense", "width", "depth", "embedding"}
"""Keys of a network that decide the shapes of its weights."""
