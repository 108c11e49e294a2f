"""The figures and tables say what the ledger says."""

import itertools
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Structure

from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Measured, Stage
from alloop.loop.report.card import best_candidate_card
from alloop.loop.report.figures.composition import allowed_polygon
from alloop.loop.report.figures.hulls import hull_figures, hull_table
from alloop.loop.report.figures.parity import parities
from alloop.loop.report.figures.progress_metric import ProgressMetric
from alloop.loop.report.figures.rounds import outcome_figure, rounds_of, rounds_table, total_gain
from alloop.loop.report.figures.tiers import agreement_table, agreement_warnings, promoted_table
from alloop.loop.report.figures.trajectory import best_so_far, trajectory
from alloop.loop.report.page import render_report
from alloop.loop.report.tables import cost_table, failures_table, training_table
from alloop.loop.report.words import (
    describe_search,
    duration,
    goal_of,
    number,
    percentages,
    plural,
    subscripted,
    value_of,
)
from alloop.loop.state.calibration import predicted_trials
from alloop.loop.state.trials import measured_trials
from alloop.space import Decorations
from tests.loop.report.synthetic import Diary, campaign, spec_of

TWO_TIERS: dict[str, Any] = {
    "tiers": [
        {"kind": "lammps", "potential": "NiFeCr-Wu2017"},
        {"kind": "lammps", "potential": "NiFeCr-Wu2017", "promote": 3},
    ],
    "budget": {"initial": 12, "rounds": 2, "measurements": [200, 9]},
}


# Best so far ------------------------------------------------------------------------------------


def test_the_step_line_is_the_best_feasible_value_so_far(closed: Diary) -> None:
    trials = measured_trials(closed.state)
    yardstick = ProgressMetric(closed.state.utility)
    steps = dict(best_so_far(trials, yardstick))
    best, expected = -math.inf, {}
    for n, trial in enumerate(trials, start=1):
        if trial.answer is None:
            continue
        properties = trial.answer.properties
        if properties["formation_energy_per_atom"] <= 0.08 and properties["bulk_modulus"] > best:
            best = expected[n] = properties["bulk_modulus"]
    assert steps == expected | {len(trials): best}


def test_a_minimised_property_steps_down(tmp_path: Path) -> None:
    spec = spec_of(objectives=[{"property": "volume_per_atom", "goal": "minimise"}])
    diary = Diary(spec, ArtifactStore(tmp_path), fail_every=0)
    diary.initial()
    state = diary.state
    values = [y for _, y in best_so_far(measured_trials(state), ProgressMetric(state.utility))]
    assert values == sorted(values, reverse=True)
    assert values[-1] == min(
        m.properties["volume_per_atom"]
        for m in state.answers()
        if m.properties["formation_energy_per_atom"] <= 0.08
    )


def test_every_measurement_is_a_point_and_the_infeasible_are_hollow(closed: Diary) -> None:
    figure = trajectory(closed.state)
    assert figure is not None
    drawn = {
        id: trace["marker"]["symbol"]
        for trace in figure.spec["data"]
        for id in trace.get("customdata", ())
    }
    assert set(drawn) == {m.candidate for m in closed.state.measured.values()}
    for m in closed.state.measured.values():
        if m.status == "failed":
            assert drawn[m.candidate] == "x-thin"
        else:
            hollow = m.properties["formation_energy_per_atom"] > 0.08
            assert drawn[m.candidate] == ("circle-open" if hollow else "circle")


def test_measurements_are_numbered_by_decision_not_by_arrival(closed: Diary) -> None:
    state = closed.state
    shuffled = dict(reversed(state.measured.items()))
    values = {name: getattr(state, name) for name in state.__dataclass_fields__}
    other = type(state)(**values | {"recorded": shuffled})
    assert trajectory(other) == trajectory(state)


# Predicted against measured ---------------------------------------------------------------------


def test_guesses_pair_the_posterior_with_the_measurement(closed: Diary) -> None:
    state = closed.state
    found = {g.trial.decision.candidate: g for g in predicted_trials(state, "bulk_modulus")}
    answers = {m.candidate: m for m in state.answers() if m.stage is Stage.ACQUISITION}
    assert set(found) == set(answers)
    for id, g in found.items():
        assert g.mean == state.decisions[id].posterior["bulk_modulus"].mean
        assert g.measured == answers[id].properties["bulk_modulus"]


def test_calibration_is_stated_for_each_round_and_for_all(closed: Diary) -> None:
    for parity in parities(closed.state):
        assert [row[0] for row in parity.table.rows] == ["1", "2", "3", "all"]
        counts = [int(row[1]) for row in parity.table.rows]
        assert counts[-1] == sum(counts[:-1])


# Rounds -----------------------------------------------------------------------------------------


def test_the_gains_of_the_rounds_add_up_to_the_whole_gain(closed: Diary) -> None:
    state = closed.state
    found = total_gain(state)
    assert found is not None
    gain, n_initial = found
    assert n_initial == 12
    values = []
    for round in rounds_of(state):
        tops = [t.answer.properties["bulk_modulus"] for t in round.best.values() if t.answer]
        before = round.before.properties["bulk_modulus"] if round.before else None
        if before is not None:
            values.append(max([before, *tops]) - before)
    assert gain == pytest.approx(sum(values))
    assert gain > 0


def test_every_decision_is_in_a_bar(closed: Diary) -> None:
    figure = outcome_figure(closed.state)
    assert figure is not None
    bars = {trace["name"]: trace for trace in figure.spec["data"]}
    decisions = [d for p in closed.state.proposals for d in p.decisions]
    assert sum(sum(trace["y"]) for trace in bars.values()) == len(decisions)
    for rule, name in (("duplicate", "duplicate"), ("acquisition", "outscored")):
        n = sum(d.rule == rule for d in decisions)
        assert n > 0
        assert sum(bars[f"rejected: {name}"]["y"]) == n


def test_the_rounds_table_has_the_trust_regions(closed: Diary) -> None:
    table = rounds_table(closed.state)
    assert table is not None
    place = table.heads.index("trust region")
    assert [row[place] for row in table.rows] == ["", "0.4", "0.6", "0.9"]


# Composition ------------------------------------------------------------------------------------


def test_the_allowed_compositions_of_ten_to_sixty_percent_are_a_hexagon() -> None:
    space = Decorations(
        elements=("Ni", "Fe", "Cr"), fractions=dict.fromkeys(("Ni", "Fe", "Cr"), (0.1, 0.6))
    )
    corners = allowed_polygon(space)
    found = [(corner["Ni"], corner["Fe"], corner["Cr"]) for corner in corners]
    expected = {(60, 30, 10), (60, 10, 30), (30, 60, 10), (10, 60, 30), (30, 10, 60), (10, 30, 60)}
    assert set(found) == expected
    for one, next in zip(found, found[1:] + found[:1], strict=True):
        # Neighbours around a hexagon share one bound.
        assert any(a == b and a in (10, 60) for a, b in zip(one, next, strict=True))


def test_without_bounds_there_is_nothing_to_outline() -> None:
    assert allowed_polygon(Decorations(elements=("Ni", "Fe", "Cr"))) == []


# The best candidate -----------------------------------------------------------------------------


def test_the_story_goes_from_the_first_ancestor_to_the_best(closed: Diary) -> None:
    state = closed.state
    best = state.best()
    card = best_candidate_card(state, closed.store)
    assert best is not None
    assert card is not None
    ids = [ancestor.candidate for ancestor in card.story]
    assert ids[-1] == best.candidate
    for parent, child in itertools.pairwise(ids):
        assert state.decisions[child].lineage.parent == parent
    assert state.decisions[ids[0]].lineage.parent is None


def test_the_story_names_the_atoms_that_were_exchanged(closed: Diary) -> None:
    card = best_candidate_card(closed.state, closed.store)
    assert card is not None
    lineage = closed.state.decisions[card.candidate].lineage
    assert lineage.source == "swap"
    assert lineage.parent is not None
    assert lineage.swap is not None
    parent = closed.store.get_material(lineage.parent)
    assert isinstance(parent, Structure)
    for site in lineage.swap:
        assert f"{parent[site].specie.symbol} at site {site}" in card.story[-1].text
    assert lineage.parent[:10] in card.story[-1].text


def test_tiers_stand_side_by_side(tmp_path: Path) -> None:
    diary = campaign(spec_of(**TWO_TIERS), ArtifactStore(tmp_path), rounds=2, fail_every=0)
    state = diary.state
    best = state.best()
    card = best_candidate_card(state, diary.store)
    assert best is not None
    assert card is not None
    dearer = next(m for m in state.answers(1) if m.candidate == best.candidate)
    row = next(row for row in card.properties.rows if row[0] == "bulk modulus")
    assert row[1] == f"{best.properties['bulk_modulus']:.2f}"
    assert row[2] == f"{dearer.properties['bulk_modulus']:.2f}"
    table = promoted_table(state)
    assert table is not None
    assert len(table.rows) == len(state.answers(1)) == 6
    top = state.best(tier=1)
    assert top is not None
    assert table.rows[0][2] == top.candidate[:10]


# Small tables -----------------------------------------------------------------------------------


def test_training_failures_and_costs_are_the_ledgers(closed: Diary) -> None:
    training = training_table(closed.state)
    failures = failures_table(closed.state)
    assert training is not None
    assert failures is not None
    assert [row[0] for row in training.rows] == ["1", "2", "3"]
    assert "property rmse" in training.heads
    failed = [m for m in closed.state.measured.values() if m.status == "failed"]
    assert [row[2] for row in failures.rows] == [m.candidate[:10] for m in failed]
    (costs,) = cost_table(closed.state).rows
    assert costs[1] == "lammps NiFeCr-Wu2017"
    assert costs[2] == f"{len(closed.state.measured)} of 200"
    assert costs[5] == duration(0.25 * len(closed.state.measured))


# Words ------------------------------------------------------------------------------------------


def test_wishes_in_words() -> None:
    spec = spec_of(
        space={"elements": ["Bi", "Te"], "fractions": {"Te": [0.5, 0.7]}, "atoms": 16},
        objectives=[
            {"property": "bulk_modulus", "goal": "maximise"},
            {"property": "volume_per_atom", "goal": "window", "window": [30, 34]},
        ],
        constraints=[
            {"property": "formation_energy_per_atom", "min": -1, "max": 0},
            {"property": "density", "min": 5},
        ],
    )
    assert describe_search(spec) == (
        "Maximise bulk modulus (GPa) and bring volume per atom to between 30 and 34 Å³/atom with "
        "formation energy per atom from −1 to 0 eV/atom and density ≥ 5 g/cm³ over Bi–Te, "
        "Te 50 to 70 at.%, fcc and bcc, 16 atoms."
    )
    assert goal_of(spec, "volume_per_atom") == "between 30 and 34 Å³/atom"
    assert goal_of(spec, "density") == "≥ 5 g/cm³"
    assert goal_of(spec, "energy_per_atom") == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.25, "0.2 s"),
        (48.2, "48 s"),
        (252, "4 min 12 s"),
        (3 * 3600 + 300, "3 h 05 min"),
        (2 * 86400 + 4 * 3600, "2 d 4 h"),
    ],
)
def test_lengths_of_time(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_numbers_for_people() -> None:
    assert number(-0.5, 2) == "−0.50"
    assert number(-1e-9, 2) == "0.00"
    assert number(0.5, 1, signed=True) == "+0.5"
    assert value_of("bulk_modulus", 186.234) == "186.23 GPa"
    assert value_of("single_phase_probability", 0.5) == "0.500"
    assert plural(1, "session") == "1 session"
    assert percentages({"Ni": 0.25, "Cr": 0.75}) == "75.0 at.% Cr, 25.0 at.% Ni"


def test_a_formula_is_lowered_and_escaped() -> None:
    assert subscripted("Cr18Ni36") == "Cr<sub>18</sub>Ni<sub>36</sub>"
    assert subscripted("Cr0.3<b>") == "Cr<sub>0.3</sub>&lt;b&gt;"


def test_the_hulls_of_both_tiers_stand_side_by_side(tmp_path: Path) -> None:
    state = campaign(spec_of(**TWO_TIERS), ArtifactStore(tmp_path), rounds=2, fail_every=0).state
    figures = hull_figures(state)
    assert [figure.id for figure in figures] == ["hull-0", "hull-1"]
    table = hull_table(state)
    assert table is not None
    by_tier = [{m.candidate[:10]: m for m in state.answers(tier)} for tier in (0, 1)]
    assert {row[2] for row in table.rows} == set(by_tier[1])
    for row in table.rows:
        for tier, answers in enumerate(by_tier):
            energy = answers[row[2]].properties["formation_energy_per_atom"]
            assert row[3 + 3 * tier] == number(energy, 4)
            # The formula makes every alloy less stable than its elements.
            assert row[4 + 3 * tier] == number(energy, 4)
            assert sum(int(x) for x in re.findall(r"(\d+) %", row[5 + 3 * tier])) in (99, 100, 101)
    colours = [figure.spec["layout"]["coloraxis"] for figure in figures]
    assert (colours[0]["cmin"], colours[0]["cmax"]) == (colours[1]["cmin"], colours[1]["cmax"])


def test_a_hull_of_two_elements_is_a_line_through_its_corners(tmp_path: Path) -> None:
    space = {"elements": ["Ni", "Cr"], "atoms": 16, "lattices": ["fcc"]}
    state = campaign(spec_of(space=space), ArtifactStore(tmp_path), rounds=1).state
    (figure,) = hull_figures(state)
    line = figure.spec["data"][0]
    assert list(line["x"]) == [0.0, 100.0]
    table = hull_table(state)
    assert table is not None
    assert len(table.rows) == 3  # nothing was promoted: the best


def test_a_hull_of_many_elements_is_a_table_that_says_so(tmp_path: Path) -> None:
    space = {"elements": ["Ni", "Cr", "Fe", "Co", "Al"], "atoms": 16, "lattices": ["fcc"]}
    state = campaign(spec_of(space=space), ArtifactStore(tmp_path), rounds=1).state
    assert hull_figures(state) == []
    table = hull_table(state)
    assert table is not None
    assert "A hull of 5 elements cannot be drawn" in table.note
    found = state.hulls[0]
    assert found is not None
    for row in table.rows:
        (candidate,) = [id for id in found.energies_above if id.startswith(row[2])]
        assert row[4] == number(found.energies_above[candidate], 4)


def test_ordered_binaries_that_an_oracle_computed_count_in_its_hull(closed: Diary) -> None:
    recorded = {
        id: m
        if m.failure_kind is not None
        else m.model_copy(update={"properties": m.properties | {"energy_above_hull": 0.25}})
        for id, m in closed.state.recorded.items()
    }
    table = hull_table(replace(closed.state, recorded=recorded))
    assert table is not None
    assert {row[4:6] for row in table.rows} == {("0.2500", "ordered binaries")}


def test_the_competing_phase_is_shown_where_it_was_measured(closed: Diary) -> None:
    def with_competing(m: Measured) -> Measured:
        if m.failure_kind is not None:
            return m
        return m.model_copy(
            update={"properties": m.properties | {"energy_above_competing_phase": -0.0123}}
        )

    recorded = {id: with_competing(m) for id, m in closed.state.recorded.items()}
    table = hull_table(replace(closed.state, recorded=recorded))
    assert table is not None
    assert table.heads[-1] == "above the other lattice, tier 0"
    assert {row[-1] for row in table.rows} == {"−0.0123"}
    plain = hull_table(closed.state)
    assert plain is not None
    assert "above the other lattice" not in " ".join(plain.heads)


def test_the_tiers_differences_stand_per_round_and_over_all(tmp_path: Path) -> None:
    diary = campaign(spec_of(**TWO_TIERS), ArtifactStore(tmp_path), rounds=2, fail_every=0)
    table = agreement_table(diary.state)
    assert table is not None
    assert [row[1] for row in table.rows] == ["round 1", "round 2", "all"]
    cheap = {m.candidate: m.properties["bulk_modulus"] for m in diary.state.answers()}
    differences = [
        m.properties["bulk_modulus"] - cheap[m.candidate] for m in diary.state.answers(1)
    ]
    column = table.heads.index("bulk modulus (GPa)")
    mean, std = np.mean(differences), np.std(differences, ddof=1)
    assert table.rows[-1][column] == f"{number(mean, 2, signed=True)} ± {number(std, 2)}"
    assert table.rows[-1][2] == "6"


def test_a_disagreement_is_said_in_the_report(tmp_path: Path) -> None:
    changes = TWO_TIERS | {"promotion": {"min_rank_correlation": 1.0}}
    diary = campaign(spec_of(**changes), ArtifactStore(tmp_path), rounds=2, fail_every=0)
    (warning,) = agreement_warnings(diary.state)
    page = render_report(diary.state, diary.store, head="0" * 64)
    assert f'<p class="warning">{warning[0].upper()}{warning[1:]}.</p>' in page
