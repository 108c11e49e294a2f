"""Checkpoints: one safetensors file with a JSON description, nothing executable."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from alloop.canonical import canonical_json
from alloop.errors import ModelError
from models.ftcp.options import FtcpOptions

VERSION: Literal[1] = 1
"""Of the checkpoint's layout."""

_KEY = "alloop"
# All metadata goes under one key: safetensors writes several in no certain order.


class Description(BaseModel):
    """Everything about a model but its tensors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["ftcp"] = "ftcp"
    version: Literal[1] = VERSION
    options: FtcpOptions
    elements: int = Field(ge=1)
    sites: int = Field(ge=1)
    property_names: tuple[str, ...]


def write(path: Path, description: Description, parts: Mapping[str, nn.Module]) -> None:
    """Write the description and the parts' tensors; equal contents give equal bytes."""
    text = canonical_json(description.model_dump(mode="json"))
    tensors = {name: tensor.detach().contiguous() for name, tensor in _tensors(parts).items()}
    path.write_bytes(save(tensors, metadata={_KEY: text}))


def read(path: Path) -> tuple[Description, dict[str, Tensor]]:
    """Read what ``write`` wrote.

    Raises:
        ModelError: if the file cannot be read, or is of another kind or version.
    """
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise _refused(path, f"this is not a readable checkpoint ({error})") from error
    return _description(path, metadata.get(_KEY)), tensors


def restore(path: Path, tensors: Mapping[str, Tensor], parts: Mapping[str, nn.Module]) -> None:
    """Copy tensors into new parts.

    Raises:
        ModelError: if names, shapes or types are not those of the parts.
    """
    expected = _tensors(parts)
    if stray := sorted(expected.keys() ^ tensors.keys()):
        raise _refused(path, f"the tensor {stray[0]} is unknown or missing")
    for name, want in expected.items():
        got = tensors[name]
        if want.shape != got.shape or want.dtype != got.dtype:
            raise _refused(
                path,
                f"the tensor {name} is {got.dtype} {tuple(got.shape)}, "
                f"not {want.dtype} {tuple(want.shape)}",
            )
        with torch.no_grad():
            want.copy_(got)  # a state dict shares the module's memory


def _tensors(parts: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    return {
        f"{part}.{name}": tensor
        for part, module in parts.items()
        for name, tensor in module.state_dict().items()
    }


def _description(path: Path, text: str | None) -> Description:
    if text is None:
        raise _refused(path, "the checkpoint does not say what it is")
    try:
        data: Any = json.loads(text)
        kind, version = data.get("kind"), data.get("version")
    except (ValueError, AttributeError) as error:
        raise _refused(path, f"the checkpoint's description is not JSON ({error})") from error
    if (kind, version) != ("ftcp", VERSION):
        raise _refused(
            path,
            f"a checkpoint of kind {kind!r}, version {version!r}; "
            f"expected 'ftcp', version {VERSION}",
        )
    try:
        return Description.model_validate_json(text)
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(map(str, fault["loc"]))
        raise _refused(path, f"the checkpoint's {key}: {fault['msg']}") from error


def _refused(path: Path, what: str) -> ModelError:
    remedy = "Give a file that this version of FTCP saved."
    return ModelError(what, where=str(path), remedy=remedy)
