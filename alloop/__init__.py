"""Closed-loop discovery campaigns for materials. ``alloop.Campaign`` is one of them; the modules
beside are the floor that every room stands on: errors, materials, canonical JSON and seeds."""

import importlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alloop.loop.python.campaign import Campaign

__all__ = ["Campaign", "__version__"]
__version__ = "0.2.0"

# OpenMP's threads spin while they wait for each other, and a core that spins does not measure.
# On two cores shared with workers, training took 70 s with spinning threads and 8 s without.
# Read when a numerical library starts its threads, hence here, before any is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def __getattr__(name: str) -> object:
    """Return ``Campaign``, imported when it is first asked for: what it needs takes seconds."""
    if name == "Campaign":
        return importlib.import_module("alloop.loop.python.campaign").Campaign
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
