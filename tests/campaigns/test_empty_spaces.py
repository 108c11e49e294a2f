"""Contradictions are found before the first measurement, with the one that empties the space."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from alloop.campaigns.load import parse_spec
from alloop.errors import MaterialError, SpecError
from alloop.loop.choose.random_candidates import check_not_empty
from alloop.loop.commands.registry import app
from alloop.space import Compositions, Decorations

SPEC: dict[str, Any] = {
    "name": "empty",
    "space": {"elements": ["Ni", "Fe", "Cr"], "atoms": 16},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
}


def problem(**changes: Any) -> str:
    with pytest.raises(SpecError) as caught:
        parse_spec(SPEC | changes, where="here")
    return str(caught.value)


def test_of_two_constraints_that_exclude_each_other_the_second_is_named() -> None:
    text = problem(
        constraints=[
            {"property": "formation_energy_per_atom", "max": 0.1},
            {"property": "bulk_modulus", "max": 180},
            {"property": "bulk_modulus", "min": 200},
        ]
    )
    assert "constraints.2" in text
    assert "constraints.1 wants bulk_modulus at most 180" in text
    assert "at least 200" in text


def test_constraints_that_touch_can_be_met() -> None:
    touching = [{"property": "bulk_modulus", "max": 180}, {"property": "bulk_modulus", "min": 180}]
    assert len(parse_spec(SPEC | {"constraints": touching}, where="here").constraints) == 2


@pytest.mark.parametrize(
    ("constraint", "said"),
    [
        ({"property": "energy_above_hull", "max": -0.01}, "at least 0 by its nature"),
        ({"property": "parent_lattice_kept", "min": 2}, "from 0 to 1 by its nature"),
        ({"property": "poisson_ratio", "min": 0.6}, "from -1 to 0.5 by its nature"),
    ],
)
def test_a_constraint_outside_of_what_is_possible_is_refused(
    constraint: dict[str, Any], said: str
) -> None:
    text = problem(constraints=[constraint])
    assert "constraints.0" in text
    assert said in text


def test_an_objective_that_nobody_measures_is_refused() -> None:
    text = problem(objectives=[{"property": "band_gap", "goal": "maximise"}])
    assert "tiers.0 (lammps) does not measure band_gap" in text


@pytest.mark.parametrize(
    ("fractions", "culprit"),
    [
        ({"Ni": [0.5, 0.9], "Fe": [0.4, 0.9], "Cr": [0.2, 0.9]}, "[0.2, 0.9] of Cr"),
        ({"Cr": [0, 0.1], "Ni": [0, 0.2], "Fe": [0, 0.3]}, "[0, 0.3] of Fe"),
        # 16 atoms: 0.3 is 5 at least, and three times 5 leave one that none may have.
        ({"Ni": [0.3, 0.32], "Fe": [0.3, 0.32], "Cr": [0.3, 0.37]}, "[0.3, 0.37] of Cr"),
    ],
)
def test_the_bound_that_empties_the_space_is_named(fractions: dict[str, Any], culprit: str) -> None:
    text = problem(space={"elements": ["Ni", "Fe", "Cr"], "atoms": 16, "fractions": fractions})
    assert f"nothing is left with {culprit}" in text


def test_whole_atoms_that_add_up_are_allowed() -> None:
    Decorations(elements=("Ni", "Fe", "Cr"), atoms=16, fractions={"Ni": (0.3, 0.4)})


@pytest.mark.parametrize(
    ("space", "culprit"),
    [
        # Two elements of at most 0.4 each make 0.8; while cobalt is free, it alone would do.
        ({"max_elements": 2, "fractions": {e: [0, 0.4] for e in ("Ni", "Fe", "Cr", "Co")}}, "Co"),
        # Nickel and iron fill the alloy; a third element finds no room.
        ({"min_elements": 3, "fractions": {"Ni": [0.5, 1], "Fe": [0.5, 1]}}, "Fe"),
        # An upper bound of 0 takes an element away.
        ({"min_elements": 3, "fractions": {"Cr": [0, 0.5], "Co": [0, 0], "Fe": [0, 0]}}, "Fe"),
    ],
)
def test_numbers_of_elements_and_fractions_are_judged_together(
    space: dict[str, Any], culprit: str
) -> None:
    elements = ["Ni", "Fe", "Cr", "Co"]
    text = problem(
        space={"kind": "compositions", "elements": elements} | space,
        tiers=[{"kind": "person", "properties": ["bulk_modulus"]}],
    )
    assert "has these fractions; nothing is left with" in text
    assert f"] of {culprit}" in text


def test_numbers_of_elements_that_just_fit_are_allowed() -> None:
    Compositions(
        kind="compositions",
        elements=("Ni", "Fe", "Cr"),
        max_elements=2,
        fractions=dict.fromkeys(("Ni", "Fe", "Cr"), (0.0, 0.5)),
    )
    Compositions(
        kind="compositions",
        elements=("Ni", "Fe"),
        min_elements=2,
        fractions={"Ni": (0.5, 1.0), "Fe": (0.5, 1.0)},
    )


def test_a_space_whose_every_candidate_is_refused_is_empty() -> None:
    check_not_empty(parse_spec(SPEC, where="here"))
    far_apart = parse_spec(SPEC | {"space": SPEC["space"] | {"min_distance": 3.0}}, where="here")
    with pytest.raises(SpecError, match="none of 64 candidates is allowed: min_distance refuses"):
        check_not_empty(far_apart)


@pytest.mark.parametrize(
    ("limit", "error", "named"),
    [
        ({"min_distance": 4.0}, SpecError, r"space\.min_distance: no candidate can be made"),
        ({"fractions": {"Ni": [0.01, 0.05]}}, MaterialError, "none of 10000 crystals"),
    ],
)
def test_a_space_of_crystals_that_no_structure_type_fits_is_empty(
    limit: dict[str, Any], error: type[Exception], named: str
) -> None:
    space = {"kind": "structures", "elements": ["Ni", "Al", "Ti"], "max_atoms": 4}
    crystals = parse_spec(
        SPEC
        | {
            "space": space | limit,
            "objectives": [{"property": "formation_energy_per_atom", "goal": "minimise"}],
            "tiers": [{"kind": "dft", "engine": "chgnet", "strain": 0}],
        },
        where="here",
    )
    with pytest.raises(error, match=named):
        check_not_empty(crystals)


def test_a_table_none_of_whose_rows_lies_in_the_space_is_found_by_the_check(
    tmp_path: Path,
) -> None:
    (tmp_path / "table.csv").write_text("formula,overpotential\nNiFe,0.4\nNi3Fe,0.3\n")
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "name: rows\n"
        "space: {kind: compositions, elements: [Ni, Fe], fractions: {Ni: [0, 0.4]}}\n"
        "properties: {overpotential: {unit: V}}\n"
        "objectives: [{property: overpotential, goal: minimise}]\n"
        "acquisition: {strategy: random, candidates: table}\n"
        "tiers: [{kind: table, file: table.csv, properties: {overpotential: overpotential}}]\n"
    )
    done = CliRunner().invoke(app, ["check", str(spec)])
    assert isinstance(done.exception, SpecError)
    assert "none of 2 candidates is allowed: fractions refuses 2" in str(done.exception)
    widened = CliRunner().invoke(app, ["check", str(spec), "--set", "space.fractions.Ni=[0, 0.5]"])
    assert widened.exit_code == 0, widened.output
