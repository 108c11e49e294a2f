"""Options of the DVAE; light, so that campaign specs can import them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from alloop.models.starting import SameSizeOptions
from alloop.paths import OwnFile
from alloop.space import Compositions, Space

if TYPE_CHECKING:
    from alloop.models.base import Dataset, GenerativeModel, SkippedRow


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class BernoulliPrior(_Part):
    """A yes-or-no property, labelled 1 or 0: p(φ) of Eq. 3."""

    kind: Literal["bernoulli"] = "bernoulli"
    probability: float = Field(
        default=0.5, gt=0, lt=1, description="r of Eq. 3: how common a yes is believed to be"
    )


class NormalPrior(_Part):
    """A property that can be any number. Left out, mean and std are those of the labels."""

    kind: Literal["normal"] = "normal"
    mean: float | None = Field(default=None, description="in the property's unit")
    std: float | None = Field(default=None, gt=0, description="in the property's unit")


class BetaPrior(_Part):
    """A property between 0 and 1, ends excluded: a yield, a share."""

    kind: Literal["beta"] = "beta"
    alpha: float = Field(default=1.0, gt=0)
    beta: float = Field(default=1.0, gt=0)


Prior = Annotated[BernoulliPrior | NormalPrior | BetaPrior, Field(discriminator="kind")]


class DvaeOptions(SameSizeOptions):
    """Options of a disentangled VAE over compositions, with one node per property."""

    kind: Literal["dvae"] = "dvae"
    descriptors: Literal["eight", "rich"] = Field(
        default="rich", description="f(x) of Eq. 4: the paper's eight, or those and 64 more"
    )
    priors: Mapping[str, Prior] = Field(
        default_factory=dict,
        description="by property; one that is not named here has a normal prior, but "
        "single_phase_probability a Bernoulli one",
    )
    latents: int = Field(default=4, ge=1, le=64, description="width of z")
    width: int = Field(default=100, ge=4, le=1024, description="of encoder and decoder")
    committees: int = Field(default=12, ge=1, le=128, description="of trees, in each head")
    trees: int = Field(default=40, ge=1, le=1000, description="in each committee")
    network_share: float = Field(
        default=0.4, gt=0, lt=1, description="of the network in each head; trees have the rest"
    )
    transport_layers: int = Field(
        default=100, ge=1, le=1000, description="that make z independent of yes-or-no properties"
    )
    random_alloys: int = Field(default=1000, ge=0, description="unlabelled, drawn for each fit")
    epochs: int = Field(default=350, ge=1, description="of the first fit")
    refit_epochs: int = Field(default=100, ge=1, description="of each later fit")
    batch_size: int = Field(default=512, ge=8)
    learning_rate: float = Field(default=4e-3, gt=0, description="of encoder and decoder")
    consistency: float = Field(
        default=20.0, ge=0, description="how much decoded alloys should have what was asked for"
    )

    start_from: OwnFile | None = Field(
        default=None,
        description="checkpoint of a model of these sizes, elements and properties that was "
        "trained on other data; `alloop pretrain` makes one",
    )

    def spaces(self) -> tuple[str, ...]:
        """Return the kinds of space that it can learn."""
        return ("compositions",)

    def build(self, space: Space, property_names: Sequence[str]) -> "GenerativeModel":
        """Return the model, untrained."""
        from alloop.models.dvae.model import DvaeModel  # noqa: PLC0415 (torch waits)

        assert isinstance(space, Compositions)  # the only kind of ``spaces``
        return DvaeModel(self, space.elements, tuple(property_names), space=space)

    def load(self, path: Path) -> "GenerativeModel":
        """Return the model of a checkpoint."""
        from alloop.models.dvae.model import DvaeModel  # noqa: PLC0415

        return DvaeModel.load(path)

    def check(self, space: Space, property_names: Sequence[str]) -> None:
        """Check that priors are of properties that the campaign speaks of."""
        del space
        if stray := sorted(self.priors.keys() - set(property_names)):
            raise ValueError(
                f"model.priors names {stray[0]}, which no objective or constraint speaks of; "
                f"there are {', '.join(property_names)}"
            )

    def read_table(
        self, path: Path, columns: Mapping[str, str], space: Space
    ) -> "tuple[Dataset, tuple[SkippedRow, ...]]":
        """Return a table's alloys of the space's elements, and the rows that were skipped."""
        from alloop.models.composition_table import read_composition_table  # noqa: PLC0415

        return read_composition_table(path, columns, space.elements)

    def sizes(self) -> dict[str, Any]:
        """Return, by key, what checkpoints must agree in for one to continue the other."""
        return {f"model.{key}": getattr(self, key) for key in _SIZES}

    def prior(self, name: str) -> Prior:
        """Return what is believed of a property before any label is seen."""
        return self.priors.get(name) or _USUAL_PRIORS.get(name) or NormalPrior()


_SIZES = (
    "descriptors",
    "priors",
    "latents",
    "width",
    "committees",
    "trees",
    "network_share",
    "transport_layers",
)
"""Keys that decide the shapes of weights, or what they stand for."""

_USUAL_PRIORS: Mapping[str, Prior] = {"single_phase_probability": BernoulliPrior()}
"""Priors of properties whose kind of number is known."""
