"""The transport makes z normal whichever outcome an alloy has, and can be undone."""

import torch

from alloop.models.dvae.transport import Transport


def entangled(n: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Places of two outcomes that differ in mean, spread and shape, and the outcomes."""
    draw = torch.randn(n, 2, generator=generator)
    outcome = torch.arange(n) % 2
    bent = torch.stack([draw[:, 0], 0.5 * draw[:, 1] + draw[:, 0] ** 2], 1)
    return torch.where(outcome[:, None] == 1, bent + 3, draw), outcome


def test_z_has_the_same_distribution_for_both_outcomes_on_new_points() -> None:
    generator = torch.Generator().manual_seed(0)
    u, outcome = entangled(2000, generator)
    transport = Transport(2, outcomes=2, layers=30, knots=40)
    weights = torch.stack([1 - outcome, outcome]).float()
    transport.fit(torch.stack([u, u]), weights, generator)
    new, outcome = entangled(4000, generator)
    z = transport.to_z(new, outcome)
    for label in (0, 1):
        part = z[outcome == label]
        assert torch.allclose(part.mean(0), torch.zeros(2).double(), atol=0.12)
        assert torch.allclose(torch.cov(part.T), torch.eye(2).double(), atol=0.25)
        # A normal's share within one standard deviation of the middle, in the plane.
        assert abs(float((part.norm(dim=1) < 1).float().mean()) - 0.3935) < 0.05


def test_going_there_and_back_changes_nothing() -> None:
    generator = torch.Generator().manual_seed(1)
    u, outcome = entangled(500, generator)
    transport = Transport(2, outcomes=2, layers=20, knots=30)
    transport.fit(torch.stack([u, u]), torch.stack([1 - outcome, outcome]).float(), generator)
    points = torch.cat([u, 10 * u])  # beyond the data, too
    again = transport.to_u(transport.to_z(points, outcome.repeat(2)), outcome.repeat(2))
    torch.testing.assert_close(again, points.double(), rtol=1e-9, atol=1e-9)


def test_no_line_tells_the_fitted_outcomes_apart() -> None:
    generator = torch.Generator().manual_seed(2)
    u, outcome = entangled(300, generator)
    transport = Transport(2, outcomes=2, layers=5, knots=40)
    transport.fit(torch.stack([u, u]), torch.stack([1 - outcome, outcome]).float(), generator)
    z = transport.to_z(u, outcome)
    for label in (0, 1):
        part = z[outcome == label]
        middle, unit = torch.zeros(2).double(), torch.eye(2).double()
        torch.testing.assert_close(part.mean(0), middle, rtol=0, atol=1e-9)
        torch.testing.assert_close(torch.cov(part.T, correction=0), unit, rtol=0, atol=5e-3)


def test_alloys_at_one_place_can_be_mapped_there_and_back() -> None:
    generator = torch.Generator().manual_seed(3)
    u = torch.ones(100, 2)
    outcome = torch.arange(100) % 2
    transport = Transport(2, outcomes=2, layers=5, knots=40)
    transport.fit(torch.stack([u, u]), torch.stack([1 - outcome, outcome]).float(), generator)
    z = transport.to_z(u, outcome)
    assert torch.isfinite(z).all()
    torch.testing.assert_close(transport.to_u(z, outcome), u.double(), rtol=1e-9, atol=1e-9)


def test_no_line_tells_true_outcomes_apart_where_heads_err() -> None:
    generator = torch.Generator().manual_seed(4)
    u, true = entangled(4000, generator)
    # Wrong more often far to the right, as heads are in regions that they know little of.
    is_wrong = torch.rand(4000, generator=generator) < 0.25 * torch.sigmoid(2 * u[:, 0])
    said = torch.where(is_wrong, 1 - true, true)
    transport = Transport(2, outcomes=2, layers=20, knots=40)
    transport.fit(torch.stack([u, u]), torch.stack([1 - true, true]).float(), generator)

    def gap() -> float:
        z = transport.to_z(u, said)
        return float((z[true == 1].mean(0) - z[true == 0].mean(0)).norm())

    before = gap()
    transport.align(transport.to_z(u, said), true, said)
    assert before > 0.1
    assert gap() < 1e-9


def test_heads_that_guess_shift_nothing() -> None:
    generator = torch.Generator().manual_seed(5)
    u, true = entangled(400, generator)
    transport = Transport(2, outcomes=2, layers=5, knots=40)
    transport.fit(torch.stack([u, u]), torch.stack([1 - true, true]).float(), generator)
    said = torch.randint(2, (400,), generator=generator)
    middle = transport.middle.clone()
    transport.align(transport.to_z(u, said), true, said)
    assert (transport.middle - middle).norm() < 0.05
