"""A value in doubt is recorded, and nothing is decided by it."""

from typing import Any

from alloop.loop.record.events import Event, Stage
from alloop.loop.report.tables import failures_table
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.trials import measured_trials
from alloop.loop.steps import Close, next_step
from tests.loop import ledger

SPEC: dict[str, Any] = {
    "name": "doubts",
    "space": {"elements": ["Cu", "Ni"], "atoms": 16},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "acquisition": {"strategy": "random", "batch": 4},
    "budget": {"initial": 3, "rounds": 0, "measurements": [10]},
    "tiers": [{"kind": "lammps", "potential": "CuNi.eam.alloy"}],
}
DOUBT = "unreliable: 303.5 GPa at a strain of 1e-06, 179.7 at 0.005"


def state_of(doubts: dict[str, dict[str, str]]) -> CampaignState:
    """Return three measurements: 303.5, 180 and 170 GPa."""
    values = {"high": 303.5, "middle": 180.0, "low": 170.0}
    decisions = [ledger.decision(name) for name in values]
    events: list[Event] = [
        ledger.opened(SPEC, ["lammps"]),
        ledger.proposed(0, Stage.INITIAL, decisions),
    ]
    events += [
        ledger.measured(
            0,
            Stage.INITIAL,
            decision.candidate,
            {"bulk_modulus": values[decision.formula], "density": 8.9},
            fingerprint="lammps",
            doubts=doubts.get(decision.formula, {}),
        )
        for decision in decisions
    ]
    return ledger.state_after(events)


def formulas(state: CampaignState) -> list[str]:
    return [state.decisions[m.candidate].formula for m in state.answers()]


def test_what_is_in_doubt_is_neither_the_best_nor_a_label() -> None:
    state = state_of({"high": {"bulk_modulus": DOUBT}})
    best = state.best()
    assert best is not None
    assert best.properties["bulk_modulus"] == 180.0
    assert formulas(state) == ["middle", "low"]
    assert len(state.measured) == 3
    assert [t.answer is None for t in measured_trials(state)] == [True, False, False]


def test_a_doubt_about_something_else_changes_nothing() -> None:
    state = state_of({"high": {"density": "unreliable"}})
    assert formulas(state) == ["high", "middle", "low"]


def test_the_report_says_what_is_in_doubt_and_why() -> None:
    table = failures_table(state_of({"high": {"bulk_modulus": DOUBT}}))
    assert table is not None
    (row,) = table.rows
    assert row[0] == row[-1] == "in doubt"
    assert DOUBT in row[1]


def test_a_campaign_of_doubts_alone_ends_with_that_reason() -> None:
    doubt = {"bulk_modulus": DOUBT}
    state = state_of(dict.fromkeys(("high", "middle", "low"), doubt))
    assert state.best() is None
    step = next_step(state)
    assert isinstance(step, Close)
    assert "in doubt" in step.reason
