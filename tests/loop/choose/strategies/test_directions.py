"""Searchers side by side go for different parts of the front."""

import pytest
import torch

from alloop.loop.choose.strategies.directions import LEAST_WEIGHT, directions
from alloop.loop.choose.strategies.latent_gradient import predicted_value
from alloop.loop.record.events import ReferenceTaken
from alloop.loop.state.ranking.utility import Utility
from tests.loop.choose.search.toy import NAMES, spec_of, utility

TWO = [{"property": NAMES[0], "goal": "maximise"}, {"property": NAMES[1], "goal": "minimise"}]
THREE = [*TWO, {"property": "density", "goal": "minimise"}]


def front_of(objectives: list[dict[str, str]]) -> Utility:
    names = [each["property"] for each in objectives]
    point = dict.fromkeys(names, 0.0)
    taken = ReferenceTaken(reference=point, scales=dict.fromkeys(names, 1.0), n_labels=1)
    return Utility.of(spec_of(objectives=objectives), taken=taken)


def test_two_objectives_are_shared_out_evenly() -> None:
    found = directions(front_of(TWO), 4)
    assert [w[0] for w in found] == pytest.approx([0.25, 0.75, 1.25, 1.75])
    assert [sum(w) for w in found] == pytest.approx([2.0] * 4)
    assert directions(front_of(TWO), 1) == ((1.0, 1.0),)


@pytest.mark.parametrize("n", [2, 5, 40])
def test_more_are_spread_and_none_is_forgotten(n: int) -> None:
    found = directions(front_of(THREE), n)
    assert len(set(found)) == n
    assert all(sum(w) == pytest.approx(3.0) for w in found)
    assert min(min(w) for w in found) > LEAST_WEIGHT


def test_one_objective_has_no_directions() -> None:
    assert directions(utility(), 3) == ((), (), ())


def test_a_direction_decides_what_is_better() -> None:
    wanted = front_of(TWO)
    stiff = {NAMES[0]: 5.0, NAMES[1]: -1.0}
    stable = {NAMES[0]: 1.0, NAMES[1]: -5.0}
    first, second = directions(wanted, 2)
    # The gain that weighs little is the least, and so the one to work on.
    assert first[0] < first[1]
    assert wanted.value(stiff, first) > wanted.value(stable, first)
    assert wanted.value(stiff, second) < wanted.value(stable, second)
    assert wanted.value(stiff) == wanted.value(stable)


def test_gradients_climb_the_same_number() -> None:
    wanted = front_of(TWO)
    means = torch.tensor([[5.0, -1.0], [1.0, -5.0], [2.0, 3.0], [-1.0, 0.5]], dtype=torch.float64)
    towards = directions(wanted, 2)
    columns = {name: i for i, name in enumerate(NAMES)}
    found = predicted_value(wanted, columns, means, torch.tensor(towards, dtype=torch.float64))
    rows = [dict(zip(NAMES, row, strict=True)) for row in means.tolist()]
    weights = (towards[0], towards[0], towards[1], towards[1])  # two rows of each start
    expected = [wanted.value(row, each) for row, each in zip(rows, weights, strict=True)]
    assert found.tolist() == pytest.approx(expected)
