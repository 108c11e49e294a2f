"""Options of FTCP; light, so that campaign specs can import them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from alloop.paths import OwnFile


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PublishedNetwork(_Part):
    """The paper's convolutions over the whole matrix, trained as published.

    Sizes, rates and weights are those of the published code (the paper's section S2.4).
    """

    kind: Literal["published"] = "published"
    channels: tuple[int, int, int] = (32, 64, 128)
    dense: int = Field(default=1024, ge=8)
    epochs: int = Field(default=200, ge=1, description="of the first fit")
    refit_epochs: int = Field(default=20, ge=1, description="of each later fit")
    batch_size: int = Field(default=256, ge=1)
    kl_weight: float = Field(default=2.0, ge=0, description="on the mean over latents and batch")
    property_weight: float = Field(
        default=10.0, ge=0, description="on squared errors of labels scaled to 0–1"
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
    steps: int = Field(default=1500, ge=1, description="of the first fit")
    refit_steps: int = Field(default=300, ge=1, description="of each later fit")
    batch_size: int = Field(default=64, ge=1)
    learning_rate: float = Field(default=2e-3, gt=0, description="at its highest")
    kl_weight: float = Field(default=0.1, ge=0, description="per nat")
    property_weight: float = Field(
        default=10.0, ge=0, description="on squared errors over the labels' variance"
    )
    resolution: float = Field(
        default=0.05, gt=0, description="of coordinates, as a share of the cell, in the loss"
    )


Network = Annotated[PublishedNetwork | DirectNetwork, Field(discriminator="kind")]


class FtcpOptions(_Part):
    """Inverse design of crystals through the FTCP representation."""

    kind: Literal["ftcp"] = "ftcp"
    network: Network = PublishedNetwork()
    latents: int = Field(default=256, ge=2, le=1024)
    heads: int = Field(default=5, ge=2, le=32, description="target branches, for uncertainty")
    property_weights: dict[str, float] = Field(
        default_factory=dict, description="factors on single properties' losses (γ in Eq. 3)"
    )
    augmentation: Literal["none", "symmetry"] = Field(
        default="none", description="symmetry: shifted origins, reordered sites and axes"
    )
    max_elements: int = Field(default=8, ge=1, le=20, description="in one crystal")
    max_sites: int = Field(default=40, ge=1, le=200, description="in one cell")
    start_from: OwnFile | None = Field(
        default=None,
        description="checkpoint of a model of these sizes that was trained on other data; "
        "`alloop pretrain` makes one",
    )

    def sizes(self) -> dict[str, Any]:
        """Return, by key, what checkpoints must agree in for one to continue the other."""
        network = self.network.model_dump(include=_SIZES)
        return {"latents": self.latents} | {f"network.{key}": network[key] for key in network}


_SIZES = {"kind", "channels", "dense", "width", "depth", "embedding"}
"""Keys of a network that decide the shapes of its weights."""
