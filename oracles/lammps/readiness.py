"""Whether LAMMPS and its potentials are at hand; known without importing what simulates."""

from collections.abc import Iterable

from alloop.errors import PotentialError
from alloop.oracles.lammps.options import LammpsOptions, OwnPotential
from alloop.oracles.lammps.potentials.catalogue import find_potential
from alloop.oracles.lammps.potentials.definition import Potential
from alloop.oracles.lammps.simulation.runtime import lammps_version

SINGLE_THREADED = frozenset({"meam", "snap"})
"""Pair styles without a variant for OpenMP in LAMMPS."""


def check_lammps(options: LammpsOptions, elements: Iterable[str]) -> None:
    """Check all potentials of a tier, and that LAMMPS is installed.

    Raises:
        PotentialError, MissingSoftware: as of ``LammpsOracle``.
    """
    lammps_version()
    ready_potential(options, options.potential, elements)
    for system in options.systems:
        ready_potential(options, system.potential, system.elements)


def ready_potential(
    options: LammpsOptions, wanted: str | OwnPotential | Potential, elements: Iterable[str]
) -> Potential:
    """Return a potential that can be used as the options say.

    Args:
        options: of the tier.
        wanted: the potential, or its name or files.
        elements: those it will be asked for.

    Raises:
        PotentialError: if it is unknown, lacks one of the elements, cannot use the threads that are
            asked for, or one of its files is missing or changed.
    """
    potential = wanted if isinstance(wanted, Potential) else find_potential(wanted)
    potential.require(elements)
    if options.threads > 1 and potential.pair_style in SINGLE_THREADED:
        raise PotentialError(
            f"LAMMPS computes the pair style {potential.pair_style} on one thread only, "
            f"not on {options.threads}",
            where="threads",
            remedy="Leave threads out and use more workers.",
        )
    for file in potential.files:
        file.checked_path()
    return potential
