from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from alloop.errors import SpecError
from alloop.loop.commands.registry import app

ARGUMENTS = ["dataset", "nifecr", "--cells", "1x1x1", "--per-composition", "1"]


def test_a_data_set_is_made_and_not_made_twice(tmp_path: Path) -> None:
    first = CliRunner().invoke(app, [*ARGUMENTS, "--out", str(tmp_path)])
    assert first.exit_code == 0, first.output
    rows = pd.concat([pd.read_csv(tmp_path / name) for name in ("train.csv", "test.csv")])
    assert set(rows["pretty_formula"]) <= {"Cr1Fe1", "Cr1Ni1", "Fe1Ni1"}
    assert rows["bulk_modulus"].between(100, 250).all()
    measured = (tmp_path / "measurements.jsonl").read_bytes()
    again = CliRunner().invoke(app, [*ARGUMENTS, "--out", str(tmp_path)])
    assert again.exit_code == 0, again.output
    assert (tmp_path / "measurements.jsonl").read_bytes() == measured


@pytest.mark.parametrize("cells", ["2x2", "2x2x3", "0x0x0", "axaxa", "2"])
def test_cells_that_are_none_are_refused(tmp_path: Path, cells: str) -> None:
    asked = ["dataset", "nifecr", "--cells", cells, "--out", str(tmp_path / "no")]
    result = CliRunner().invoke(app, asked)
    assert isinstance(result.exception, SpecError)
    assert "--cells" in str(result.exception)
    assert not (tmp_path / "no").exists()


def test_an_unknown_name_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["dataset", "auag", "--out", str(tmp_path / "no")])
    assert isinstance(result.exception, SpecError)
    assert "nifecr" in str(result.exception)


@pytest.mark.parametrize("bad", [["--per-composition", "0"], ["--local-search-share", "1.5"]])
def test_numbers_out_of_range_are_refused(tmp_path: Path, bad: list[str]) -> None:
    result = CliRunner().invoke(app, [*ARGUMENTS, *bad, "--out", str(tmp_path / "no")])
    assert result.exit_code == 2
