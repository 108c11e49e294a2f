"""Beginning with the weights of a checkpoint: how, and what both models must have in common."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, cast

from alloop.errors import ModelError
from alloop.models.options import ModelOptions
from alloop.space import Space

if TYPE_CHECKING:
    from alloop.models.base import Dataset, GenerativeModel


class TakesWeights(Protocol):
    """A model that can take over the weights of another of its kind."""

    def begin_with(self, trained: Any, path: Path) -> None:
        """Take over the weights of a model that was trained on other data.

        Args:
            trained: of the same kind; is left as it is.
            path: what an error calls it.

        Raises:
            ModelError: if the two are of other sizes.
        """


class SameSizeOptions(ModelOptions):
    """Options of a model that begins with weights of its own sizes, and is of the space's whatever
    data it is trained on beforehand."""

    def start(self, path: Path, space: Space, property_names: Sequence[str]) -> "GenerativeModel":
        """Return the model with a checkpoint's weights; raises as ``StartsFromCheckpoint``."""
        model = self._afresh().build(space, property_names)
        cast(TakesWeights, model).begin_with(self.load(path), path)
        return model

    def build_for(
        self, data: "Dataset", space: Space, property_names: Sequence[str]
    ) -> "GenerativeModel":
        """Return the model, untrained."""
        del data
        return self._afresh().build(space, property_names)

    def _afresh(self) -> Self:
        return self.model_copy(update={"start_from": None})


def require_same(path: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Check that a checkpoint's model is of the sizes, elements and properties that are wanted.

    Args:
        path: of the checkpoint.
        found: of its model, by key of a spec, such as ``model.width``.
        wanted: of the campaign's, by the same keys.

    Raises:
        ModelError: naming the first key in which they differ, and both values.
    """
    for key, value in wanted.items():
        if found.get(key) != value:
            raise ModelError(
                f"the weights are of {key} {_said(found.get(key))}, the campaign's model is of "
                f"{_said(value)}",
                where=str(path),
                remedy=f"Set {key} to {_said(found.get(key))}, or train a model beforehand for "
                "this campaign: `alloop pretrain`.",
            )


def _said(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(str, value))}]"
    return str(value)
