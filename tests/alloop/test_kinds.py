"""Kinds by entry points: what is installed, and what a broken plugin does and does not do."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alloop.campaigns.load import load_spec, parse_spec
from alloop.errors import AlloopError, PluginError, SpecError
from alloop.kinds import MODELS, ORACLES, installed_kinds, options_of
from alloop.loop.commands.app import main
from alloop.oracles.options import OracleOptions

Install = Callable[..., None]

RIG = """
from typing import Literal
from alloop.oracles import OracleOptions

class RigOptions(OracleOptions):
    kind: Literal["{kind}"] = "{kind}"
    def measures(self): return {measures}
    def build(self, elements): raise {error}
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Put a distribution with one entry point where Python finds distributions."""
    monkeypatch.syspath_prepend(tmp_path)

    def put(package: str, kind: str, target: str, source: str, *, group: str = ORACLES) -> None:
        module = target.partition(":")[0]
        (tmp_path / f"{module}.py").write_text(source)
        info = tmp_path / f"{package.replace('-', '_')}-1.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.5\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{kind} = {target}\n")
        installed_kinds.cache_clear()

    yield put
    installed_kinds.cache_clear()


def rig(kind: str = "rig", measures: str = "{'overpotential': 'V'}", error: str = "OSError") -> str:
    return RIG.format(kind=kind, measures=measures, error=error)


def spec_with(kind: str, **keys: object) -> dict[str, object]:
    return {
        "name": "own",
        "space": {"elements": ["Ni", "Fe"], "atoms": 16},
        "objectives": [{"property": "overpotential", "goal": "minimise"}],
        "tiers": [{"kind": kind}],
        **keys,
    }


def ours_still_work() -> None:
    assert load_spec("nifecr-bulk-modulus").tiers[0].kind == "lammps"


def test_ours_come_in_by_the_same_door() -> None:
    oracles, models = installed_kinds(ORACLES), installed_kinds(MODELS)
    assert {"lammps", "dft", "table", "person"} <= set(oracles)
    assert {"lattice", "pcdvae", "ftcp", "dvae"} <= set(models)
    assert all(kind.package == "alloop" for kind in oracles["lammps"] + models["lattice"])


def test_an_oracle_brings_a_property_with_its_unit(install: Install) -> None:
    install("rig-package", "rig", "rig_one:RigOptions", rig())
    spec = parse_spec(spec_with("rig"), where="test")
    assert spec.units()["overpotential"] == "V"
    ours_still_work()


def test_a_kind_that_is_not_installed_is_named_with_the_remedy() -> None:
    with pytest.raises(SpecError, match=r"tiers\.0\.kind: there is no kind 'xrd'.*alloop kinds"):
        parse_spec(spec_with("xrd"), where="test")


def test_a_plugin_that_raises_at_import_harms_its_own_kind_only(install: Install) -> None:
    install("rig-package", "rig", "rig_two:RigOptions", "import a_module_that_is_absent")
    ours_still_work()
    with pytest.raises(SpecError, match=r"rig of rig-package 1\.5 cannot be imported \(Module.*"):
        parse_spec(spec_with("rig"), where="test")
    with pytest.raises(SpecError, match=r"Update or uninstall rig-package\."):
        parse_spec(spec_with("rig"), where="test")


def test_two_plugins_with_one_kind_are_both_named(install: Install) -> None:
    install("rig-package", "rig", "rig_three:RigOptions", rig())
    install("other-package", "rig", "rig_four:RigOptions", rig())
    with pytest.raises(SpecError, match=r"'rig' comes from .*other-package 1\.5.*Uninstall all"):
        parse_spec(spec_with("rig"), where="test")
    ours_still_work()


def test_a_plugin_that_takes_one_of_our_kinds_is_refused_where_it_is_used(install: Install) -> None:
    install("rig-package", "table", "rig_five:RigOptions", rig("table"))
    with pytest.raises(PluginError, match=r"'table' comes from rig-package 1\.5 and alloop"):
        options_of(ORACLES, "table", OracleOptions)
    ours_still_work()


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("class RigOptions: pass", "which is no subclass of alloop.oracles.OracleOptions"),
        ("RigOptions = 3", "which is no subclass of alloop.oracles.OracleOptions"),
        (rig("another"), "whose kind is 'another'"),
    ],
)
def test_options_of_the_wrong_form_are_refused(
    install: Install, source: str, problem: str, request: pytest.FixtureRequest
) -> None:
    module = f"rig_form_{abs(hash(request.node.name))}"
    install("rig-package", "rig", f"{module}:RigOptions", source)
    with pytest.raises(SpecError, match=problem):
        parse_spec(spec_with("rig"), where="test")
    ours_still_work()


def test_options_that_cannot_say_what_they_measure_are_refused(install: Install) -> None:
    install("rig-package", "rig", "rig_six:RigOptions", rig(measures="1 / 0"))
    with pytest.raises(SpecError, match=r"rig of rig-package is broken \(ZeroDivisionError"):
        parse_spec(spec_with("rig"), where="test")


def test_an_oracle_that_cannot_be_built_is_one_line(install: Install) -> None:
    install("rig-package", "rig", "rig_seven:RigOptions", rig(error="KeyError('port')"))
    spec = parse_spec(spec_with("rig"), where="test")
    with pytest.raises(AlloopError, match=r"cannot build its oracle \(KeyError: 'port'\)"):
        spec.build_oracles()


def test_check_says_in_one_line_that_an_oracle_cannot_be_built(
    install: Install, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install("rig-package", "rig", "rig_eleven:RigOptions", rig(error="KeyError('port')"))
    file = tmp_path / "own.yaml"
    file.write_text(
        "{name: own, space: {elements: [Ni, Fe], atoms: 16}, tiers: [{kind: rig}],\n"
        "objectives: [{property: overpotential, goal: minimise}]}"
    )
    with pytest.raises(SystemExit) as ended:
        main_with("check", str(file))
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "rig-package cannot build its oracle (KeyError: 'port')" in said


def test_a_property_declared_in_another_unit_than_an_oracle_s_is_refused(install: Install) -> None:
    install("rig-package", "rig", "rig_eight:RigOptions", rig())
    declared = spec_with("rig", properties={"overpotential": {"unit": "mV"}})
    with pytest.raises(SpecError, match=r"tiers\.0: rig measures overpotential in V, .* in mV"):
        parse_spec(declared, where="test")


def test_the_command_line_lists_kinds_and_says_which_are_broken(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("rig-package", "rig", "rig_nine:RigOptions", "1 / 0")
    with pytest.raises(SystemExit) as ended:
        main_with("kinds", "--format", "csv")
    assert ended.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("lammps,oracle,alloop,") for line in lines)
    (own,) = [line for line in lines if line.startswith("rig,oracle,rig-package,1.5,")]
    assert "cannot be used" in own
    assert "ZeroDivisionError" in own


def test_a_broken_kind_ends_a_command_with_exit_code_2(
    install: Install, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install("rig-package", "rig", "rig_ten:RigOptions", "1 / 0")
    file = tmp_path / "own.yaml"
    file.write_text(
        "{name: own, space: {elements: [Ni, Fe], atoms: 16}, tiers: [{kind: rig}],\n"
        "objectives: [{property: bulk_modulus, goal: maximise}]}"
    )
    with pytest.raises(SystemExit) as ended:
        main_with("check", str(file))
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "rig-package 1.5 cannot be imported (ZeroDivisionError" in said


def main_with(*words: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["alloop", *words])
        main()
