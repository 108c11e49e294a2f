import pytest
import torch

from alloop.models.ftcp.inverse_design.sampling import (
    global_perturbations,
    local_perturbations,
    slerp,
    slerp_between,
)


def latents(n=6, d=40):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(1))


def test_local_perturbations_surround_their_parents():
    z = latents()
    points = local_perturbations(z, copies=200, scale=0.6, seed=3)
    assert points.shape == (1200, 40)
    noise = points.view(200, 6, 40) - z
    assert noise.std().item() == pytest.approx(0.6, rel=0.02)
    assert noise.mean().item() == pytest.approx(0.0, abs=0.01)


def test_an_arc_begins_and_ends_where_it_should_and_keeps_its_length():
    start, end = latents(2)
    start, end = start / start.norm(), end / end.norm()
    shares = torch.linspace(0, 1, 9)
    points = slerp(start.expand(9, -1), end.expand(9, -1), shares)
    assert torch.allclose(points[0], start, atol=1e-6)
    assert torch.allclose(points[-1], end, atol=1e-6)
    assert torch.allclose(points.norm(dim=1), torch.ones(9), atol=1e-5)
    # equal shares of the way are equal angles
    angles = (points[1:] * points[:-1]).sum(dim=1).arccos()
    assert torch.allclose(angles, angles.mean().expand(8), atol=1e-3)


def test_parallel_points_are_interpolated_linearly():
    start = torch.ones(1, 4)
    assert torch.allclose(slerp(start, 3 * start, torch.tensor([0.5])), 2 * start)
    assert slerp(start, -start, torch.tensor([0.25])).isfinite().all()


def test_arcs_join_different_points():
    points = slerp_between(torch.eye(3), n=50, seed=0)
    assert points.shape == (50, 3)
    assert torch.allclose(points.norm(dim=1), torch.ones(50), atol=1e-5)
    assert ((points > 1e-3).sum(dim=1) >= 2).float().mean() > 0.9


def test_global_perturbations_share_the_datas_moments():
    z = 2.0 + 0.5 * latents(4000, 3)
    points = global_perturbations(z, n=4000, scale=2.0, seed=0)
    assert points.mean().item() == pytest.approx(2.0, abs=0.05)
    assert points.std(dim=0).mean().item() == pytest.approx(1.0, rel=0.05)


def test_seeds_decide():
    z = latents()
    for draw in (
        lambda seed: local_perturbations(z, copies=2, scale=1.0, seed=seed),
        lambda seed: slerp_between(z, n=5, seed=seed),
        lambda seed: global_perturbations(z, n=5, scale=1.0, seed=seed),
    ):
        assert torch.equal(draw(1), draw(1))
        assert not torch.equal(draw(1), draw(2))
