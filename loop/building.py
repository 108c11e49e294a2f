"""From a spec's options to the objects that do the work."""

from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from platform import python_version

from campaigns.spec import CampaignSpec, TierOptions
from models.base import GenerativeModel
from models.lattice.model import LatticeModel
from oracles.base import Oracle
from oracles.dft.options import DftOptions
from oracles.lammps.options import LammpsOptions
from oracles.lammps.oracle import LammpsOracle

VERSIONED = ("alloop", "torch", "botorch", "gpytorch", "lammps", "pymatgen", "numpy", "scipy")
"""Distributions whose version can change a decision or a value."""


def build_oracles(spec: CampaignSpec) -> tuple[Oracle, ...]:
    """Return one oracle per tier.

    Raises:
        PotentialError: if a potential is unknown or lacks an element of the space.
        MissingSoftware: if an engine is not installed.
    """
    return tuple(_oracle(options, spec.space.elements) for options in spec.tiers)


def _oracle(options: TierOptions, elements: Sequence[str]) -> Oracle:
    match options:
        case LammpsOptions():
            return LammpsOracle(options, elements=elements)
        case DftOptions():
            from oracles.dft.oracle import DftOracle  # noqa: PLC0415 (atomate2 takes seconds)

            return DftOracle(options, elements=elements)


def build_model(spec: CampaignSpec) -> GenerativeModel:
    """Return the spec's model, untrained."""
    space = spec.space
    return LatticeModel(
        spec.model,
        elements=space.elements,
        lattices=space.lattices,
        atoms=space.atoms,
        count_bounds=space.count_bounds(),
        property_names=spec.property_names(),
    )


def load_model(spec: CampaignSpec, path: Path) -> GenerativeModel:
    """Return the spec's kind of model, from a checkpoint."""
    del spec  # there is one kind so far
    return LatticeModel.load(path)


def software_versions() -> Mapping[str, str]:
    """Return the versions that a campaign's first event records."""
    return {"python": python_version()} | {name: metadata.version(name) for name in VERSIONED}
