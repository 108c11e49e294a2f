"""Who is promoted to the higher tier, when, and what it may cost."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from scipy.stats import norm

from alloop.campaigns.load import parse_spec
from alloop.canonical import sha256
from alloop.errors import SpecError
from alloop.loop.choose.fidelity import corrections, fractions_of
from alloop.loop.choose.promotion import expected_gains, propose_promotion
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Proposed, Stage
from alloop.loop.replay import promotions_again
from alloop.loop.state.budgets import TierBudget, predicted_core_hours
from alloop.loop.steps import Close, Fit, Propose, next_step
from tests.loop.told import SPEC, Told

FIRST = {"a:Ni8Fe8": (190.0, 0.05), "b:Ni9Fe7": (180.0, 0.0), "c:NiFe15": (200.0, 0.2)}
"""c is the stiffest, and misses the constraint."""


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path)


def told(**changes: Any) -> Told:
    story = Told(changes)
    story.measure(0, Stage.INITIAL, FIRST)
    return story


def chosen(proposal: Proposed) -> list[str]:
    return [d.candidate for d in proposal.decisions if d.chosen]


def test_the_best_feasible_are_promoted_once(store: ArtifactStore) -> None:
    story = told()
    proposal = propose_promotion(story.state, store, round=0, tier=1)
    assert chosen(proposal) == [sha256("a:Ni8Fe8"), sha256("b:Ni9Fe7")]
    assert {d.lineage.source for d in proposal.decisions} == {"promoted"}
    story.promote(0, {"a:Ni8Fe8": 185.0, "b:Ni9Fe7": None})
    assert propose_promotion(story.state, store, round=1, tier=1).decisions == ()


def test_those_that_just_miss_are_recorded_with_their_rank(store: ArtifactStore) -> None:
    story = told()
    story.measure(1, Stage.ACQUISITION, {"d:Ni7Fe9": (179.0, 0.0), "e:Ni6Fe10": (178.0, 0.0)})
    proposal = propose_promotion(story.state, store, round=1, tier=1)
    missed = [d for d in proposal.decisions if not d.chosen]
    assert [(d.rule, d.margin) for d in missed] == [("promotion", -1.0), ("promotion", -2.0)]
    assert "place 3" in missed[0].reason


def test_what_the_dear_tier_is_expected_to_say_is_recorded(store: ArtifactStore) -> None:
    story = told()
    values = {f"p{i}:Ni{i}Fe{16 - i}": (170.0 + i, 0.0) for i in range(1, 9)}
    story.measure(1, Stage.ACQUISITION, values)
    story.promote(1, {name: modulus - 20.0 for name, (modulus, _) in values.items()})
    decision = propose_promotion(story.state, store, round=2, tier=1).decisions[0]
    posterior = decision.posterior["bulk_modulus"]
    assert posterior.mean == pytest.approx(170.0, abs=1.0)  # a: 190 GPa by the cheap tier
    assert 0 < posterior.std < 5.0


def iron_rich_and_dear(**changes: Any) -> Told:
    """The cheap tier finds iron stiffer, the dear one finds it 60 GPa softer; eight pairs say so.
    Two are left: the one that the cheap tier likes better is richer in iron."""
    story = Told(changes)
    values = {f"p{i}:Ni{16 - i}Fe{i}": (170.0 + i, 0.0) for i in (1, 2, 4, 6, 9, 11, 13, 15)}
    values |= {"rich:Ni4Fe12": (182.0, 0.0), "poor:Ni13Fe3": (173.0, 0.0)}
    story.measure(0, Stage.INITIAL, values)
    asked = [name for name in values if name.startswith("p") and name != "poor:Ni13Fe3"]
    story.promote(
        0, {n: values[n][0] - 60.0 * int(n.partition("Fe")[2]) / 16 for n in sorted(asked)}
    )
    return story


def test_what_the_higher_tier_is_expected_to_say_decides_once_it_is_known(
    store: ArtifactStore,
) -> None:
    def first(story: Told) -> tuple[str, str]:
        decision = propose_promotion(story.state, store, round=1, tier=1).decisions[0]
        return decision.candidate, decision.reason

    candidate, reason = first(iron_rich_and_dear())
    assert candidate == sha256("poor:Ni13Fe3")
    assert "place 1 among the feasible by what the higher tier is expected to say" in reason
    candidate, reason = first(iron_rich_and_dear(learning={"higher_tiers": False}))
    assert candidate == sha256("rich:Ni4Fe12")
    assert "expected" not in reason


def at_rest(shift: float = 0.0, stretch: float = 1.0) -> Structure:
    edges = (2.9, 2.9, 2.9 * stretch)
    return Structure(
        Lattice.orthorhombic(*edges), ["Ni", "Fe"], [[0, 0, 0], [0.5 + shift, 0.5, 0.5]]
    )


@pytest.mark.parametrize(
    ("relaxed", "problem"),
    [
        (at_rest(shift=0.01), None),
        (at_rest(shift=0.3), "of the way to its neighbours"),
        (at_rest(stretch=2**0.5), "stretched its cell 1.41 times"),
    ],
)
def test_a_crystal_that_relaxed_into_another_is_not_trusted(
    store: ArtifactStore, relaxed: Structure, problem: str | None
) -> None:
    story = Told({"promotion": {"keep_structure": True}})
    start, end = store.put_material(at_rest()), store.put_material(relaxed)
    story.choose(0, Stage.INITIAL, ["a:NiFe"])
    story.answer(0, Stage.INITIAL, "a:NiFe", 190.0)
    for i, event in enumerate(story.events):  # the candidate's id is its structure's
        text = event.model_dump_json().replace(sha256("a:NiFe"), start)
        story.events[i] = type(event).model_validate_json(text)
    measured = story.events[-1].model_copy(update={"relaxed": end})
    story.events[-1] = measured.model_copy(update={"evaluation": story.state.evaluations[0].id})
    (decision,) = propose_promotion(story.state, store, round=0, tier=1).decisions
    assert decision.chosen is (problem is None)
    if problem is not None:
        assert decision.rule == "keep_structure"
        assert decision.margin is not None
        assert decision.margin < 0
        assert problem in decision.reason
    trusting = Told({})
    trusting.events[1:] = story.events[1:]
    assert all(
        d.chosen for d in propose_promotion(trusting.state, store, round=0, tier=1).decisions
    )


def test_a_surprising_result_is_distrusted_where_that_is_asked_for(store: ArtifactStore) -> None:
    story = Told({"promotion": {"max_surprise": 4.0}})
    story.choose(1, Stage.ACQUISITION, ["a:Ni8Fe8", "b:Ni9Fe7"], expected=180.0)
    story.answer(1, Stage.ACQUISITION, "a:Ni8Fe8", 190.0)
    story.answer(1, Stage.ACQUISITION, "b:Ni9Fe7", 183.0)
    by_name = {
        d.candidate: d for d in propose_promotion(story.state, store, round=1, tier=1).decisions
    }
    refused, promoted = by_name[sha256("a:Ni8Fe8")], by_name[sha256("b:Ni9Fe7")]
    assert promoted.chosen
    assert (refused.rule, refused.margin) == ("max_surprise", pytest.approx(-6.0))


def gated(tier: int, gate: dict[str, Any]) -> dict[str, Any]:
    tiers = [dict(each) for each in SPEC["tiers"]]
    tiers[tier] |= {"gate": gate}
    return {"tiers": tiers}


def test_a_tier_s_gate_keeps_back_what_its_own_property_speaks_against(
    store: ArtifactStore,
) -> None:
    story = Told(gated(0, {"volume_per_atom": [11.5, None]}))
    story.choose(1, Stage.ACQUISITION, ["a:Ni8Fe8", "b:Ni9Fe7"])
    story.answer(1, Stage.ACQUISITION, "a:Ni8Fe8", 190.0, volume=11.0)
    story.answer(1, Stage.ACQUISITION, "b:Ni9Fe7", 183.0, volume=12.0)
    proposal = propose_promotion(story.state, store, round=1, tier=1)
    assert chosen(proposal) == [sha256("b:Ni9Fe7")]
    (refused,) = [d for d in proposal.decisions if not d.chosen]
    assert (refused.rule, refused.margin) == ("gate", pytest.approx(-0.5))
    assert "its volume_per_atom is 11, below 11.5" in refused.reason


@pytest.mark.parametrize(
    ("tier", "gate", "problem"),
    [
        (1, {"density": [8, None]}, "tiers.1.gate does nothing"),
        (0, {"density": [None, None]}, "keeps nothing back"),
        (0, {"density": [8, 7]}, "lets nothing through"),
        (0, {"band_gap": [1, None]}, "does not measure band_gap"),
    ],
)
def test_gates_that_mean_nothing_are_refused(tier: int, gate: dict[str, Any], problem: str) -> None:
    with pytest.raises(SpecError, match=problem):
        parse_spec(SPEC | gated(tier, gate), where="test")


def test_a_tier_is_asked_for_what_its_gate_speaks_of_and_no_other_is() -> None:
    tiers = [*gated(1, {"crystal_fraction": [0.95, None]})["tiers"], SPEC["tiers"][1]]
    budget = SPEC["budget"] | {"measurements": [100, 50, 5]}
    spec = parse_spec(SPEC | {"tiers": tiers, "budget": budget}, where="test")
    asked = ["crystal_fraction" in spec.required_properties(tier) for tier in range(3)]
    assert asked == ["crystal_fraction" in tier.measures() for tier in spec.tiers]
    assert asked == [False, True, False]


def test_a_cheaper_cell_is_preferred_where_the_gain_is_the_same(store: ArtifactStore) -> None:
    def first(rule: str) -> str:
        story = Told({"promotion": {"rule": rule}})
        values = {"big:Ni64Fe64": (190.0, 0.0), "small:Ni8Fe8": (189.9, 0.0)}
        story.measure(0, Stage.INITIAL, values)
        return chosen(propose_promotion(story.state, store, round=0, tier=1))[0]

    assert first("top") == sha256("big:Ni64Fe64")
    assert first("gain-per-cost") == sha256("small:Ni8Fe8")


def test_the_expected_gain_is_that_of_a_normal_distribution() -> None:
    # Many exact pairs leave Student's t nearly normal; its expected improvement is known.
    story = Told({"constraints": []})
    rng = np.random.default_rng(3)
    values = {f"{i}:Ni8Fe8": (170.0 + 0.1 * i, 0.0) for i in range(200)}
    story.measure(0, Stage.INITIAL, values)
    story.promote(0, {name: m - 20.0 + float(rng.normal()) for name, (m, _) in values.items()})
    story.measure(1, Stage.ACQUISITION, {"new:Ni8Fe8": (189.0, 0.0)})
    state = story.state
    lines = corrections(state, 1)
    new = state.answers()[-1]
    (gain,) = expected_gains(state, 1, 1, [new], lines)
    best = max(m.properties["bulk_modulus"] for m in state.answers(1))
    posterior = lines["bulk_modulus"].posterior(189.0, fractions_of(state, [new.candidate])[0])
    z = (posterior.mean - best) / posterior.std
    exact = posterior.std * (z * norm.cdf(z) + norm.pdf(z))
    assert gain == pytest.approx(exact, abs=0.1)


def test_costs_follow_the_number_of_atoms() -> None:
    assert predicted_core_hours(16, []) == 16
    assert predicted_core_hours(32, [(16, 2.0), (16, 2.0)]) == pytest.approx(4.0)
    cubic = [(n, 1e-4 * n**3) for n in (8, 16, 54)]
    assert predicted_core_hours(32, cubic) == pytest.approx(1e-4 * 32**3)


def test_a_purse_pays_for_whole_measurements() -> None:
    assert TierBudget("core-hours", 10.0, 0.0, 0).affordable is None
    assert TierBudget("core-hours", 10.0, 4.0, 2).affordable == 3
    assert TierBudget("core-hours", 10.0, 9.0, 4).affordable == 0
    assert "9 of 10 core-hours" in str(TierBudget("core-hours", 10.0, 9.0, 4).exhaustion)
    assert "one more takes 2.25" in str(TierBudget("core-hours", 10.0, 9.0, 4).exhaustion)
    assert (
        TierBudget("currency units", 10.0, 10.5, 4).exhaustion
        == "10.5 of 10 currency units are spent"
    )


def limited(core_hours: float) -> dict[str, Any]:
    budget = {"initial": 2, "rounds": 0, "measurements": [100, 50]}
    return {"budget": budget | {"core_hours": [None, core_hours]}}


def test_with_a_limit_the_first_is_promoted_alone_and_the_rest_when_its_bill_has_come(
    store: ArtifactStore,
) -> None:
    story = told(**limited(10.0))
    assert next_step(story.state) == Propose(0, Stage.PROMOTION, tier=1)
    assert len(chosen(propose_promotion(story.state, store, round=0, tier=1))) == 1
    story.promote(0, {"a:Ni8Fe8": 185.0}, core_hours=4.0)
    assert next_step(story.state) == Propose(0, Stage.PROMOTION, iteration=1, tier=1)
    again = propose_promotion(story.state, store, round=0, tier=1, iteration=1)
    assert chosen(again) == [sha256("b:Ni9Fe7")]


def test_a_campaign_whose_core_hours_are_spent_promotes_no_more_and_says_so() -> None:
    story = told(**limited(5.0))
    story.promote(0, {"a:Ni8Fe8": 185.0}, core_hours=4.0)
    step = next_step(story.state)
    assert isinstance(step, Close)
    assert "tier 1: 4 of 5 core-hours are spent, and one more takes 4" in step.reason


def test_money_is_limited_over_all_sessions() -> None:
    budget = {"initial": 2, "rounds": 0, "measurements": [100, 50], "money": [None, 9.0]}
    story = told(budget=budget)
    story.choose(0, Stage.PROMOTION, ["a:Ni8Fe8"], tier=1)
    story.answer(0, Stage.PROMOTION, "a:Ni8Fe8", 185.0, tier=1, core_hours=2.0, money=4.0)
    assert story.state.remaining(1) == 1
    story.choose(0, Stage.PROMOTION, ["b:Ni9Fe7"], tier=1)
    story.answer(0, Stage.PROMOTION, "b:Ni9Fe7", None, tier=1, core_hours=3.0, money=6.0)
    assert story.state.exhaustion(1) == "tier 1: 10 of 9 currency units are spent"


def test_promotion_waits_for_the_end_or_follows_every_round() -> None:
    def after_a_round(when: str) -> object:
        story = told(promotion={"when": when})
        assert next_step(story.state) == Fit(1)  # nothing is promoted before the first round
        story.measure(1, Stage.ACQUISITION, {"d:Ni7Fe9": (195.0, 0.0)})
        return next_step(story.state)

    assert after_a_round("end") == Fit(2)
    assert after_a_round("round") == Propose(1, Stage.PROMOTION, tier=1)


def test_after_its_promotion_a_round_is_over() -> None:
    story = told(promotion={"when": "round"})
    story.measure(1, Stage.ACQUISITION, {"d:Ni7Fe9": (195.0, 0.0)})
    story.promote(1, {"d:Ni7Fe9": 185.0, "a:Ni8Fe8": 181.0})
    assert next_step(story.state) == Fit(2)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"core_hours": [1.0]}, "1 limits for 2 tiers"),
        ({"core_hours": [None, 0.0]}, "greater than 0"),
        ({"core_hours": [None, float("inf")]}, "finite"),
        ({"money": [5.0, None]}, "tiers.0, which costs nothing"),
        ({"money": [None, -1.0]}, "greater than 0"),
    ],
)
def test_limits_that_mean_nothing_are_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(SpecError, match=problem):
        parse_spec(SPEC | {"budget": SPEC["budget"] | changes}, where="test")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("rule", "best"),
        ("when", "always"),
        ("max_surprise", 0.0),
        ("min_rank_correlation", 1.5),
        ("extra", -1),
        ("share", 0.5),
    ],
)
def test_bad_options_are_refused(key: str, value: object) -> None:
    with pytest.raises(SpecError, match=f"promotion.{key}"):
        parse_spec(SPEC | {"promotion": {key: value}}, where="test")


def test_a_changed_promotion_does_not_follow_again(store: ArtifactStore) -> None:
    story = told()
    proposal = propose_promotion(story.state, store, round=0, tier=1)
    honest = [*story.entries, story.entry(proposal)]
    ((old, new),) = promotions_again(honest, store, 0)
    assert old == new
    other = proposal.decisions[1].model_copy(update={"chosen": False, "rule": "promotion"})
    changed = proposal.model_copy(update={"decisions": (proposal.decisions[0], other)})
    ((old, new),) = promotions_again([*story.entries, story.entry(changed)], store, 0)
    assert old != new


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"tiers": SPEC["tiers"][:1], "budget": {"measurements": [100]}}, "needs a higher tier"),
        ({"promotion": {"when": "end"}}, "write when: round"),
    ],
)
def test_an_aim_that_nothing_can_be_learnt_of_is_refused(
    changes: dict[str, Any], problem: str
) -> None:
    aimed = SPEC | {"promotion": {"when": "round"}, "acquisition": {"aim": "top-tier"}}
    assert parse_spec(aimed, where="test").acquisition.aim == "top-tier"
    with pytest.raises(SpecError, match=problem):
        parse_spec(aimed | changes, where="test")
