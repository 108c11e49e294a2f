"""A kind whose own code raises is named; the campaign ends in a sentence."""

import pytest

from alloop.campaigns.load import parse_spec
from alloop.campaigns.parts import model_faults_named, model_use_named
from alloop.errors import ModelError, PluginError, SpecError
from alloop.models.lattice.options import LatticeOptions
from alloop.oracles.lammps.options import LammpsOptions

SPEC = {
    "name": "small",
    "space": {"elements": ["Ni", "Fe"]},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
}


def test_what_a_model_raises_names_its_kind_and_package() -> None:
    with (
        pytest.raises(
            PluginError, match=r"kind lattice of alloop cannot train its model .ZeroDivisionError"
        ),
        model_faults_named(LatticeOptions()),
    ):
        _ = 1 / 0


def test_what_a_model_raises_while_candidates_are_proposed_names_its_kind() -> None:
    with (
        pytest.raises(PluginError, match="kind lattice of alloop cannot propose with its model"),
        model_use_named(LatticeOptions()),
    ):
        LatticeOptions().build(None, ["bulk_modulus"])  # type: ignore[arg-type]


def test_what_others_raise_meanwhile_is_not_put_down_to_the_model() -> None:
    with pytest.raises(ZeroDivisionError), model_use_named(LatticeOptions()):
        _ = 1 / 0


def test_what_a_model_says_itself_is_passed_on() -> None:
    with pytest.raises(ModelError, match="too few"), model_faults_named(LatticeOptions()):
        raise ModelError("too few labels")


def test_what_the_options_of_a_kind_raise_is_a_message_about_its_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(value: object, context: object) -> None:
        raise TypeError("unhashable type: 'list'")

    monkeypatch.setattr(LammpsOptions, "model_validate", broken)
    with pytest.raises(SpecError, match=r"kind lammps of alloop is broken .TypeError: unhashable"):
        parse_spec(SPEC, where="test")


@pytest.mark.parametrize("value", ["nan", float("inf")])
def test_a_number_that_no_ledger_holds_is_refused_by_its_key(value: object) -> None:
    budget = {"budget": {"measurements": [10], "core_hours": [value]}}
    with pytest.raises(SpecError, match=r"test: budget\.core_hours"):
        parse_spec(SPEC | budget, where="test")


def test_a_path_that_is_not_utf8_is_refused_by_its_key() -> None:
    with pytest.raises(SpecError, match=r"test: cache: .* is not UTF-8"):
        parse_spec(SPEC | {"cache": "caf\udce9"}, where="test")
