"""Checkpoints of torch read as tensors and plain values; nothing in them is executed."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from alloop.errors import PotentialError, one_line

_ARRAY_PARTS = (
    (np._core.multiarray._reconstruct, "numpy.core.multiarray._reconstruct"),  # type: ignore[attr-defined]
    np.ndarray,
    np.dtype,
    *(type(np.dtype(name)) for name in ("float32", "float64", "int32", "int64")),
)
"""What an array of numbers in a checkpoint is rebuilt from, besides torch's own."""


def read_tensors(path: Path) -> dict[str, Any]:
    """Return the content of a checkpoint that holds tensors, arrays of numbers and plain values.

    Raises:
        PotentialError: if it holds anything else, which to read would be to execute it.
    """
    torch = import_module("torch")
    try:
        with torch.serialization.safe_globals(list(_ARRAY_PARTS)):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # unpickling what is damaged may raise anything
        raise PotentialError(
            f"these weights are no tensors and plain values ({one_line(error)[:300]})",
            where=str(path),
            remedy="Take a checkpoint that torch.load reads with weights_only=True.",
        ) from error
    if not isinstance(content, dict):
        raise PotentialError("these weights are no table of tensors", where=str(path))
    return content


@contextmanager
def as_checkpoint_of(family: str, path: Path) -> Iterator[None]:
    """Read what a checkpoint holds as a family of potentials has it.

    Raises:
        PotentialError: if something is missing or does not fit, as of another family's.
    """
    try:
        yield
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise PotentialError(
            f"this is no checkpoint of {family} ({one_line(error)[:200]})",
            where=str(path),
            remedy=f"Name a checkpoint of {family} as weights, or leave weights out for its own.",
        ) from error
