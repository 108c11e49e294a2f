"""A table answers for what it has, and is refused whole when anything in it is wrong."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from pymatgen.core import Composition, Lattice, Structure

from alloop.errors import DataError
from alloop.oracles.base import FailureKind
from alloop.oracles.table.options import TableOptions
from alloop.oracles.table.oracle import TableOracle
from alloop.public_data.datasets import VARIABLE
from alloop.testing.oracles import check_oracle

LABEL = {"single_phase_probability": "Class"}
HEADER = "Alloys,Class,Fe,Ni,Cr\n"
ROWS = ("FeNi,1,0.5,0.5,0\n", "Fe2NiCr,0,0.5,0.25,0.25\n", "Cr,1,0,0,1\n")


def oracle(path: Path, text: str, **options: object) -> TableOracle:
    path.write_text(text, encoding="utf-8")
    settings = {"file": path, "properties": LABEL, "formula": "Alloys"} | options
    return TableOracle(TableOptions.model_validate(settings))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "alloys.csv"


def test_it_keeps_the_promises_of_an_oracle(path: Path) -> None:
    table = oracle(path, "# a remark\n" + HEADER + "".join(ROWS))
    crystal = Structure(Lattice.cubic(3.6), ["Ni"], [[0, 0, 0]])
    check_oracle(table, Composition("Ni3Fe3"), [Composition("FeNi2"), crystal])
    assert [m.formula for m in table.materials()] == ["Fe0.5 Ni0.5", "Cr0.25 Fe0.5 Ni0.25", "Cr1"]


def test_labels_are_those_of_the_file_however_the_formula_is_written(path: Path) -> None:
    table = oracle(path, HEADER + "".join(ROWS))
    assert table.measure(Composition("CrFe2Ni")).properties == {"single_phase_probability": 0.0}
    assert table.measure(Composition("Cr0.25Fe0.5Ni0.25")).properties == {
        "single_phase_probability": 0.0
    }
    absent = table.measure(Composition("FeCr"))
    assert absent.failure is not None
    assert absent.failure.kind is FailureKind.UNSUPPORTED
    assert not absent.failure.retryable


def test_a_formula_alone_or_fractions_alone_are_enough(path: Path) -> None:
    by_formula = oracle(path, "Alloys,Class\nFeNi,1\n")
    by_fractions = oracle(path, "Class,Fe,Ni\n1,0.5,0.5\n")
    for table in (by_formula, by_fractions):
        assert table.measure(Composition("FeNi")).failure is None


def test_crystals_are_looked_up_as_they_stand_in_the_file(path: Path) -> None:
    crystal = Structure(Lattice.cubic(3.6), ["Fe", "Ni"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    cif = crystal.to(fmt="cif")
    table = oracle(
        path,
        f'cif,heat\n"{cif}",-0.5\n',
        structure="cif",
        properties={"formation_energy_per_atom": "heat"},
    )
    (material,) = table.materials()
    check_oracle(table, material, [Composition("FeNi")])
    assert table.measure(material).properties == {"formation_energy_per_atom": -0.5}


def test_a_crystal_in_other_coordinates_is_answered_by_the_row_that_it_matches(path: Path) -> None:
    sites = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    rows = {
        heat: Structure(Lattice.cubic(4.0), species, sites)
        for heat, species in ((0.1, ["Sr", "Ti", *"OOO"]), (0.2, ["Ti", "Sr", *"OOO"]))
    }
    text = "cif,heat\n" + "".join(f'"{c.to(fmt="cif")}",{heat}\n' for heat, c in rows.items())
    columns = {"structure": "cif", "properties": {"formation_energy_per_atom": "heat"}}
    exact = oracle(path, text, **columns)
    table = oracle(path, text, **columns, match="structure")
    stretched = rows[0.2].copy()
    stretched.translate_sites(range(5), [0.3, 0.1, 0.2])
    stretched.apply_strain(0.1)
    stretched.perturb(0.1)
    check_oracle(
        table, stretched, [Composition("SrTiO3"), Structure(Lattice.cubic(3), ["O"], [[0] * 3])]
    )
    found = table.measure(stretched)
    assert found.properties == {"formation_energy_per_atom": 0.2}
    assert found.material == table.materials()[1]
    assert table.measure(stretched * (2, 1, 1)).properties == found.properties
    assert exact.measure(stretched).failure is not None
    places = [[0, 0, height] for height in (0, 0.2, 0.4, 0.6, 0.8)]
    stack = Structure(Lattice.tetragonal(2.5, 11), ["Sr", "Ti", *"OOO"], places)
    failure = table.measure(stack).failure
    assert failure is not None
    assert failure.kind is FailureKind.UNSUPPORTED
    assert table.fingerprint() != exact.fingerprint()
    with pytest.raises(ValidationError, match="match: structure needs crystals"):
        TableOptions(file=path, properties=LABEL, match="structure")


def test_the_fingerprint_is_of_the_content_not_of_the_place(tmp_path: Path) -> None:
    text = HEADER + "".join(ROWS)
    here, there = oracle(tmp_path / "a.csv", text), oracle(tmp_path / "b.csv", text)
    assert here.fingerprint() == there.fingerprint()
    changed = oracle(tmp_path / "c.csv", text.replace("FeNi,1", "FeNi,0"))
    assert changed.fingerprint() != here.fingerprint()


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("FeNi2),1,0.5,0.5,0\n", r"line 5, column 'Alloys': 'FeNi2\)' is not a formula"),
        ("Xx,1,0.5,0.5,0\n", "line 5, column 'Alloys'.*not every symbol"),
        ("NaN,1,0.5,0.5,0\n", "line 5, column 'Alloys'"),
        (f"{'Fe' * 200},1,0.5,0.5,0\n", "too long"),
        (",1,0.5,0.5,0\n", "line 5, column 'Alloys'.*empty"),
        ("CoFe,1,0.5,0,0\n", "line 5: the fractions of the elements sum to 0.5"),
        ("FeCo,1,1,0,0\n", "FeCo has Co, which has no column"),
        ("FeNi3,1,0.5,0.5,0\n", "line 5, column 'Fe': the fraction 0.5 is not that of FeNi3, 0.25"),
        ("FeNi3,1,25,75,0\n", "line 5, column 'Fe': '25' is not a fraction"),
        ("FeNi3,1,a,0.75,0\n", "line 5, column 'Fe': 'a' is not a fraction"),
        ("FeNi3,yes,0.25,0.75,0\n", "line 5, column 'Class': 'yes' is not a finite number"),
        ("FeNi3,0.5,0.25,0.75,0\n", "line 5, column 'Class'.*labels are 0 or 1"),
        ("FeNi3,nan,0.25,0.75,0\n", "line 5, column 'Class': 'nan' is not a finite number"),
        ("FeNi3,,0.25,0.75,0\n", "line 5, column 'Class': there is no value"),
        ("FeNi3,1,0.25\n", "line 5: the row has 3 cells for 5 columns"),
        ("\n", "line 5: the row is empty"),
        (",,,,\n", "line 5: the row is empty"),
        ("NiFe,0,0.5,0.5,0\n", "line 5: Fe0.5Ni0.5 is already in line 2"),
        ('"FeNi,1,0,0,0', "not CSV"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_loaded(path: Path, bad: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        oracle(path, HEADER + "".join(ROWS) + bad)
    assert str(path) in caught.value.where


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Alloys,phase,Fe\nFe,1,1\n", "no column 'Class'. Its columns are Alloys, phase, Fe"),
        ("name,Class\nFe,1\n", "no column 'Alloys'"),
        ("Alloys,Class,hardness\nFe,1,2\n", "the column 'hardness' means nothing here"),
        ("Alloys,Class,Class\nFe,1,2\n", "'Class' appears twice"),
        ("Alloys,Class\n", "no rows"),
        ("# nothing\n", "no header"),
        ("", "no header"),
    ],
)
def test_other_columns_are_refused(path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        oracle(path, text)


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    missing = TableOptions(file=tmp_path / "none.csv", properties=LABEL)
    with pytest.raises(DataError, match="cannot be read"):
        TableOracle(missing)
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not text"):
        TableOracle(TableOptions(file=tmp_path / "binary.csv", properties=LABEL))


def test_of_duplicates_the_first_counts_if_asked(path: Path) -> None:
    text = HEADER + "".join(ROWS) + "NiFe,0,0.5,0.5,0\n"
    table = oracle(path, text, duplicates="first")
    assert len(table.materials()) == 3
    assert table.measure(Composition("FeNi")).properties == {"single_phase_probability": 1.0}


def test_columns_can_be_left_out(path: Path) -> None:
    text = "Alloys,Class,hardness,W\nFe,1,2,3\n"
    assert oracle(path, text, ignore=("hardness", "W")).materials() == (Composition("Fe"),)


def test_a_data_set_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    (tmp_path / "hea").mkdir()
    (tmp_path / "hea" / "HEA_top30_comps.csv").write_text(HEADER + "".join(ROWS))
    options = TableOptions(dataset="hea", properties=LABEL, formula="Alloys")
    assert len(TableOracle(options).materials()) == 3


@pytest.mark.parametrize(
    "bad",
    [
        {"properties": LABEL},
        {"file": "a.csv", "dataset": "hea", "properties": LABEL},
        {"file": "a.csv", "properties": {}},
        {"file": "a.csv", "properties": LABEL, "formula": "Class"},
        {"file": "a.csv", "properties": LABEL, "duplicates": "last"},
        {"file": "a.csv", "properties": LABEL, "timeout": 0},
    ],
)
def test_bad_options_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TableOptions.model_validate(bad)
