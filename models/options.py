"""Options of a model: what a spec says after ``model:``. Light; torch is imported to build.

What a kind can do beyond that is said by the Protocols below that its options also implement.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from alloop.space import Space

if TYPE_CHECKING:
    from alloop.models.base import Dataset, GenerativeModel, SkippedRow


class ModelOptions(BaseModel):
    """Options of a generative model.

    Subclass it with a ``kind`` of its own, ``spaces``, ``build`` and ``load``, and name the
    subclass in the entry-point group ``alloop.models`` under that kind.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    kind: str

    def spaces(self) -> tuple[str, ...]:
        """Return the kinds of space that it can learn."""
        raise NotImplementedError

    def build(self, space: Space, property_names: Sequence[str]) -> "GenerativeModel":
        """Return the model, untrained; heavy imports happen in here.

        Args:
            space: of one of the kinds that ``spaces`` names.
            property_names: what it learns to predict, in the order of the labels' columns.
        """
        raise NotImplementedError

    def load(self, path: Path) -> "GenerativeModel":
        """Return the model of a checkpoint.

        Raises:
            ModelError: if the file is of another model or version.
        """
        raise NotImplementedError

    def check(self, space: Space, property_names: Sequence[str]) -> None:
        """Check, when a spec is read, that the options suit its space and properties.

        Raises:
            ValueError: saying which option does not, and what to write instead.
        """


@runtime_checkable
class StartsFromCheckpoint(Protocol):
    """Options of a model that can begin from weights trained on other data."""

    start_from: Path | None
    """Path of the checkpoint; None to begin from nothing."""

    def start(self, path: Path, space: Space, property_names: Sequence[str]) -> "GenerativeModel":
        """Return the model with a checkpoint's weights, for a campaign's space and properties.

        Raises:
            ModelError: if the checkpoint is of another kind or size.
            SpecError: if the space holds materials that the checkpoint's model has no room for.
        """


@runtime_checkable
class TrainsOnTables(Protocol):
    """Options of a model that ``alloop pretrain`` can train on a table."""

    def read_table(
        self, path: Path, columns: Mapping[str, str], space: Space
    ) -> "tuple[Dataset, tuple[SkippedRow, ...]]":
        """Return the table's materials and labels, and the rows that were skipped, with reasons.

        Args:
            path: a CSV.
            columns: of the properties, by name.
            space: of the campaign; a model may have room for its materials alone.

        Raises:
            MaterialError: if the table cannot be used, naming file, row and column.
        """

    def build_for(
        self, data: "Dataset", space: Space, property_names: Sequence[str]
    ) -> "GenerativeModel":
        """Return the model, untrained, with room for the data and for the space."""
