"""Checkpoints: one safetensors file with a JSON description, nothing executable."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from alloop.canonical import canonical_json
from alloop.errors import ModelError
from models.lattice.decorations import DecorationSpace
from models.lattice.options import LatticeOptions
from models.lattice.parent import LatticeName

VERSION: Literal[1] = 1
"""Of the checkpoint's layout."""

_KEY = "alloop"
# All metadata goes under one key: safetensors writes several in no certain order.


class Description(BaseModel):
    """Everything about a model but its tensors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["lattice"] = "lattice"
    version: Literal[1] = VERSION
    options: LatticeOptions
    elements: tuple[str, ...]
    lattices: tuple[LatticeName, ...]
    atoms: int
    count_bounds: dict[str, tuple[int, int]]
    property_names: tuple[str, ...]

    @classmethod
    def of(
        cls, options: LatticeOptions, space: DecorationSpace, property_names: tuple[str, ...]
    ) -> Self:
        """Describe a model."""
        return cls(
            options=options,
            elements=space.elements,
            lattices=space.lattices,
            atoms=space.atoms,
            count_bounds=dict(zip(space.elements, space.count_bounds, strict=True)),
            property_names=property_names,
        )


def write(path: Path, description: Description, parts: Mapping[str, nn.Module]) -> None:
    """Write the description and the parts' tensors; equal contents give equal bytes."""
    tensors = {
        f"{part}.{name}": tensor.detach().contiguous()
        for part, module in parts.items()
        for name, tensor in module.state_dict().items()
    }
    text = canonical_json(description.model_dump(mode="json"))
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
        raise ModelError(
            f"this is not a readable checkpoint ({error})",
            where=str(path),
            remedy="Give a file that the lattice model saved.",
        ) from error
    return _description(path, metadata.get(_KEY)), tensors


def restore(path: Path, tensors: Mapping[str, Tensor], parts: Mapping[str, nn.Module]) -> None:
    """Copy tensors into new parts.

    Raises:
        ModelError: if names, shapes or types are not those of the parts.
    """
    expected = {
        f"{part}.{name}": tensor
        for part, module in parts.items()
        for name, tensor in module.state_dict().items()
    }
    for name in sorted(expected.keys() | tensors.keys()):
        if name not in expected or name not in tensors:
            raise ModelError(f"the tensor {name} is unknown or missing", where=str(path))
        want, got = expected[name], tensors[name]
        if want.shape != got.shape or want.dtype != got.dtype:
            raise ModelError(
                f"the tensor {name} is {got.dtype} {tuple(got.shape)}, "
                f"not {want.dtype} {tuple(want.shape)}",
                where=str(path),
            )
        with torch.no_grad():
            want.copy_(got)  # a state dict shares the module's memory


def _description(path: Path, text: str | None) -> Description:
    remedy = "Give a file that this version of the lattice model saved."
    if text is None:
        raise ModelError("the checkpoint does not say what it is", where=str(path), remedy=remedy)
    try:
        data = json.loads(text)
        kind, version = data.get("kind"), data.get("version")
    except (ValueError, AttributeError) as error:
        raise ModelError(
            f"the checkpoint's description is not JSON ({error})", where=str(path), remedy=remedy
        ) from error
    if (kind, version) != ("lattice", VERSION):
        raise ModelError(
            f"a checkpoint of kind {kind!r}, version {version!r}; "
            f"expected 'lattice', version {VERSION}",
            where=str(path),
            remedy=remedy,
        )
    try:
        return Description.model_validate_json(text)
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(map(str, fault["loc"]))
        raise ModelError(
            f"the checkpoint's {key}: {fault['msg']}", where=str(path), remedy=remedy
        ) from error
