"""The surrogate interpolates, the acquisition is the textbook's, the choice spreads out."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import norm

from alloop.campaigns.load import parse_spec
from alloop.loop.choose.acquisition import (
    acquisition_function,
    choose_batch,
    climb,
    fit_surrogate,
    trust_region,
)
from alloop.loop.choose.fidelity import fit_fidelity_map
from alloop.loop.choose.numerics import single_threaded
from alloop.loop.state.utility import Utility

NAMES = ("bulk_modulus", "formation_energy_per_atom")


def utility(**changes: object) -> Utility:
    data = {
        "name": "test",
        "space": {"elements": ["Ni", "Fe"]},
        "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
        "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
    }
    return Utility.of(parse_spec(data | changes, where="test"), [])


@pytest.fixture(autouse=True)
def quiet() -> object:
    with single_threaded(), torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def grid(n: int = 21) -> torch.Tensor:
    return torch.linspace(0, 1, n, dtype=torch.float64).unsqueeze(-1)


def labelled(x: torch.Tensor) -> torch.Tensor:
    """A modulus with its peak at 0.7, and a formation energy that grows from 0 to 0.2."""
    return torch.cat([180 - 40 * (x - 0.7) ** 2, 0.2 * x], dim=-1)


def test_the_surrogate_passes_through_smooth_labels_and_is_unsure_away_from_them() -> None:
    x = grid()[:11]
    surrogate = fit_surrogate(x, labelled(x), NAMES)
    mean, std = surrogate.posterior(torch.tensor([[0.225], [0.9]]))
    assert mean[0, 0] == pytest.approx(labelled(torch.tensor([[0.225]]))[0, 0].item(), abs=0.05)
    assert std[1, 0] > 3 * std[0, 0]


def test_without_noise_or_constraints_it_is_the_expected_improvement() -> None:
    # Jones, Schonlau and Welch, J. Global Optim. 13 (1998) 455, eq. 15.
    x = grid(6)
    y = torch.sin(6 * x) + 180
    surrogate = fit_surrogate(x, y, ("bulk_modulus",))
    points = torch.tensor([[0.33], [0.47], [0.93]], dtype=torch.float64)
    mean, std = surrogate.posterior(points)
    best = float(surrogate.posterior(x)[0].max())
    value = acquisition_function(surrogate, utility(), seed=1)(points.unsqueeze(1)).exp().detach()
    for i in range(len(points)):
        m, s = float(mean[i, 0]), float(std[i, 0])
        u = (m - best) / s
        expected = s * (u * norm.cdf(u) + norm.pdf(u))
        assert float(value[i]) == pytest.approx(expected, rel=0.15, abs=1e-3 * s)


def test_climbing_finds_the_peak_inside_the_box_and_never_leaves_it() -> None:
    x = grid(9)
    surrogate = fit_surrogate(x, labelled(x)[:, :1], ("bulk_modulus",))
    acquisition = acquisition_function(surrogate, utility(), seed=1)
    starts = torch.tensor([[0.55], [0.2]], dtype=torch.float64)
    lower, upper = starts - 0.2, starts + 0.2
    found = climb(acquisition, lambda z: z, starts, lower, upper, max_iterations=50)
    assert found[0, 0] == pytest.approx(0.7, abs=0.06)
    assert found[1, 0] == pytest.approx(0.4, abs=1e-6)


def test_a_constraint_keeps_the_choice_on_its_side() -> None:
    x = grid()
    surrogate = fit_surrogate(x[::3], labelled(x[::3]), NAMES)
    constrained = utility(constraints=[{"property": NAMES[1], "max": 0.1}])
    acquisition = acquisition_function(surrogate, constrained, seed=1)
    choice = choose_batch(acquisition, x, 1)
    assert 0.2 * float(x[choice.order[0]]) <= 0.1 + 0.005
    free = choose_batch(acquisition_function(surrogate, utility(), seed=1), x, 1)
    assert float(x[free.order[0]]) > 0.5


def test_a_window_is_aimed_at() -> None:
    x = grid()
    surrogate = fit_surrogate(x[::3], labelled(x[::3]), NAMES)
    window = utility(objectives=[{"property": NAMES[1], "goal": "window", "window": [0.05, 0.06]}])
    choice = choose_batch(acquisition_function(surrogate, window, seed=1), x, 1)
    assert 0.2 * float(x[choice.order[0]]) == pytest.approx(0.055, abs=0.012)


def test_a_batch_does_not_choose_twins_and_scores_everything() -> None:
    torch.manual_seed(1)
    x = torch.rand(12, 2, dtype=torch.float64)
    y = 180 + torch.sin(5 * x).sum(dim=-1, keepdim=True)
    surrogate = fit_surrogate(x, y, ("bulk_modulus",))
    twins = torch.tensor([[0.3, 0.3], [0.3, 0.3], [0.35, 0.25], [0.9, 0.9]], dtype=torch.float64)
    choice = choose_batch(acquisition_function(surrogate, utility(), seed=1), twins, 2)
    assert len(set(choice.order)) == 2
    assert set(choice.order) != {0, 1}
    assert len(choice.scores) == 4
    assert all(map(math.isfinite, choice.scores))


def test_the_trust_region_is_measured_in_the_extent_of_what_was_measured() -> None:
    measured = torch.tensor([[0.0, 5.0, 1.0], [2.0, 5.0, 2.0]])
    lower, upper = trust_region(measured[:1], measured, edge=0.5)
    assert (upper - lower)[0, [0, 2]].tolist() == pytest.approx([1.0, 0.5])
    assert float((upper - lower)[0, 1]) > 0  # a coordinate that never varied may still move
    assert torch.allclose((lower + upper) / 2, measured[:1])


def test_it_can_aim_at_what_the_dearest_tier_is_expected_to_say() -> None:
    # The higher tier's formation energies lie 0.1 eV/atom lower: the peak at 0.7 is then feasible.
    x = grid()[::2]
    surrogate = fit_surrogate(x, labelled(x), NAMES)
    wanted = utility(constraints=[{"property": "formation_energy_per_atom", "max": 0.06}])
    energies = np.array([0.0, 0.1, 0.2])
    modulus = fit_fidelity_map([170.0, 180.0], [150.0, 160.0], spread=5.0)
    lower = fit_fidelity_map(energies, energies - 0.1, spread=0.05)
    lines = [{"bulk_modulus": modulus, "formation_energy_per_atom": lower}]
    fresh = torch.tensor([[0.22], [0.66]], dtype=torch.float64)
    with torch.no_grad():
        first = acquisition_function(surrogate, wanted, seed=1)(fresh.unsqueeze(1))
        dearest = acquisition_function(surrogate, wanted, seed=1, lines=lines)(fresh.unsqueeze(1))
    assert first[0] > first[1]
    assert dearest[1] > dearest[0]


def test_a_batch_from_a_shortlist_is_as_good_as_one_from_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x = grid()[[0, 4, 8, 12]]
    surrogate = fit_surrogate(x, labelled(x), NAMES)
    candidates = grid(301)
    joint = acquisition_function(surrogate, utility(), seed=1)
    from_all = choose_batch(joint, candidates, 4)
    monkeypatch.setattr("alloop.loop.choose.acquisition.SHORTLIST", 150)
    listed = choose_batch(acquisition_function(surrogate, utility(), seed=1), candidates, 4)
    assert listed.order[0] == from_all.order[0]
    assert len(set(listed.order)) == 4
    joint.set_X_pending(None)
    with torch.no_grad():
        values = [joint(candidates[list(c.order)].unsqueeze(0)).exp() for c in (listed, from_all)]
    assert values[0] > 0.98 * values[1]
