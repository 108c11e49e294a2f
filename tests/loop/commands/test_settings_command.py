"""`alloop settings`: what a user sees of the settings, and what is missing."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from alloop.settings.profiles import Settings
from tests.typed import Typed, typed_at


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    return typed_at(300, monkeypatch, capsys)


def test_without_a_file_it_says_where_one_would_be(typed: Typed) -> None:
    code, out, _ = typed("settings")
    assert code == 0
    assert "alloop/settings.yaml (not there yet; `alloop settings --example` prints one)" in out
    assert "no scheduler is named in profiles.default.dask.address" in out


def test_the_example_can_be_used_as_it_is(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = typed("settings", "--example")
    assert code == 0
    path = tmp_path / "mine.yaml"
    path.write_text(out)
    path.chmod(0o600)
    monkeypatch.setenv("ALLOOP_SETTINGS", str(path))
    code, shown, _ = typed("settings")
    assert code == 0
    assert str(path) in shown
    assert set(yaml.safe_load(out)["profiles"]) == {"default", "cluster"}
    assert "profiles  default, cluster" in shown
    assert "srun vasp_std" in shown


def test_what_is_missing_is_said_for_each_kind(
    typed: Typed, settings_of: Callable[[object], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, path=None: name if name == "here" else None)
    path = settings_of(
        {"x": {"vasp": {"command": ["here"]}, "espresso": {"command": ["nowhere", "-v"]}}}
    )
    code, out, _ = typed("settings", "--json")
    assert code == 0
    shown = json.loads(out)
    assert shown["file"] == str(path)
    assert shown["exists"]
    Settings.model_validate_json(json.dumps({"profiles": shown["profiles"]}))
    missing = {use["use"]: use["missing"] for use in shown["uses"] if use["profile"] == "x"}
    assert missing["engine: vasp"] == ""
    assert "no program 'nowhere'" in missing["engine: espresso"]
    assert "profiles.x.espresso.command" in missing["engine: espresso"]
    assert "sbatch" in missing["execution: slurm"]
    assert "profiles.x.dask.address" in missing["execution: dask"]
    assert {use["profile"] for use in shown["uses"]} == {"default", "x"}


def test_a_mistake_is_one_line(typed: Typed, settings_of: Callable[[object], Path]) -> None:
    path = settings_of({"x": {"vasp": {"command": f"{sys.executable} -v"}}})
    code, out, err = typed("settings")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert f"{path}: profiles.x.vasp.command: a command is a list of words" in err
