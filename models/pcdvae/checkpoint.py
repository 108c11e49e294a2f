"""Checkpoints: one safetensors file with a JSON description, nothing executable.

Two kinds: a model, and a training that was interrupted.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from alloop.canonical import canonical_json
from alloop.errors import ModelError
from models.pcdvae.options import PcdvaeOptions

_KEY = "alloop"
# All metadata goes under one key: safetensors writes several in no certain order.


class ModelDescription(BaseModel):
    """Everything about a model but its tensors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["pcdvae"] = "pcdvae"
    version: Literal[1] = 1
    options: PcdvaeOptions
    elements: tuple[str, ...]
    atom_counts: tuple[int, ...]
    phases: tuple[str, ...]
    count_bounds: dict[str, tuple[int, int]]
    property_names: tuple[str, ...]


class TrainingDescription(BaseModel):
    """Where a training stands, and what it is a training of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["pcdvae-training"] = "pcdvae-training"
    version: Literal[1] = 1
    model: ModelDescription
    data: str
    """Hash of materials, labels, augmentation and the weights it began from."""
    seed: int
    epochs: int
    epoch: int
    step: int


AnyDescription = TypeVar("AnyDescription", ModelDescription, TrainingDescription)


def write(path: Path, description: BaseModel, tensors: Mapping[str, Tensor]) -> None:
    """Write description and tensors, all or nothing; equal contents give equal bytes."""
    contents = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = canonical_json(description.model_dump(mode="json"))
    beside = path.with_name(path.name + ".part")
    beside.write_bytes(save(contents, metadata={_KEY: text}))
    os.replace(beside, path)


def read(path: Path, kind: type[AnyDescription]) -> tuple[AnyDescription, dict[str, Tensor]]:
    """Read what ``write`` wrote.

    Raises:
        ModelError: if the file cannot be read, or is of another kind or version.
    """
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"this is not a readable checkpoint ({error})",
            where=str(path),
            remedy="Give a file that P-CDVAE saved.",
        ) from error
    remedy = "Give a file that this version of P-CDVAE saved."
    if _KEY not in metadata:
        raise ModelError("the checkpoint does not say what it is", where=str(path), remedy=remedy)
    try:
        return kind.model_validate_json(metadata[_KEY]), tensors
    except ValidationError as error:
        found = error.errors()[0]
        place = ".".join(str(part) for part in found["loc"])
        raise ModelError(
            f"the checkpoint is of another model or version: {place}: {found['msg']}",
            where=str(path),
            remedy=remedy,
        ) from error


def restore(path: Path, tensors: Mapping[str, Tensor], into: Mapping[str, Tensor]) -> None:
    """Copy tensors into others of the same names.

    Raises:
        ModelError: if names, shapes or types differ.
    """
    for name in sorted(into.keys() | tensors.keys()):
        if name not in into or name not in tensors:
            raise ModelError(f"the tensor {name} is unknown or missing", where=str(path))
        want, got = into[name], tensors[name]
        if want.shape != got.shape or want.dtype != got.dtype:
            raise ModelError(
                f"the tensor {name} is {got.dtype} {tuple(got.shape)}, "
                f"not {want.dtype} {tuple(want.shape)}",
                where=str(path),
            )
        want.detach().copy_(got)
