"""Options of P-CDVAE; light, so that campaign specs can import them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from alloop.models.starting import SameSizeOptions
from alloop.paths import OwnFile
from alloop.space import Decorations, Space, Structures

if TYPE_CHECKING:
    from alloop.models.base import Dataset, GenerativeModel, SkippedRow
    from alloop.models.pcdvae.model import PcdvaeModel


SMALLEST_CELL_NOISE = 2.0
"""Least noise, Å, under which atoms of a small cell, some 2 Å apart, may be anywhere."""


class PcdvaeOptions(SameSizeOptions):
    """Options of a generator of crystals: number of atoms, cell, positions and elements from z.

    The defaults are the published sizes (AlloGen; CDVAE). They want a GPU; on two cores take
    widths of 64, ``neighbours: 14``, a few hundred epochs, ``langevin_steps: 1`` and
    ``freezing_steps: 24``. For alloys on fcc and bcc ``prior: parent``, ``largest_noise: 0.25``,
    ``sampler: ancestral``, ``ancestral_steps: 6`` and ``ordering_rounds: 2`` cost a fifth of that
    and rebuild orderings (``benchmarks/crystals/README.md``).
    """

    kind: Literal["pcdvae"] = "pcdvae"
    phase: bool = Field(
        default=True, description="tell the decoder the predicted phase; false is plain CDVAE"
    )
    noise_conditioned: bool = Field(
        default=True, description="tell the decoder the noise level; false is as published"
    )
    latent: int = Field(default=256, ge=2, le=4096, description="size of z")
    encoder_width: int = Field(default=128, ge=8, le=1024, description="features of an edge")
    encoder_blocks: int = Field(default=4, ge=1, le=16)
    decoder_width: int = Field(default=128, ge=8, le=1024)
    decoder_blocks: int = Field(default=3, ge=1, le=16)
    head_width: int = Field(default=256, ge=8, le=4096, description="features of the heads on z")
    cutoff: float = Field(default=7.0, gt=1, le=20, description="cutoff of the neighbours, Å")
    neighbours: int = Field(
        default=20,
        ge=4,
        le=200,
        description="largest number of neighbours of an atom, whole shells",
    )

    largest_noise: float = Field(
        default=10.0,
        ge=0.05,
        le=100,
        description="standard deviation of the largest noise on positions, Å; with ``prior: "
        "parent`` some tenths are enough, since only the relaxation is left to find",
    )

    epochs: int = Field(default=2500, ge=1, description="epochs of the first fit")
    refit_epochs: int = Field(default=100, ge=1, description="epochs of each later fit")
    batch_size: int = Field(default=64, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    warm_up: int = Field(default=100, ge=0, description="steps until the full learning rate")
    clip: float = Field(default=0.5, gt=0, description="largest norm of a gradient")
    average: float = Field(
        default=0.999, ge=0, lt=1, description="decay of the moving average of weights"
    )
    augmented_from: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="share of the epochs before local search's rows join; 0.5 is two stages",
    )
    precision: Literal["float32", "bfloat16"] = Field(
        default="float32", description="precision of the large products in training"
    )
    compiled: bool = Field(
        default=False,
        description="compile the networks for training: minutes at the start, then quicker steps",
    )
    device: Literal["auto", "cpu", "cuda"] = "auto"

    prior: Literal["uniform", "parent"] = Field(
        default="uniform",
        description="where atoms begin: anywhere, as published, or on the sites of the predicted "
        "phase's parent, for alloys",
    )
    sampler: Literal["langevin", "ancestral"] = Field(
        default="langevin",
        description="the published one, or one step from level to level, which is for small cells "
        "and for ``prior: parent``: see ``sampling``",
    )
    langevin_steps: int = Field(
        default=100,
        ge=1,
        description="Langevin steps at each of the 50 noise levels, but where ``freezing_steps`` "
        "count; 4 do for small cells",
    )
    freezing_steps: int | None = Field(
        default=None,
        ge=1,
        description="Langevin steps at the levels between 0.5 and 0.1 Å, where crystals freeze, "
        "in place of ``langevin_steps``. Alloys of 16 atoms have fewer defects after "
        "24 here and 1 elsewhere (304 calls) than after 12 everywhere (601)",
    )
    ancestral_steps: int = Field(default=50, ge=2, description="ancestral steps in all")
    ordering_rounds: int = Field(
        default=0,
        ge=0,
        le=10,
        description="times that the elements are sought whose encoding is nearest to z, and the "
        "atoms denoised again; with 0, as published, the decoder alone names them",
    )
    ordering_changes: int = Field(
        default=8,
        ge=1,
        description="changes of elements that are evaluated at each step of that search",
    )
    decode_batch: int = Field(default=64, ge=1, description="crystals sampled at once")

    start_from: OwnFile | None = Field(
        default=None,
        description="checkpoint of a model of these sizes, elements and properties that was "
        "trained on other data; `alloop pretrain` makes one",
    )

    def spaces(self) -> tuple[str, ...]:
        """Return the kinds of space that it can learn."""
        return "structures", "decorations"

    def build(self, space: Space, property_names: Sequence[str]) -> "PcdvaeModel":
        """Return the model, untrained."""
        from alloop.models.pcdvae.model import PcdvaeModel  # noqa: PLC0415 (torch waits)

        if isinstance(space, Decorations):
            bounds = space.count_bounds()
            return PcdvaeModel(
                self, space.elements, [space.n_sites], space.lattices, bounds, property_names
            )
        assert isinstance(space, Structures)
        counts = range(2, space.max_atoms + 1)  # a cell of one atom has no distances
        return PcdvaeModel(self, space.elements, counts, (), {}, property_names)

    def load(self, path: Path) -> "GenerativeModel":
        """Return the model of a checkpoint."""
        from alloop.models.pcdvae.model import PcdvaeModel  # noqa: PLC0415

        return PcdvaeModel.load(path)

    def read_table(
        self, path: Path, columns: Mapping[str, str], space: Space
    ) -> "tuple[Dataset, tuple[SkippedRow, ...]]":
        """Return a table's crystals that the model has words for, and the rows that were
        skipped."""
        from alloop.models.crystal_table import read_crystal_table  # noqa: PLC0415

        vocabulary = self.build(space, ()).vocabulary
        read = read_crystal_table(path, columns, refusal=vocabulary.refusal)
        return read.data, read.skipped

    def sizes(self) -> dict[str, Any]:
        """Return, by key, what checkpoints must agree in for one to continue the other."""
        return {f"model.{key}": getattr(self, key) for key in _SIZES}

    def check(self, space: Space, property_names: Sequence[str]) -> None:
        """Check that any element may sit on any site, and that there are two lattices for the phase
        to tell apart."""
        del property_names
        if isinstance(space, Decorations) and not space.has_one_kind_of_site:
            raise ValueError(
                "model.kind pcdvae knows no sublattices and no vacancies; take kind: lattice"
            )
        n_lattices = len(space.lattices) if isinstance(space, Decorations) else 0
        if self.prior == "parent" and not (n_lattices and self.phase):
            raise ValueError(
                "model.prior: parent begins on the sites of the predicted phase; it needs "
                "model.phase and a space of decorations"
            )
        if self.prior == "uniform" and self.largest_noise < SMALLEST_CELL_NOISE:
            raise ValueError(
                f"model.largest_noise {self.largest_noise:g} Å is too little to bring atoms from "
                f"anywhere to their places; give {SMALLEST_CELL_NOISE:g} or more, or prior: parent"
            )
        if self.phase and n_lattices < 2:
            raise ValueError(
                f"model.phase tells two lattices apart, and the space has {n_lattices}; "
                "set model.phase to false"
            )


_SIZES = (
    "phase",
    "noise_conditioned",
    "latent",
    "encoder_width",
    "encoder_blocks",
    "decoder_width",
    "decoder_blocks",
    "head_width",
    "cutoff",
    "neighbours",
)
"""Keys that decide the shapes of weights, or what they stand for."""
