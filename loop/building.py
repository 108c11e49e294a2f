"""From a spec's options to the objects that do the work."""

from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from platform import python_version

from alloop.campaigns.space import Compositions, Decorations, Structures
from alloop.campaigns.spec import CampaignSpec, TierOptions
from alloop.errors import SpecError
from alloop.models.base import GenerativeModel
from alloop.models.dvae.options import DvaeOptions
from alloop.models.ftcp.options import FtcpOptions
from alloop.models.lattice.model import LatticeModel
from alloop.models.lattice.options import LatticeOptions
from alloop.models.pcdvae.options import PcdvaeOptions
from alloop.oracles.base import Oracle
from alloop.oracles.dft.options import DftOptions
from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.systems import lammps_oracle
from alloop.oracles.person.options import PersonOptions
from alloop.oracles.person.oracle import PersonOracle
from alloop.oracles.table.options import TableOptions
from alloop.oracles.table.oracle import TableOracle

VERSIONED = ("alloop", "torch", "botorch", "gpytorch", "lammps", "pymatgen", "numpy", "scipy")
"""Distributions whose version can change a decision or a value."""


def build_oracles(spec: CampaignSpec) -> tuple[Oracle, ...]:
    """Return one oracle per tier.

    Raises:
        PotentialError: if a potential is unknown or lacks an element of the space.
        MissingSoftware: if an engine is not installed.
        DataError: if a table is not at hand, or cannot be used.
    """
    return tuple(build_oracle(options, spec.space.elements) for options in spec.tiers)


def build_oracle(options: TierOptions, elements: Sequence[str]) -> Oracle:
    """Return the oracle of one tier.

    Raises:
        PotentialError: if its potential is unknown or lacks one of the elements.
        MissingSoftware: if its engine is not installed.
    """
    match options:
        case LammpsOptions():
            return lammps_oracle(options, elements=elements)
        case DftOptions():
            from alloop.oracles.dft.oracle import DftOracle  # noqa: PLC0415 (atomate2 takes seconds)

            return DftOracle(options, elements=elements)
        case TableOptions():
            return TableOracle(options)
        case PersonOptions():
            return PersonOracle(options)


def build_model(spec: CampaignSpec) -> GenerativeModel:
    """Return the spec's model, untrained."""
    space, names = spec.space, spec.property_names()
    match spec.model, space:
        case LatticeOptions() as options, Decorations():
            return LatticeModel(
                options,
                elements=space.elements,
                lattices=space.lattices,
                atoms=space.atoms,
                count_bounds=space.count_bounds(),
                property_names=names,
            )
        case PcdvaeOptions() as options, Decorations():
            from alloop.models.pcdvae.model import PcdvaeModel  # noqa: PLC0415 (takes seconds)

            bounds = space.count_bounds()
            return PcdvaeModel(
                options, space.elements, [space.atoms], space.lattices, bounds, names
            )
        case PcdvaeOptions() as options, Structures():
            from alloop.models.pcdvae.model import PcdvaeModel  # noqa: PLC0415

            counts = range(2, space.max_atoms + 1)  # a cell of one atom has no distances
            return PcdvaeModel(options, space.elements, counts, (), {}, names)
        case FtcpOptions() as options, Structures():
            from alloop.models.ftcp.model import FtcpModel  # noqa: PLC0415
            from alloop.models.ftcp.representation.crystals import Size  # noqa: PLC0415

            # Room for whatever the space allows, not only for what the first round holds.
            size = Size(min(len(space.elements), options.max_elements), space.max_atoms)
            return FtcpModel(options, names, elements=space.elements, size=size)
        case DvaeOptions() as options, Compositions():
            from alloop.models.dvae.model import DvaeModel  # noqa: PLC0415 (takes seconds)

            return DvaeModel(options, space.elements, names)
    raise AssertionError(f"a {spec.model.kind} does not learn {space.kind}")  # the spec sees to it


def start_model(spec: CampaignSpec, path: Path) -> GenerativeModel:
    """Return the spec's model with the weights of a checkpoint that was trained on other data.

    Raises:
        ModelError: if the checkpoint is of another kind or size.
        SpecError: if its crystals are smaller than those of the space.
    """
    assert isinstance(spec.model, FtcpOptions)  # no other kind has the key
    assert isinstance(spec.space, Structures)
    from alloop.models.ftcp.model import FtcpModel  # noqa: PLC0415

    trained = FtcpModel.load(path)
    if spec.space.max_atoms > trained.size.sites:
        raise SpecError(
            f"space.max_atoms is {spec.space.max_atoms}, but the model to start from has room for "
            f"{trained.size.sites} sites",
            where=str(path),
            remedy=f"Set space.max_atoms to {trained.size.sites}, or train one with more room.",
        )
    return trained.adapted(spec.model, spec.property_names(), elements=spec.space.elements)


def load_model(spec: CampaignSpec, path: Path) -> GenerativeModel:
    """Return the spec's kind of model, from a checkpoint."""
    match spec.model:
        case LatticeOptions():
            return LatticeModel.load(path)
        case PcdvaeOptions():
            from alloop.models.pcdvae.model import PcdvaeModel  # noqa: PLC0415

            return PcdvaeModel.load(path)
        case FtcpOptions():
            from alloop.models.ftcp.model import FtcpModel  # noqa: PLC0415

            return FtcpModel.load(path)
        case DvaeOptions():
            from alloop.models.dvae.model import DvaeModel  # noqa: PLC0415

            return DvaeModel.load(path)


def software_versions() -> Mapping[str, str]:
    """Return the versions that a campaign's first event records."""
    return {"python": python_version()} | {name: metadata.version(name) for name in VERSIONED}
