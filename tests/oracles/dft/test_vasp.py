import pickle
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from pymatgen.io.vasp import Incar

from alloop.errors import MissingSoftware, SpecError
from alloop.oracles.base import FailureKind, Status
from alloop.oracles.dft.options import DftOptions
from alloop.oracles.dft.oracle import DftOracle
from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.oracle import LammpsOracle
from alloop.settings.profiles import Profile, VaspSettings

pytestmark = [
    # pymatgen's advice about smearing, which atomate2's generators know better.
    pytest.mark.filterwarnings("ignore:ISMEAR = 0 with a small SIGMA"),
    # There are no POTCARs here, only their names.
    pytest.mark.filterwarnings("ignore:No POTCAR file with matching TITEL fields"),
    # custodian reads what did not converge in order to correct it.
    pytest.mark.filterwarnings("ignore:.*is an unconverged VASP run"),
]


def n_runs(runs: Path) -> int:
    return len(runs.read_text().splitlines()) if runs.exists() else 0


def test_what_the_stand_in_calculates_arrives_unchanged(vasp, feni3):
    # The stand-in's potential is that of the LAMMPS oracle, which knows nothing of VASP's files.
    measured = vasp(protocol="relax", strain=0.005).measure(feni3)
    expected = LammpsOracle(LammpsOptions(potential="NiFeCr-Wu2017")).measure(feni3)
    assert measured.status is Status.OK, measured.failure
    for name, tolerance in (
        ("energy_per_atom", 1e-4),
        ("volume_per_atom", 0.03),
        ("bulk_modulus", 3.0),
    ):
        assert measured.properties[name] == pytest.approx(expected.properties[name], abs=tolerance)
    assert measured.properties["magnetisation"] == pytest.approx((2.2 + 3 * 0.6) / 4)
    assert [site.specie.symbol for site in measured.material] == ["Ni", "Fe", "Ni", "Ni"]
    assert measured.cost.wall_seconds > 0


@pytest.mark.parametrize(("said", "gap"), [("1.25", 1.25), ("0.3", 0.0)])
def test_a_gap_is_that_of_the_bands_and_none_is_zero(vasp, feni, monkeypatch, said, gap):
    monkeypatch.setenv("VASP_STAND_IN_GAP", said)
    oracle = vasp(protocol="static")
    measured = oracle.measure(feni)
    assert measured.status is Status.OK, measured.failure
    assert measured.properties["band_gap"] == pytest.approx(gap)
    assert oracle.options.measures()["band_gap"] == "eV"
    assert "band_gap" not in DftOptions(engine="chgnet").measures()


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("unconverged", FailureKind.NOT_CONVERGED, "custodian gave up"),
        ("truncated", FailureKind.WORKER_DIED, "incomplete"),
        ("killed", FailureKind.WORKER_DIED, "killed"),
        ("wrong-potcar", FailureKind.ERROR, "another level of theory"),
        ("disk-full", FailureKind.WORKER_DIED, "disk is full"),
        ("no-energy", FailureKind.UNPHYSICAL, "no finite energy"),
    ],
)
def test_a_fault_is_a_failure_and_never_a_label(vasp, feni, monkeypatch, fault, kind, words):
    monkeypatch.setenv("VASP_STAND_IN_FAULT", fault)
    failed = vasp(protocol="static").measure(feni)
    assert failed.status is Status.FAILED
    assert failed.properties == {}
    assert failed.failure.kind is kind
    assert words in failed.failure.message


def test_a_cell_that_falls_apart_is_no_result(vasp, feni, monkeypatch):
    monkeypatch.setenv("VASP_STAND_IN_FAULT", "exploded")
    failed = vasp(protocol="relax", strain=0).measure(feni)
    assert failed.failure.kind is FailureKind.UNPHYSICAL
    assert "max_volume_change" in failed.failure.message


def test_a_relaxation_that_was_told_to_stop_is_no_result(vasp, feni, monkeypatch):
    # To atomate2 it is successful: it ended before its last step.
    monkeypatch.setenv("VASP_STAND_IN_FAULT", "overtime")
    failed = vasp(protocol="relax", strain=0, timeout=8.0).measure(feni)
    assert failed.failure.kind is FailureKind.TIMEOUT
    assert failed.failure.retryable


def test_what_was_killed_once_is_run_again(vasp, feni, runs, monkeypatch):
    monkeypatch.setenv("VASP_STAND_IN_FAULT", "killed:1")
    measured = vasp(protocol="static").measure(feni)
    assert measured.status is Status.OK
    assert n_runs(runs) == 2


def test_nothing_is_calculated_twice(vasp, feni, runs):
    first = vasp(protocol="static").measure(feni)
    again = vasp(protocol="static").measure(feni)  # as after a controller's death
    assert n_runs(runs) == 1
    assert again == first


def test_settings_reach_vasp(vasp, feni, tmp_path):
    oracle = vasp(
        protocol="static",
        magmoms={"Fe": 2.7},
        vasp={"functional": "PBEsol", "incar": {"ENCUT": 400}},
    )
    measured = oracle.measure(feni)
    assert measured.status is Status.OK, measured.failure
    found = sorted((tmp_path / "dft").rglob("INCAR.gz"))
    incar = Incar.from_file(found[0])
    assert incar["ENCUT"] == 400
    assert incar["GGA"].upper() == "PS"
    assert incar["ISPIN"] == 2
    assert incar["MAGMOM"] == [2.7, 1.0]


def test_every_setting_that_changes_energies_is_in_the_fingerprint(vasp):
    settings = [
        {},
        {"vasp": {"functional": "PBEsol"}},
        {"vasp": {"incar": {"ENCUT": 600}}},
        {"vasp": {"kpoints": {"reciprocal_density": 100}}},
        {"vasp": {"potcars": {"Fe": "Fe_pv"}}},
        {"vasp": {"potcar_family": "PBE_64"}},
        {"vasp": {"inputs": "tight-relax"}},
        {"spin": False},
        {"force_tolerance": 0.01},
    ]
    assert len({vasp(**each).fingerprint() for each in settings}) == len(settings)
    elsewhere = [
        {},
        {"timeout": 9.0},
        {"cores": 16},
        {"profile": "cluster"},
        {"vasp": {"poll": 1.0}},
        {"vasp": {"command": (sys.executable, "-u", "vasp")}},
        {"vasp": {"gamma_command": (sys.executable,)}},
    ]
    assert len({vasp(**each).fingerprint() for each in elsewhere}) == 1


def test_a_missing_program_stops_at_once_with_what_to_do():
    profile = Profile(vasp=VaspSettings(command=("no_such_vasp", "-v")))
    with pytest.raises(MissingSoftware, match=r"vasp.command.*no_such_vasp.*chgnet"):
        DftOracle(DftOptions(engine="vasp"), profile=profile)


def test_missing_potcars_stop_at_once_with_what_to_do(vasp, monkeypatch, tmp_path):
    monkeypatch.setattr("pymatgen.io.vasp.inputs.SETTINGS", {"PMG_VASP_PSP_DIR": str(tmp_path)})
    with pytest.raises(MissingSoftware, match=r"POTCAR.*PMG_VASP_PSP_DIR"):
        vasp(vasp={"potcar_spec": False})


def test_tags_that_other_options_set_are_refused(vasp):
    with pytest.raises(SpecError, match="MAGMOM"):
        vasp(vasp={"incar": {"MAGMOM": "5 5"}})


def test_killing_the_worker_during_vasp_neither_loses_nor_repeats_it(vasp, feni, runs, monkeypatch):
    """A worker is killed while VASP runs; VASP, in a session of its own, lives on."""
    monkeypatch.setenv("VASP_STAND_IN_FAULT", "slow:1")
    program = (
        "import pickle, sys; oracle, material = pickle.load(sys.stdin.buffer); "
        "oracle.measure(material)"
    )
    oracle = vasp(protocol="static")
    worker = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", program],
        stdin=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[3],
    )
    assert worker.stdin is not None
    worker.stdin.write(pickle.dumps((oracle, feni)))
    worker.stdin.close()
    until = time.monotonic() + 60
    while not runs.exists() and time.monotonic() < until:
        time.sleep(0.1)
    orphan = psutil.Process(int(runs.read_text().split()[0]))
    worker.kill()
    worker.wait()
    assert orphan.is_running()

    measured = oracle.measure(feni)
    assert measured.status is Status.OK, measured.failure
    assert not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE
    assert len(runs.read_text().splitlines()) == 2
    assert oracle.measure(feni) == measured
    assert len(runs.read_text().splitlines()) == 2
