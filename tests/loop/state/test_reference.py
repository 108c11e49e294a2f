"""Reference point and scales are taken once; outliers and later labels move neither."""

import pytest

from alloop.campaigns.load import parse_spec
from alloop.campaigns.spec import CampaignSpec
from alloop.loop.record.events import ReferenceTaken
from alloop.loop.state.ranking.pareto import front_order
from alloop.loop.state.ranking.reference import reference_from
from alloop.loop.state.ranking.utility import Utility

K, RHO = "bulk_modulus", "density"


def spec_of(**changes: object) -> CampaignSpec:
    data = {
        "name": "two",
        "space": {"elements": ["Ni", "Fe"], "atoms": 16},
        "objectives": [
            {"property": K, "goal": "maximise"},
            {"property": RHO, "goal": "minimise"},
        ],
        "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
    }
    return parse_spec(data | changes, where="two")


def labels(*pairs: tuple[float, float]) -> list[dict[str, float]]:
    return [{K: k, RHO: rho} for k, rho in pairs]


FIVE = labels((160, 8.0), (170, 8.2), (180, 8.4), (190, 8.6), (200, 8.8))


def test_it_lies_a_tenth_of_the_spread_below_the_worst() -> None:
    taken = reference_from(spec_of(), FIVE)
    # quartiles 170 and 190, 8.2 and 8.6
    assert taken.scales == pytest.approx({K: 20 / 1.349, RHO: 0.4 / 1.349})
    assert taken.reference == pytest.approx({K: 160 - 2 / 1.349, RHO: 8.8 + 0.04 / 1.349})


def test_one_absurd_label_moves_it_no_farther_than_an_ordinary_one() -> None:
    taken = reference_from(spec_of(), [*FIVE, {K: -1e12, RHO: 1e12}])
    assert 130 < taken.reference[K] < 160
    assert 8.8 < taken.reference[RHO] < 9.5
    assert taken.scales[K] < 40


def test_what_is_infeasible_is_no_reference() -> None:
    limited = spec_of(constraints=[{"property": RHO, "max": 8.5}])
    taken = reference_from(limited, FIVE)
    assert taken.reference[RHO] == pytest.approx(8.4 + 0.04 / 1.349)
    assert taken.reference[K] == pytest.approx(160 - 2 / 1.349)


def test_labels_that_are_all_the_same_have_a_scale_all_the_same() -> None:
    taken = reference_from(spec_of(), labels((180, 8.4), (180, 8.4)))
    assert taken.scales == pytest.approx({K: 1.8, RHO: 0.084})
    assert taken.reference == pytest.approx({K: 179.82, RHO: 8.4084})


def test_what_the_spec_states_stands_over_what_was_taken() -> None:
    stated = spec_of(
        objectives=[
            {"property": K, "goal": "maximise", "reference": 150},
            {"property": RHO, "goal": "minimise"},
        ]
    )
    taken = ReferenceTaken(reference={K: 1.0, RHO: 9.0}, scales={K: 10.0, RHO: 0.5}, n_labels=5)
    utility = Utility.of(stated, FIVE, taken=taken)
    assert utility.reference == (150.0, -9.0)
    # gains (200 - 150) / 10 and (9 - 8.8) / 0.5, the least and a twentieth of their mean
    assert utility.value(FIVE[-1]) == pytest.approx(0.4 + 0.05 * (5 + 0.4) / 2)


def test_a_weighted_sum_on_request_has_stated_scales_or_those_of_the_first_labels() -> None:
    summed = spec_of(
        scalarisation="weighted-sum",
        objectives=[
            {"property": K, "goal": "maximise", "weight": 3, "scale": 20},
            {"property": RHO, "goal": "minimise"},
        ],
    )
    utility = Utility.of(summed, FIVE)
    assert not utility.seeks_front
    assert utility.value({K: 180, RHO: 8.0}) == pytest.approx(3 * 180 / 20 - 8.0 * 1.349 / 0.4)


def test_order_by_fronts_then_by_contribution_then_by_what_is_missed() -> None:
    limited = spec_of(constraints=[{"property": RHO, "max": 9.0}])
    taken = ReferenceTaken(reference={K: 100.0, RHO: 9.0}, scales={K: 1.0, RHO: 1.0}, n_labels=2)
    utility = Utility.of(limited, taken=taken)
    rows = labels(
        (150, 9.3),  # misses by 0.3
        (120, 8.0),  # dominated
        (125, 7.9),  # without it 25 x 0.1 is lost
        (140, 8.0),  # without it 15 x 1.0 is lost
        (200, 9.1),  # misses by 0.1
    )
    assert front_order(utility, rows) == [3, 2, 1, 4, 0]


def test_of_equal_candidates_the_first_keeps_its_contribution() -> None:
    taken = ReferenceTaken(reference={K: 100.0, RHO: 9.0}, scales={K: 1.0, RHO: 1.0}, n_labels=2)
    utility = Utility.of(spec_of(), taken=taken)
    rows = labels((125, 7.9), (140, 8.0), (140, 8.0), (120, 7.8))
    # Without (140, 8.0) 15 x 1.0 would be lost, without either of the two nothing.
    assert front_order(utility, rows)[0] == 1
    assert front_order(utility, rows)[-1] == 2
