"""A training's own checkpoint, from which it goes on as if it had never stopped."""

import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from alloop.durable import write_durably
from alloop.errors import ModelError
from alloop.models.base import KeptFit
from alloop.models.checkpoint import read, restore, write
from alloop.models.pcdvae.description import TrainingDescription
from alloop.models.pcdvae.training import Trainer

MIN_SECONDS_BETWEEN = 60.0
"""Shortest time between two checkpoints, s, so that small models do not spend their time
writing."""


@dataclass(frozen=True)
class FileOfFit:
    """A fit in progress that is kept in a file of one's own, whose reader vouches for it."""

    path: Path

    def read(self) -> bytes | None:
        """Return the file's content; None where there is no file."""
        return self.path.read_bytes() if self.path.exists() else None

    def write(self, content: bytes) -> None:
        """Write the file, all or nothing."""
        write_durably(self.path, content)

    def remove(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True)
class FoundTraining:
    """State of a training that was kept."""

    description: TrainingDescription
    tensors: dict[str, Tensor]

    def restore_into(self, trainer: Trainer) -> None:
        """Bring a new trainer of the same training to where this stands."""
        restore(Path("checkpoint"), self.tensors, _tensors(trainer, fresh=True))
        trainer.epoch, trainer.step = self.description.epoch, self.description.step


@dataclass
class TrainingCheckpoint:
    """Checkpoint of a training in progress.

    Args:
        kept: where it is kept.
        description: of the training, at its beginning.
    """

    kept: KeptFit
    description: TrainingDescription
    _last: float = field(default_factory=time.monotonic)

    def find(self) -> FoundTraining | None:
        """Return what is kept of this training; None where nothing is kept.

        Raises:
            ModelError: if what is kept is of another training, or no checkpoint.
        """
        content = self.kept.read()
        if content is None:
            return None
        with tempfile.TemporaryDirectory(prefix="alloop-") as folder:
            copy = Path(folder) / "training"
            copy.write_bytes(content)
            found, tensors = read(copy, TrainingDescription)
        expected = self.description.model_copy(update={"epoch": found.epoch, "step": found.step})
        if found != expected:
            different = [
                name
                for name in TrainingDescription.model_fields
                if getattr(found, name) != getattr(expected, name)
            ]
            raise ModelError(
                f"this is a checkpoint of another training: {', '.join(different)} differ",
                remedy="Remove it to begin anew, or give the data and options it was made with.",
            )
        return FoundTraining(found, tensors)

    def save(self, trainer: Trainer, *, at_once: bool = False) -> None:
        """Write the trainer's state, unless that was done a short while ago."""
        if not at_once and time.monotonic() - self._last < MIN_SECONDS_BETWEEN:
            return
        description = self.description.model_copy(
            update={"epoch": trainer.epoch, "step": trainer.step}
        )
        with tempfile.TemporaryDirectory(prefix="alloop-") as folder:
            copy = Path(folder) / "training"
            write(copy, description, _tensors(trainer, fresh=False))
            self.kept.write(copy.read_bytes())
        self._last = time.monotonic()

    def remove(self) -> None:
        """Forget what was kept: the training is over."""
        self.kept.remove()


def _tensors(trainer: Trainer, *, fresh: bool) -> dict[str, Tensor]:
    """Return all tensors of a training's state; of a fresh one, with zeros as Adam begins."""
    tensors = {f"network.{name}": t for name, t in trainer.network.state_dict().items()}
    names = [name for name, _ in trainer.network.named_parameters()]
    for name, weight, average in zip(names, trainer.weights, trainer.average, strict=True):
        tensors[f"average.{name}"] = average
        state = trainer.optimiser.state[weight]
        if fresh:
            state["step"] = torch.zeros(())
            state["exp_avg"] = torch.zeros_like(weight)
            state["exp_avg_sq"] = torch.zeros_like(weight)
        for moment in ("step", "exp_avg", "exp_avg_sq"):
            tensors[f"adam.{moment}.{name}"] = state[moment]
    return tensors
