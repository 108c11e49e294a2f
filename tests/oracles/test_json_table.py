"""Tables in JSON, and CSVs without a header, answer as CSVs with one do."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from pymatgen.core import Composition, Lattice, Structure

from alloop.errors import DataError
from alloop.oracles.table.options import TableOptions
from alloop.oracles.table.oracle import TableOracle
from alloop.testing.oracles import check_oracle

CRYSTAL = Structure(Lattice.cubic(3.0), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
OTHER = Structure(Lattice.cubic(2.9), ["Ni", "Al"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def records() -> list[dict[str, Any]]:
    return [
        {"id": "a", "structure": CRYSTAL.as_dict(), "modulus": 20.5},
        {"id": "b", "structure": OTHER.as_dict(), "modulus": 160},
    ]


def table(path: Path, data: object) -> TableOracle:
    text = data if isinstance(data, str) else json.dumps(data)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    options = {
        "file": path,
        "structure": "structure",
        "properties": {"bulk_modulus": "modulus"},
        "ignore": ["id"],
    }
    return TableOracle(TableOptions.model_validate(options))


@pytest.mark.parametrize("name", ["moduli.json", "moduli.json.gz"])
def test_crystals_of_json_records_are_looked_up(tmp_path: Path, name: str) -> None:
    found = table(tmp_path / name, records())
    assert found.materials() == (CRYSTAL, OTHER)
    check_oracle(found, OTHER, [Composition("NiAl")])
    assert found.measure(OTHER).properties == {"bulk_modulus": 160.0}


def test_packing_changes_no_label_and_no_fingerprint(tmp_path: Path) -> None:
    plain, packed = (table(tmp_path / name, records()) for name in ("a.json", "b.json.gz"))
    assert plain.fingerprint() == packed.fingerprint()


def _partly(data: list[dict[str, Any]]) -> None:
    data[1]["structure"]["sites"][0]["species"][0]["occu"] = 0.5


def _unlike(data: list[dict[str, Any]]) -> None:
    del data[1]["id"]


def _unknown(data: list[dict[str, Any]]) -> None:
    data[1]["structure"]["sites"][0]["species"][0]["element"] = "Qq"


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (_partly, "record 2, column 'structure': .*partly occupied"),
        (_unlike, "record 2: its keys are not those"),
        (_unknown, "record 2, column 'structure': .*Qq"),
        (lambda data: data[0].update(modulus="stiff"), "record 1, column 'modulus': 'stiff' is"),
        (lambda data: data.append(data[0]), "record 3: .* is already in record 1"),
        (lambda data: data.append(3), "not a list of records"),
        (lambda data: data.clear(), "no rows|no column"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, spoil: Any, problem: str) -> None:
    data = records()
    spoil(data)
    with pytest.raises(DataError) as caught:
        table(tmp_path / "moduli.json", data)
    place = f"{caught.value.where}: {caught.value.what}"
    assert re.search(problem, place), place


@pytest.mark.parametrize("text", ["[", "[" * 100_000, "nonsense"])
def test_what_is_no_json_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match="this is not JSON"):
        table(tmp_path / "moduli.json", text)


def test_a_file_that_is_not_packed_although_it_says_so_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "moduli.json.gz"
    table(path, records())
    path.write_bytes(path.read_bytes()[:-20])
    options = {"file": path, "structure": "structure", "properties": {"bulk_modulus": "modulus"}}
    with pytest.raises(DataError, match="cannot be read"):
        TableOracle(TableOptions.model_validate(options))


def headless(path: Path, **options: object) -> TableOptions:
    path.write_text("0.5,0.5,0.31\n1.0,0.0,0.42\n")
    settings = {"file": path, "properties": {"overpotential": "V"}, "columns": ["Ni", "Fe", "V"]}
    return TableOptions.model_validate(settings | options)


def test_columns_are_named_where_the_file_has_no_header(tmp_path: Path) -> None:
    # V is the column of the overpotential here, though vanadium's symbol too.
    found = TableOracle(headless(tmp_path / "plate.csv"))
    assert found.materials() == (Composition("Ni0.5Fe0.5"), Composition("Ni"))
    assert found.measure(Composition("NiFe")).properties == {"overpotential": 0.31}


def test_names_of_columns_are_checked(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="columns names one twice"):
        headless(tmp_path / "plate.csv", columns=["Ni", "Ni", "V"])
    with pytest.raises(ValueError, match="columns does nothing for a JSON file"):
        headless(tmp_path / "plate.json")
    with pytest.raises(DataError, match="3 cells for 4 columns"):
        TableOracle(headless(tmp_path / "plate.csv", columns=["Ni", "Fe", "Co", "V"]))
