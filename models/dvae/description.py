"""What a checkpoint of the DVAE says beside its tensors."""

from typing import Literal

from alloop.models import checkpoint
from alloop.models.dvae.options import DvaeOptions


class Description(checkpoint.Description):
    """Everything about a model but its tensors."""

    kind: Literal["dvae"] = "dvae"
    version: Literal[1] = 1
    options: DvaeOptions
    elements: tuple[str, ...]
    property_names: tuple[str, ...]
    scales: tuple[tuple[float, float], ...]
    """Of each node's internal scale: location and scale in the property's unit."""
    tree_nodes: tuple[tuple[int, int], ...]
    """Nodes of each head's largest bagged and boosted tree."""
    n_known: int
    """Alloys of the last fit."""
