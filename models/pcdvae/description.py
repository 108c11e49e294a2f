"""Descriptions in the checkpoints of P-CDVAE, of a model or of a training."""

from typing import Literal

from alloop.models import checkpoint
from alloop.models.pcdvae.options import PcdvaeOptions


class ModelDescription(checkpoint.Description):
    """Everything about a model but its tensors."""

    kind: Literal["pcdvae"] = "pcdvae"
    version: Literal[1] = 1
    options: PcdvaeOptions
    elements: tuple[str, ...]
    atom_counts: tuple[int, ...]
    phases: tuple[str, ...]
    count_bounds: dict[str, tuple[int, int]]
    property_names: tuple[str, ...]


class TrainingDescription(checkpoint.Description):
    """Progress of a training, with the identity of its model, data and seed."""

    kind: Literal["pcdvae-training"] = "pcdvae-training"
    version: Literal[1] = 1
    model: ModelDescription
    data: str
    """Hash of materials, labels, augmentation and the weights it began from."""
    seed: int
    epochs: int
    epoch: int
    step: int
