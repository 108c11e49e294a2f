import re
import shutil

import pytest
from ase.eos import EquationOfState
from pymatgen.core import Lattice, Structure

from alloop.errors import MissingSoftware, SpecError
from alloop.oracles.base import Measurement, Status
from alloop.oracles.dft.engines.espresso import Pseudopotential, mesh_of
from alloop.oracles.dft.options import DftOptions, EspressoOptions
from alloop.oracles.dft.oracle import DftOracle
from alloop.settings.profiles import EspressoSettings, Profile

needs_pw = pytest.mark.skipif(
    shutil.which("pw.x") is None, reason="Quantum ESPRESSO is not installed; `make espresso`"
)


def oracle_of(folder, *, elements=("Ni",), command=("pw.x",), **settings) -> DftOracle:
    options = DftOptions(
        engine="espresso", espresso=EspressoOptions(**settings), folder=folder, protocol="static"
    )
    profile = Profile(espresso=EspressoSettings(command=command))
    return DftOracle(options, elements=elements, profile=profile)


def test_the_mesh_is_no_coarser_than_asked_for():
    # 2π / 3.52 Å = 1.785 1/Å: 8.9 steps of 0.2, so 9.
    assert mesh_of(Structure(Lattice.cubic(3.52), ["Ni"], [[0.0] * 3]), 0.2) == (9, 9, 9)
    assert mesh_of(Structure(Lattice.tetragonal(2.5, 50), ["Ni"], [[0.0] * 3]), 0.2) == (13, 13, 1)


@pytest.mark.parametrize(
    ("header", "cutoffs", "valence"),
    [
        (
            "<UPF>\nSuggested minimum cutoff for wavefunctions:  48. Ry\n"
            "Suggested minimum cutoff for charge density: 457. Ry\n"
            'z_valence="1.400000000000e1"',
            (48.0, 457.0),
            14.0,
        ),
        ("<PP_HEADER>\n   10.00000000000  Z valence\n", (0.0, 0.0), 10.0),
    ],
)
def test_a_pseudopotential_s_header_is_read(tmp_path, header, cutoffs, valence):
    path = tmp_path / "X.UPF"
    path.write_text(header)
    found = Pseudopotential.read(path)
    assert (found.cutoffs, found.valence) == (cutoffs, valence)


def test_what_is_no_pseudopotential_is_named(tmp_path):
    with pytest.raises(MissingSoftware, match="no such pseudopotential"):
        Pseudopotential.read(tmp_path / "missing.UPF")
    (tmp_path / "X.UPF").write_text("nothing")
    with pytest.raises(MissingSoftware, match="no UPF"):
        Pseudopotential.read(tmp_path / "X.UPF")


def test_without_the_program_it_says_what_to_do(tmp_path):
    with pytest.raises(MissingSoftware, match="make espresso"):
        oracle_of(tmp_path, command=("no_such_pw.x",))


def test_a_check_starts_no_program_and_building_starts_that_of_the_settings(
    tmp_path, settings_of, monkeypatch
):
    program, mark = tmp_path / "pw", tmp_path / "mark"
    program.write_text(f'#!/bin/sh\necho "$LABEL" > {mark}\necho "Program PWSCF v.7.2"\n')
    program.chmod(0o755)
    (tmp_path / "Ni.UPF").write_text('z_valence="10"')
    espresso = {"command": [str(program), "-x"], "pseudopotential_folder": str(tmp_path)}
    settings_of({"here": {"espresso": espresso, "environment": {"LABEL": "as set"}}})
    options = DftOptions(
        engine="espresso",
        profile="here",
        espresso={"pseudopotentials": {"Ni": "Ni.UPF"}},
        folder=tmp_path,
    )
    options.check_ready(["Ni"])
    assert not mark.exists()
    with pytest.raises(SpecError, match="no pseudopotential is named for Cr"):
        options.check_ready(["Cr"])
    assert options.build(["Ni"]).name == "dft Quantum ESPRESSO 7.2"
    assert mark.read_text() == "as set\n"


@needs_pw
def test_cutoffs_below_those_suggested_are_refused(tmp_path):
    # A cell can collapse under them, in a calculation that calls itself successful.
    with pytest.raises(SpecError, match="Cr needs"):
        oracle_of(tmp_path, elements=["Cr"], cutoff=40.0, density_cutoff=457.0)
    with pytest.raises(SpecError, match="Ni needs"):
        oracle_of(tmp_path, cutoff=20.0, density_cutoff=160.0)


@needs_pw
def test_an_element_without_pseudopotential_is_refused(tmp_path):
    with pytest.raises(SpecError, match="Al"):
        oracle_of(tmp_path, elements=["Al"])


@needs_pw
def test_nickel_is_magnetic_and_its_moment_was_given_as_a_fraction(tmp_path):
    measured = measured_nickel(tmp_path, edge=3.52)
    assert measured.properties["magnetisation"] == pytest.approx(0.6, abs=0.15)  # 0.61 µB
    written = next(tmp_path.rglob("espresso.pwi")).read_text()
    # 1 µB of ten valence electrons; pw.x would take 1 for all of them.
    assert float(re.search(r"starting_magnetization\(1\)\s*=\s*(\S+)", written)[1]) == 0.1


@needs_pw
def test_nickel_at_a_few_volumes_has_its_lattice_constant(tmp_path):
    volumes, energies = [], []
    for edge in (3.44, 3.48, 3.52, 3.56, 3.60):
        found = measured_nickel(tmp_path, edge=edge).properties
        volumes.append(found["volume_per_atom"])
        energies.append(found["energy_per_atom"])
    volume, _, _ = EquationOfState(volumes, energies, eos="birchmurnaghan").fit()
    assert (4 * volume) ** (1 / 3) == pytest.approx(3.52, rel=0.01)  # measured, and PBE's


def measured_nickel(folder, *, edge: float) -> Measurement:
    """Calculate fcc nickel with settings that are just good enough."""
    half = edge / 2
    lattice = Lattice([[0.0, half, half], [half, 0.0, half], [half, half, 0.0]])
    oracle = oracle_of(folder, cutoff=30.0, density_cutoff=240.0, kspacing=0.4)
    measured = oracle.measure(Structure(lattice, ["Ni"], [[0.0] * 3]))
    assert measured.status is Status.OK, measured.failure
    return measured
