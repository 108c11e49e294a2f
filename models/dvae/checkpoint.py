"""Checkpoints: one safetensors file with a JSON description, nothing executable."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from alloop.canonical import canonical_json
from alloop.errors import ModelError
from models.dvae.options import DvaeOptions

VERSION: Literal[1] = 1
"""Of the checkpoint's layout."""
_KEY = "alloop"
# All metadata goes under one key: safetensors writes several in no certain order.


class Description(BaseModel):
    """Everything about a model but its tensors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["dvae"] = "dvae"
    version: Literal[1] = VERSION
    options: DvaeOptions
    elements: tuple[str, ...]
    property_names: tuple[str, ...]
    scales: tuple[tuple[float, float], ...]
    """Of each node's internal scale: location and scale in the property's unit."""
    tree_nodes: tuple[tuple[int, int], ...]
    """Nodes of each head's largest bagged and boosted tree."""
    n_known: int
    """Alloys of the last fit."""


def write(path: Path, description: Description, tensors: Mapping[str, Tensor]) -> None:
    """Write description and tensors; equal contents give equal bytes."""
    text = canonical_json(description.model_dump(mode="json"))
    plain = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    path.write_bytes(save(plain, metadata={_KEY: text}))


def read(path: Path) -> tuple[Description, dict[str, Tensor]]:
    """Read what ``write`` wrote.

    Raises:
        ModelError: if the file cannot be read, or is of another kind or version.
    """
    remedy = "Give a file that this version of the DVAE saved."
    try:
        with safe_open(str(path), framework="pt") as file:
            text = (file.metadata() or {}).get(_KEY)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"this is not a readable checkpoint ({error})", where=str(path), remedy=remedy
        ) from error
    try:
        found = json.loads(text or "{}")
        if (found.get("kind"), found.get("version")) != ("dvae", VERSION):
            raise ModelError(
                "a checkpoint of another kind or version", where=str(path), remedy=remedy
            )
        return Description.model_validate_json(text or ""), tensors
    except (ValueError, AttributeError, ValidationError) as error:
        raise ModelError(
            f"the checkpoint's description is wrong ({error})", where=str(path), remedy=remedy
        ) from error
