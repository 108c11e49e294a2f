"""The state is a fold over events; the next step can be read off it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloop.canonical import sha256
from alloop.errors import LedgerError
from alloop.loop.choose.trust_region import trust_region_edge
from alloop.loop.record.events import (
    CampaignClosed,
    CampaignOpened,
    Event,
    Lineage,
    Measured,
    ModelFitted,
    Proposed,
    SessionOpened,
    Stage,
)
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.folding.fold import fold
from alloop.loop.steps import Close, Fit, Measure, Propose, next_step
from alloop.oracles.base import FailureKind
from tests.loop import ledger
from tests.loop.ledger import decision, entries

FINGERPRINT = sha256("oracle")
SPEC = {
    "name": "small",
    "space": {"elements": ["Ni", "Fe"]},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "constraints": [{"property": "formation_energy_per_atom", "max": 0.1}],
    "augmentation": {"parents": 1, "iterations": 2, "swaps": 1},
    "acquisition": {"batch": 2},
    "budget": {"initial": 2, "rounds": 2, "measurements": [100]},
    "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
}


def opened(**changes: object) -> CampaignOpened:
    return ledger.opened(SPEC | changes, (FINGERPRINT,))


def proposed(
    round: int, stage: Stage, *names: str, iteration: int = 0, parent: str = ""
) -> Proposed:
    lineage = Lineage(source="swap", parent=sha256(parent)) if parent else Lineage(source="random")
    decisions = [decision(name, lineage=lineage) for name in names]
    return ledger.proposed(round, stage, decisions, iteration=iteration)


def measured(
    round: int, stage: Stage, name: str, bulk_modulus: float | None, formation: float = 0.0
) -> Measured:
    properties = {"bulk_modulus": bulk_modulus, "formation_energy_per_atom": formation}
    return ledger.measured(
        round,
        stage,
        sha256(name),
        None if bulk_modulus is None else properties,
        fingerprint=FINGERPRINT,
        failure=FailureKind.LOST_ATOMS,
        oracle="test",
        wall_seconds=0.5,
    )


def fitted(round: int) -> ModelFitted:
    return ModelFitted(
        round=round,
        checkpoint=sha256("model"),
        n_labelled=2,
        n_unlabelled=0,
        epochs=1,
        seconds=1.0,
        metrics={},
    )


INITIAL = (
    opened(),
    SessionOpened(),
    proposed(0, Stage.INITIAL, "a", "b"),
    measured(0, Stage.INITIAL, "a", 170.0),
    measured(0, Stage.INITIAL, "b", 180.0),
)
FIRST_ROUND = (
    *INITIAL,
    fitted(1),
    proposed(1, Stage.ACQUISITION, "c", "d"),
    measured(1, Stage.ACQUISITION, "d", 181.0),
    measured(1, Stage.ACQUISITION, "c", 179.0),
    proposed(1, Stage.AUGMENTATION, "e", iteration=1, parent="d"),
    measured(1, Stage.AUGMENTATION, "e", 182.0),
    proposed(1, Stage.AUGMENTATION, "f", iteration=2, parent="e"),
    measured(1, Stage.AUGMENTATION, "f", None),
)


def state_of(*events: Event) -> CampaignState:
    state = fold(entries(*events))
    assert state is not None
    return state


def test_nothing_is_known_of_an_empty_ledger() -> None:
    assert fold([]) is None


def test_a_ledger_that_does_not_open_a_campaign_is_refused() -> None:
    with pytest.raises(LedgerError):
        fold(entries(SessionOpened()))


def test_the_steps_of_a_round_follow_each_other() -> None:
    steps = [next_step(state_of(*FIRST_ROUND[:n])) for n in (2, 5, 6, 9, 11, 13)]
    assert steps == [
        Propose(0, Stage.INITIAL),
        Fit(1),
        Propose(1, Stage.ACQUISITION),
        Propose(1, Stage.AUGMENTATION, iteration=1),
        Propose(1, Stage.AUGMENTATION, iteration=2),
        Fit(2),
    ]


def test_whatever_was_chosen_is_measured_before_anything_else() -> None:
    step = next_step(state_of(*FIRST_ROUND[:8]))
    assert isinstance(step, Measure)
    assert [e.candidate for e in step.evaluations] == [sha256("c")]


def test_a_failed_measurement_is_an_answer_and_no_label() -> None:
    state = state_of(*FIRST_ROUND)
    assert not state.pending
    assert [m.candidate for m in state.answers()] == [sha256(n) for n in "abcde"]
    assert state.cost(0).calls == 6


def test_labels_stand_in_the_order_of_the_decisions_not_of_arrival() -> None:
    early, late = FIRST_ROUND[:7], (*FIRST_ROUND[7:9],)
    one = state_of(*early, *late)
    other = state_of(*early, *reversed(late))
    assert [m.candidate for m in one.answers()] == [m.candidate for m in other.answers()]


def test_a_second_answer_to_one_evaluation_counts_nothing() -> None:
    state = state_of(*INITIAL, measured(0, Stage.INITIAL, "a", 999.0))
    assert state.best() is not None
    assert state.best().properties["bulk_modulus"] == 180.0
    assert state.cost(0).calls == 2


def test_the_best_meets_the_constraints_before_it_is_good() -> None:
    proposal = proposed(0, Stage.INITIAL, "a", "b", "c")
    answers = [
        measured(0, Stage.INITIAL, name, value, formation)
        for name, value, formation in [("a", 200.0, 0.2), ("b", 150.0, 0.1), ("c", 160.0, 0.1)]
    ]
    best = state_of(opened(), proposal, *answers).best()
    assert best is not None
    assert best.candidate == sha256("c")
    nothing_feasible = state_of(opened(), proposed(0, Stage.INITIAL, "a"), answers[0]).best()
    assert nothing_feasible is not None


values = st.sampled_from([150.0, 160.0, 160.0, 200.0])
energies = st.sampled_from([-0.1, 0.05, 0.1, 0.2])


@given(st.lists(st.tuples(values, energies), max_size=8))
def test_the_best_is_the_first_that_ranks_highest(drawn: list[tuple[float, float]]) -> None:
    utility = state_of(opened()).utility
    properties = [
        {"bulk_modulus": value, "formation_energy_per_atom": energy} for value, energy in drawn
    ]
    ranks = [utility.rank(each) for each in properties]
    assert utility.best(properties) == (ranks.index(max(ranks)) if ranks else None)


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ((opened(budget={"initial": 2, "rounds": 0, "measurements": [9]}), *INITIAL[1:]), "rounds"),
        (
            (opened(budget={"initial": 2, "rounds": 5, "measurements": [2]}), *INITIAL[1:]),
            "measurements",
        ),
        (
            (*INITIAL[:3], *(measured(0, Stage.INITIAL, name, None) for name in "ab")),
            "no labels",
        ),
    ],
)
def test_a_spent_budget_closes_the_campaign(events: tuple[Event, ...], reason: str) -> None:
    step = next_step(state_of(*events))
    assert isinstance(step, Close)
    assert reason in step.reason


def test_a_closed_campaign_has_no_next_step() -> None:
    assert next_step(state_of(*INITIAL, CampaignClosed(reason="done"))) is None


def test_wall_time_is_the_sum_of_the_sessions_without_the_pauses_between() -> None:
    first = entries(*INITIAL[:3])
    later = entries(SessionOpened(), *INITIAL[3:], start=datetime(2026, 2, 1, tzinfo=UTC))
    state = fold([*first, *later])
    assert state is not None
    assert state.n_sessions == 2
    assert state.wall_seconds == pytest.approx(1 + 2)


def test_the_trust_region_grows_on_success_and_shrinks_on_failure() -> None:
    def edge(value: float) -> float:
        events = (*FIRST_ROUND[:7], measured(1, Stage.ACQUISITION, "c", value), *FIRST_ROUND[7:8])
        return trust_region_edge(state_of(*events), 2)

    first = trust_region_edge(state_of(*INITIAL), 1)
    assert edge(250.0) > first
    assert (
        trust_region_edge(state_of(*FIRST_ROUND[:7], measured(1, Stage.ACQUISITION, "c", 100.0)), 2)
        < first
    )
