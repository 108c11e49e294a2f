"""The joint acquisition is the textbook's, the choice spreads out."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from scipy.stats import norm

from alloop.loop.choose.fidelity import fit_fidelity_map
from alloop.loop.choose.numerics import single_threaded
from alloop.loop.choose.search.front_score import FrontScore
from alloop.loop.choose.search.joint import ListedModel, choose_batch, joint_acquisition
from alloop.loop.choose.search.score import Marginals
from tests.loop.choose.search.toy import NAMES, grid, labelled, surrogates_on, utility


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with single_threaded(), torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def test_without_noise_or_constraints_it_is_the_expected_improvement() -> None:
    # Jones, Schonlau and Welch, J. Global Optim. 13 (1998) 455, eq. 15.
    x = grid(6)
    found = surrogates_on(x, np.sin(6 * x) + 180)
    points = np.array([[0.33], [0.47], [0.93]])
    mean, covariance = found.chosen[0].surrogate.joint(points)
    best = float(found.chosen[0].surrogate.joint(x)[0].max())
    value = joint_acquisition(found, x, points, utility(), seed=1)([0, 1, 2]).exp().detach()
    for i in range(len(points)):
        m, s = float(mean[i]), math.sqrt(covariance[i, i])
        u = (m - best) / s
        expected = s * (u * norm.cdf(u) + norm.pdf(u))
        assert float(value[i]) == pytest.approx(expected, rel=0.2, abs=1e-2 * s)


def test_a_constraint_keeps_the_choice_on_its_side() -> None:
    x = grid()
    found = surrogates_on(x[::3], labelled(x[::3]))
    constrained = utility(constraints=[{"property": NAMES[1], "max": 0.1}])
    choice = choose_batch(joint_acquisition(found, x[::3], x, constrained, seed=1), 21, 1)
    assert 0.2 * float(x[choice.order[0], 0]) <= 0.1 + 0.005
    free = choose_batch(joint_acquisition(found, x[::3], x, utility(), seed=1), 21, 1)
    assert float(x[free.order[0], 0]) > 0.5


def test_places_beyond_the_list_are_its_ends() -> None:
    # BoTorch asks for them where no draw of what is measured is feasible.
    x = grid()
    model = ListedModel(surrogates_on(x, labelled(x)), x)
    places = torch.tensor([[-2.3], [0.0], [20.0], [22.9]], dtype=torch.float64)
    posterior = model.posterior(places)
    assert torch.equal(posterior.mean[0], posterior.mean[1])
    assert torch.equal(posterior.mean[2], posterior.mean[3])
    assert not torch.equal(posterior.mean[1], posterior.mean[2])


def test_a_window_is_aimed_at() -> None:
    x = grid()
    found = surrogates_on(x[::3], labelled(x[::3]))
    window = utility(objectives=[{"property": NAMES[1], "goal": "window", "window": [0.05, 0.06]}])
    choice = choose_batch(joint_acquisition(found, x[::3], x, window, seed=1), 21, 1)
    assert 0.2 * float(x[choice.order[0], 0]) == pytest.approx(0.055, abs=0.012)


def test_a_batch_does_not_choose_twins_and_scores_everything() -> None:
    x = grid(6)
    found = surrogates_on(x, 180 + np.sin(9 * x))
    twins = np.array([[0.3], [0.3], [0.33], [0.9]])
    choice = choose_batch(joint_acquisition(found, x, twins, utility(), seed=1), 4, 2)
    assert len(set(choice.order)) == 2
    assert set(choice.order) != {0, 1}
    assert len(choice.scores) == 4
    assert all(map(math.isfinite, choice.scores))


def test_it_can_aim_at_what_the_top_tier_is_expected_to_say() -> None:
    # The higher tier's formation energies lie 0.1 eV/atom lower: the peak at 0.7 is then feasible.
    x = grid()[::2]
    found = surrogates_on(x, labelled(x))
    wanted = utility(constraints=[{"property": "formation_energy_per_atom", "max": 0.06}])
    energies = np.array([0.0, 0.1, 0.2])
    none = {"fraction_spreads": ()}
    modulus = fit_fidelity_map([170.0, 180.0], [150.0, 160.0], x[:2, :0], spread=5.0, **none)
    lower = fit_fidelity_map(energies, energies - 0.1, x[:3, :0], spread=0.05, **none)
    lines = [{"bulk_modulus": modulus, "formation_energy_per_atom": lower}]
    fresh = np.array([[0.22], [0.66]])
    with torch.no_grad():
        first = joint_acquisition(found, x, fresh, wanted, seed=1)([0, 1])
        top = joint_acquisition(found, x, fresh, wanted, seed=1, lines=lines)([0, 1])
    assert first[0] > first[1]
    assert top[1] > top[0]


FRONT = [
    {"property": NAMES[0], "goal": "maximise", "reference": 160.0},
    {"property": NAMES[1], "goal": "minimise", "reference": 0.2},
]


def test_of_two_objectives_it_is_the_expected_improvement_of_the_hypervolume() -> None:
    # qLogNEHVI against the exact value for independent objectives, which the climb goes by
    # (tests/loop/choose/search/test_front_score.py holds that against BoTorch's analytic one).
    x = grid(5)
    found = surrogates_on(x, np.hstack([np.sin(6 * x) * 10 + 175, 0.1 + 0.08 * np.cos(5 * x)]))
    wanted = utility(objectives=FRONT)
    points = np.array([[0.1], [0.37], [0.6], [0.9]])
    with torch.no_grad():
        value = joint_acquisition(found, x, points, wanted, seed=1)(range(4)).exp().numpy()
    joint = [chosen.surrogate.joint(points) for chosen in found.chosen]
    mean = np.column_stack([m for m, _ in joint])
    std = np.column_stack([np.sqrt(np.diagonal(c)) for _, c in joint])
    known = np.column_stack([chosen.surrogate.joint(x)[0] for chosen in found.chosen])
    rows = [dict(zip(NAMES, row, strict=True)) for row in known.tolist()]
    expected = np.exp(FrontScore.of(wanted, rows)(Marginals(NAMES, mean, std)))
    assert value == pytest.approx(expected, rel=0.2, abs=0.02 * float(expected.max()))


def test_a_batch_of_two_objectives_lies_on_the_front_and_spreads() -> None:
    # The modulus has its peak at 0.7, the energy grows from 0: nothing beyond 0.7 is on the front.
    x = grid()
    known = np.array([[0.0], [0.45], [1.0]])
    found = surrogates_on(known, labelled(known))
    acquisition = joint_acquisition(found, known, x, utility(objectives=FRONT), seed=1)
    chosen = x[list(choose_batch(acquisition, 21, 4).order), 0]
    assert chosen.max() <= 0.85
    assert np.ptp(chosen) >= 0.3
