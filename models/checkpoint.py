"""Checkpoints: one safetensors file with a JSON description, nothing executable."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from alloop.canonical import canonical_json
from alloop.durable import write_durably
from alloop.errors import ModelError

_KEY = "alloop"
# All metadata goes under one key: safetensors writes several in no certain order.


class Description(BaseModel):
    """Description of a checkpoint: everything about a model but its tensors. Each model's own adds
    to it, and gives both fields a default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    version: int
    """Version of the file's layout."""


AnyDescription = TypeVar("AnyDescription", bound=Description)


def tensors_of(parts: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """Return the tensors of several modules, as ``part.name``; they share the modules' memory."""
    return {
        f"{part}.{name}": tensor
        for part, module in parts.items()
        for name, tensor in module.state_dict().items()
    }


def write(path: Path, description: Description, tensors: Mapping[str, Tensor]) -> None:
    """Write description and tensors, all or nothing; equal contents give equal bytes."""
    contents = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = canonical_json(description.model_dump(mode="json"))
    write_durably(path, save(contents, metadata={_KEY: text}))


def read(path: Path, kind: type[AnyDescription]) -> tuple[AnyDescription, dict[str, Tensor]]:
    """Read what ``write`` wrote.

    Args:
        path: of the file.
        kind: of description that it has to hold.

    Raises:
        ModelError: if the file cannot be read, or is of another kind or version.
    """
    try:
        with safe_open(str(path), framework="pt") as file:
            text = (file.metadata() or {}).get(_KEY)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise _refused(path, f"this is not a readable checkpoint ({error})") from error
    return _description(path, text, kind), tensors


def restore(path: Path, tensors: Mapping[str, Tensor], into: Mapping[str, Tensor]) -> None:
    """Copy tensors into a model's own, which have the same names.

    Raises:
        ModelError: if names, shapes or types differ.
    """
    for name in sorted(into.keys() | tensors.keys()):
        if name not in into or name not in tensors:
            raise _refused(path, f"the tensor {name} is unknown or missing")
        want, got = into[name], tensors[name]
        if want.shape != got.shape or want.dtype != got.dtype:
            raise _refused(
                path,
                f"the tensor {name} is {got.dtype} {tuple(got.shape)}, "
                f"not {want.dtype} {tuple(want.shape)}",
            )
        with torch.no_grad():
            want.copy_(got)


def _description(path: Path, text: str | None, kind: type[AnyDescription]) -> AnyDescription:
    if text is None:
        raise _refused(path, "the checkpoint has no description")
    expected = tuple(kind.model_fields[name].default for name in ("kind", "version"))
    try:
        data = json.loads(text)
        found = data.get("kind"), data.get("version")
    except (ValueError, AttributeError) as error:
        raise _refused(path, f"the checkpoint's description is not JSON ({error})") from error
    if found != expected:
        raise _refused(
            path,
            f"a checkpoint of kind {found[0]!r}, version {found[1]!r}; "
            f"expected {expected[0]!r}, version {expected[1]}",
        )
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(map(str, fault["loc"]))
        raise _refused(path, f"the checkpoint's {key}: {fault['msg']}") from error


def _refused(path: Path, what: str) -> ModelError:
    remedy = "Give a file that this version of the model saved."
    return ModelError(what, where=str(path), remedy=remedy)
