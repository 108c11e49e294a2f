"""Potentials by name: known, whole, and as published."""

from dataclasses import replace
from pathlib import Path

import pytest

from alloop.errors import PotentialError
from oracles.lammps.options import LammpsOptions
from oracles.lammps.oracle import LammpsOracle
from oracles.lammps.potentials import ParameterFile, find_potential, potential_names


@pytest.mark.parametrize("name", potential_names())
def test_files_of_every_potential_are_what_their_checksums_say(name: str) -> None:
    potential = find_potential(name)
    for file in (potential.library, potential.parameters):
        assert file.checked_path().is_file()
    assert set(potential.references) == set(potential.elements)
    assert potential.citation


def test_an_unknown_potential_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(PotentialError, match=r"no potential 'Wu'.*NiFeCr-Wu2017"):
        LammpsOracle(LammpsOptions(potential="Wu"))


def test_a_missing_element_is_refused_before_anything_runs(options: LammpsOptions) -> None:
    with pytest.raises(PotentialError, match="has no Al, Ti; it covers Ni, Cr, Fe"):
        LammpsOracle(options, elements=["Ni", "Al", "Ti"])


def test_a_changed_parameter_file_is_refused(tmp_path: Path) -> None:
    original = find_potential("NiFeCr-Wu2017").parameters
    copy = tmp_path / "NiFeCr.meam"
    copy.write_bytes(original.path.read_bytes() + b"rc = 5\n")
    with pytest.raises(PotentialError, match="has changed"):
        ParameterFile(copy, original.checksum).checked_path()
    with pytest.raises(PotentialError, match="cannot be read"):
        replace(original, path=tmp_path / "absent").checked_path()


def test_parameters_are_the_published_ones(allogen: Path) -> None:
    potential = find_potential("NiFeCr-Wu2017")
    published = allogen / "potentials" / "NiCrFe"
    assert _pairs(potential.parameters.path) == _pairs(published / "NiCrFe.meam")
    assert _words(potential.library.path) == _words(published / "library.meam")


def _lines(path: Path) -> list[str]:
    return [line.split("#")[0].strip() for line in path.read_text().splitlines()]


def _pairs(path: Path) -> dict[str, float | str]:
    assignments = [line.split("=") for line in _lines(path) if "=" in line]
    pairs = {name.replace(" ", ""): _number(value.strip()) for name, value in assignments}
    assert len(pairs) == len(assignments), "a parameter is given twice"
    return pairs


def _words(path: Path) -> list[float | str]:
    return [_number(word) for line in _lines(path) for word in line.split()]


def _number(word: str) -> float | str:
    return word if "'" in word else float(word)
