"""`alloop measure`: files in, an answer for each of them out."""

import csv
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure

from alloop.loop.commands.app import main
from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.oracle import LammpsOracle

ORACLE = "kind: lammps\npotential: NiFeCr-Wu2017\nproperties: [bulk_modulus]\n"
SITES = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
NI3CR = Structure(Lattice.cubic(3.52), ["Cr", "Ni", "Ni", "Ni"], SITES)

Measure = Callable[..., tuple[int, str, str]]


@pytest.fixture
def measure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Measure:
    """Return a function that types `alloop measure` in a folder: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "oracle.yaml").write_text(ORACLE)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["alloop", "measure", *words])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        return code, *capsys.readouterr()

    return run


def test_every_file_gets_an_answer_and_the_bad_ones_a_reason(
    measure: Measure, tmp_path: Path
) -> None:
    poscar = NI3CR.to(fmt="poscar")
    gold = NI3CR.copy()
    gold.replace(0, "Au")
    half = Structure(NI3CR.lattice, [{"Ni": 0.5, "Cr": 0.5}], [[0, 0, 0]])
    close = Structure(NI3CR.lattice, ["Ni", "Ni"], [[0, 0, 0], [0.01, 0, 0]])
    contents = {
        "nan.cif": NI3CR.to(fmt="cif").replace("0.50000000", "nan", 1),
        "good.cif": NI3CR.to(fmt="cif"),
        "torn.cif": "data_x\n_cell_length_a",
        "half.cif": half.to(fmt="cif"),
        "close.cif": close.to(fmt="cif"),
        "POSCAR.nan": poscar.replace("0.5000000000000000", "nan", 1),
        "POSCAR.gold": gold.to(fmt="poscar"),
        "free.xyz": '1\nLattice="3 0 0 0 3 0 0 0 3" pbc="T T F"\nNi 0 0 0\n',
        "POSCAR": poscar,
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(content)
    words = (*contents, "gone.cif", "--oracle", "oracle.yaml")

    code, out, _ = measure(*words, "--format", "json")
    assert code == 0
    answers = {answer["file"]: answer for answer in json.loads(out)}
    assert list(answers) == [*contents, "gone.cif"]
    reasons = {name: answer["failure"] for name, answer in answers.items() if answer["failure"]}
    assert {name: reason["kind"] for name, reason in reasons.items()} == {
        "torn.cif": "unsupported",
        "nan.cif": "unsupported",
        "half.cif": "unsupported",
        "close.cif": "lost_atoms",
        "POSCAR.nan": "unphysical",
        "POSCAR.gold": "unsupported",
        "free.xyz": "unsupported",
        "gone.cif": "unsupported",
    }
    for name, says in {
        "nan.cif": "NaN",
        "half.cif": "partly",
        "free.xyz": "periodic",
        "POSCAR.gold": "Au",
    }.items():
        assert says in reasons[name]["message"]

    oracle = LammpsOracle(LammpsOptions(potential="NiFeCr-Wu2017"))
    expected = oracle.measure(NI3CR)
    oracle.close()
    for name in ("good.cif", "POSCAR"):
        assert answers[name]["status"] == "ok"
        assert answers[name]["properties"] == pytest.approx(dict(expected.properties), rel=1e-6)
        assert answers[name]["cost"]["calls"] == 1
    assert answers["torn.cif"]["cost"]["calls"] == 0
    assert {answer["fingerprint"] for answer in answers.values()} == {expected.fingerprint}

    code, out, _ = measure("good.cif", "torn.cif", "--oracle", "oracle.yaml", "--format", "csv")
    good, torn = csv.DictReader(io.StringIO(out))
    assert float(good["bulk_modulus"]) == answers["good.cif"]["properties"]["bulk_modulus"]
    assert (torn["bulk_modulus"], torn["failure"]) == ("", "unsupported")

    code, out, _ = measure("torn.cif", "--oracle", "oracle.yaml")
    assert code == 0
    assert "torn.cif" in out


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("potential: NiFeCr-Wu2017\n", "oracle.yaml: kind: this key is missing"),
        ("kind: abacus\n", "oracle.yaml: kind: there is no kind 'abacus'"),
        ("kind: lammps\n", "oracle.yaml: potential: this key is missing"),
        (
            "kind: lammps\npotental: x\n",
            "potental: unknown key 'potental' with the value 'x' (and 1 more). Did",
        ),
        (ORACLE + "timeout: -1\n", "oracle.yaml: timeout: -1 does not fit"),
        (ORACLE + "timeout: 1\ntimeout: 2\n", "stands twice"),
        (ORACLE.replace("bulk_modulus", "beauty"), "beauty"),
        ("kind: lammps\npotential: Nobody1900\n", "oracle.yaml: potential: there is no potential"),
        ("[1, 2]\n", "no mapping"),
        ("{", "not readable as YAML"),
        ("kind: !!python/object/apply:os.system [true]\n", "not readable as YAML"),
        (None, "oracle.yaml: cannot be read"),
    ],
)
def test_a_bad_oracle_is_one_line_and_exit_code_2(
    measure: Measure, tmp_path: Path, content: str | None, says: str
) -> None:
    (tmp_path / "POSCAR").write_text(NI3CR.to(fmt="poscar"))
    path = tmp_path / "oracle.yaml"
    path.unlink()
    if content is not None:
        path.write_text(content)
    code, out, err = measure("POSCAR", "--oracle", "oracle.yaml")
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert len(err.strip().splitlines()) == 1
    assert says in err
