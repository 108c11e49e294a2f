"""Options of the lattice model; light, so that campaign specs can import them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class LatticeOptions(BaseModel):
    """A generator of decorations of fcc and bcc parent lattices."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["lattice"] = "lattice"
    width: int = Field(default=32, ge=4, le=512, description="features per site")
    depth: int = Field(default=2, ge=1, le=8, description="message-passing steps of the encoder")
    latents_per_site: int | None = Field(
        default=None, ge=1, le=16, description="by default one less than there are elements"
    )
    ensemble: int = Field(default=4, ge=2, le=16, description="property heads")
    unlabelled: int = Field(default=1024, ge=0, description="random decorations added, per fit")
    epochs: int = Field(default=15, ge=1, description="of the first fit")
    refit_epochs: int = Field(default=3, ge=1, description="of each later fit")
    batch_size: int = Field(default=64, ge=1)
    learning_rate: float = Field(default=5e-3, gt=0)
