"""Description in a checkpoint of FTCP."""

from typing import Literal

from pydantic import Field

from alloop.models import checkpoint
from alloop.models.ftcp.options import FtcpOptions


class FtcpDescription(checkpoint.Description):
    """Description of an FTCP model: everything but its tensors."""

    kind: Literal["ftcp"] = "ftcp"
    version: Literal[1] = 1
    options: FtcpOptions
    elements: int = Field(ge=1)
    sites: int = Field(ge=1)
    property_names: tuple[str, ...]
