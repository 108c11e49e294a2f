"""How far two tiers agree, and what follows when they do not."""

from typing import Any

import pytest

from alloop.loop.record.events import Stage
from alloop.loop.state.disagreement import by_round, disagreement
from alloop.loop.state.promotion_size import wanted
from tests.loop.told import Told


def story(dear: list[list[float]], **promotion: Any) -> Told:
    """Return a campaign with one promotion per round; candidate i has i GPa by the cheap tier."""
    told = Told({"promotion": {"when": "round"} | promotion})
    names = [f"{i}:Ni8Fe8" for i in range(sum(map(len, dear)))]
    values = {name: (float(i), 0.0) for i, name in enumerate(names)}
    told.measure(0, Stage.INITIAL, values)
    rest = iter(names)
    for n, moduli in enumerate(dear, start=1):
        told.promote(n, {next(rest): modulus for modulus in moduli})
    return told


def test_differences_are_the_dear_value_minus_the_cheap_one() -> None:
    found = disagreement(story([[5.0, 7.0]]).state, 1)
    assert found.n_pairs == 2
    assert found.differences["bulk_modulus"].mean == pytest.approx(5.5)  # 5 - 0 and 7 - 1
    assert found.differences["bulk_modulus"].std == pytest.approx(0.5**0.5)
    assert found.differences["volume_per_atom"].mean == pytest.approx(0.2 / 11.0)


def test_a_few_pairs_have_no_rank_correlation() -> None:
    assert disagreement(story([[5.0, 4.0, 3.0, 2.0]]).state, 1).rank_correlation is None


def test_the_same_order_is_agreement_however_large_the_offset() -> None:
    found = disagreement(story([[50.0, 51.0, 53.0, 54.0, 59.0]]).state, 1)
    assert found.rank_correlation == pytest.approx(1.0)
    assert not found.is_doubtful


def test_another_order_is_reported_and_asks_for_more_candidates() -> None:
    told = story([[9.0, 7.0, 5.0, 3.0, 1.0]], extra=3)
    found = disagreement(told.state, 1)
    assert found.rank_correlation == pytest.approx(-1.0)
    assert "order 5 candidates differently" in found.warning
    assert wanted(told.state, 1) == 2 + 3
    assert wanted(story([[1.0, 2.0, 3.0, 4.0, 5.0]], extra=3).state, 1) == 2


def test_the_threshold_is_the_campaign_s() -> None:
    order = [[0.0, 2.0, 1.0, 4.0, 3.0]]  # Spearman: 1 - 6·4 / (5·24) = 0.8
    found = disagreement(story(order, min_rank_correlation=0.9).state, 1)
    assert found.rank_correlation == pytest.approx(0.8)
    assert found.is_doubtful
    assert not disagreement(story(order, min_rank_correlation=0.7).state, 1).is_doubtful


def test_a_drift_from_round_to_round_is_reported() -> None:
    steady = story([[10.0, 11.1, 12.0, 13.1], [14.0, 15.1, 16.0, 17.1]])
    assert not disagreement(steady.state, 1).is_doubtful
    drifted = story([[10.0, 11.1, 12.0, 13.1], [24.0, 25.1, 26.0, 27.1]])
    assert "bulk_modulus drifts: 20.1 in round 2, 10.1 before" in (
        disagreement(drifted.state, 1).warning
    )


def test_each_round_is_told_apart() -> None:
    rounds = by_round(story([[10.0, 11.0], [22.0, 23.0]]).state, 1)
    assert {n: found.differences["bulk_modulus"].mean for n, found in rounds.items()} == {
        1: 10.0,
        2: 20.0,
    }
    assert {found.n_pairs for found in rounds.values()} == {2}


def test_energies_are_ordered_too() -> None:
    told = Told()
    names = [f"{i}:Ni8Fe8" for i in range(5)]
    told.measure(0, Stage.INITIAL, {name: (170.0, 0.01 * i) for i, name in enumerate(names)})
    told.choose(1, Stage.PROMOTION, names, tier=1)
    for i, name in enumerate(names):
        told.answer(1, Stage.PROMOTION, name, 160.0, -0.02 * i, tier=1)
    found = disagreement(told.state, 1)
    assert found.energy_correlation == pytest.approx(-1.0)
    assert found.rank_correlation is None  # all have the same modulus
