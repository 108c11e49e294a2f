"""What the weights of a checkpoint must have in common with the model that begins with them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alloop.errors import ModelError


def require_same(path: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Check that a checkpoint's model is of the sizes, elements and properties that are wanted.

    Args:
        path: of the checkpoint.
        found: of its model, by key of a spec, such as ``model.width``.
        wanted: of the campaign's, by the same keys.

    Raises:
        ModelError: naming the first key in which they differ, and both values.
    """
    for key, value in wanted.items():
        if found.get(key) != value:
            raise ModelError(
                f"the weights are of {key} {_said(found.get(key))}, the campaign's model is of "
                f"{_said(value)}",
                where=str(path),
                remedy=f"Set {key} to {_said(found.get(key))}, or train a model beforehand for "
                "this campaign: `alloop pretrain`.",
            )


def _said(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(str, value))}]"
    return str(value)
