"""CHGNet's weights, and whether they can be used; known without importing the network."""

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from alloop.elements import ELEMENTS
from alloop.errors import MissingSoftware, SpecError

WEIGHTS = {
    "0.3.0": "0.3.0/chgnet_0.3.0_e29f68s314m37.pth.tar",
    "r2scan": "r2scan/chgnet_r2scan_transfer_learning_e15f36s161m23.pth.tar",
}
"""Checkpoints in chgnet's own wheel."""

HEAVIEST = 94
"""Atomic number up to which CHGNet knows elements."""


def check_chgnet(model: str, elements: Iterable[str]) -> None:
    """Check that a model is installed, and knows the elements.

    Raises:
        MissingSoftware: if CHGNet, its weights, or what drives it is not installed.
        SpecError: if CHGNet does not know one of the elements.
    """
    checkpoint_of(model)
    if find_spec("atomate2") is None:
        raise MissingSoftware(
            "the engine chgnet needs the package atomate2",
            where="tiers, engine",
            remedy="Install it, or take another engine.",
        )
    known = ELEMENTS[:HEAVIEST]
    if unknown := [symbol for symbol in elements if symbol not in known]:
        raise SpecError(f"CHGNet does not know {', '.join(unknown)}")


def checkpoint_of(model: str) -> Path:
    """Return the file of a model's weights.

    Raises:
        MissingSoftware: if CHGNet or the file is not installed.
    """
    spec = find_spec("chgnet")
    if spec is None or spec.origin is None:
        raise MissingSoftware("CHGNet is not installed", remedy="Run `pip install chgnet`.")
    path = Path(spec.origin).parent / "pretrained" / WEIGHTS[model]
    if not path.exists():
        raise MissingSoftware(
            "CHGNet's weights are not where its wheel puts them",
            where=str(path),
            remedy="Install chgnet again.",
        )
    return path
