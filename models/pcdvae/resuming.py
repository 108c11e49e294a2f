"""A training's own checkpoint, from which it goes on as if it had never stopped."""

import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from alloop.errors import ModelError
from alloop.models.checkpoint import read, restore, write
from alloop.models.pcdvae.description import TrainingDescription
from alloop.models.pcdvae.training import Trainer

MIN_SECONDS_BETWEEN = 60.0
"""Shortest time between two checkpoints, s, so that small models do not spend their time
writing."""


@dataclass
class TrainingCheckpoint:
    """Checkpoint file of a training in progress.

    Args:
        path: of the file.
        description: of the training, at its beginning.
    """

    path: Path
    description: TrainingDescription
    _last: float = field(default_factory=time.monotonic)

    def load_into(self, trainer: Trainer) -> bool:
        """Bring a new trainer to where the file stands; return False where there is no file.

        Raises:
            ModelError: if the file is of another training.
        """
        if not self.path.exists():
            return False
        found, tensors = read(self.path, TrainingDescription)
        expected = self.description.model_copy(update={"epoch": found.epoch, "step": found.step})
        if found != expected:
            different = [
                name
                for name in TrainingDescription.model_fields
                if getattr(found, name) != getattr(expected, name)
            ]
            raise ModelError(
                f"this is a checkpoint of another training: {', '.join(different)} differ",
                where=str(self.path),
                remedy="Remove it to begin anew, or give the data and options it was made with.",
            )
        restore(self.path, tensors, _tensors(trainer, fresh=True))
        trainer.epoch, trainer.step = found.epoch, found.step
        return True

    def save(self, trainer: Trainer, *, at_once: bool = False) -> None:
        """Write the trainer's state, unless that was done a short while ago."""
        if not at_once and time.monotonic() - self._last < MIN_SECONDS_BETWEEN:
            return
        description = self.description.model_copy(
            update={"epoch": trainer.epoch, "step": trainer.step}
        )
        write(self.path, description, _tensors(trainer, fresh=False))
        self._last = time.monotonic()

    def remove(self) -> None:
        """Remove the file: the training is over."""
        self.path.unlink(missing_ok=True)


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
