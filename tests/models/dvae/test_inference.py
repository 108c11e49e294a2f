"""An alloy is encoded where the decoder finds it most probable, wherever the encoder begins."""

import pytest
import torch

from alloop.models.base import Dataset
from alloop.models.dvae.inference import posterior_modes
from alloop.models.dvae.model import DvaeModel
from alloop.models.dvae.network import TOTAL


def log_joint(model: DvaeModel, u: torch.Tensor, fractions: torch.Tensor) -> torch.Tensor:
    """log p(x|φ,u) + log p(u) at φ = 1, but for a constant of the alloy."""
    logs = torch.log_softmax(model.learned.network.decode(u, [torch.ones(len(u))]), -1)
    return TOTAL * (fractions * logs).sum(-1) - u.square().sum(-1) / 2


@pytest.fixture(scope="module")
def fractions(trained: DvaeModel, dataset: Dataset) -> torch.Tensor:
    return trained.fractions_of(dataset.materials[:12])


@torch.no_grad()
def test_no_place_of_a_fine_grid_is_more_probable(
    trained: DvaeModel, fractions: torch.Tensor
) -> None:
    ones = [torch.ones(len(fractions))]
    found = log_joint(trained, posterior_modes(trained.learned.network, fractions, ones), fractions)
    axis = torch.linspace(-4, 4, 161)
    grid = torch.cartesian_prod(axis, axis)
    best = [float(log_joint(trained, grid, row).max()) for row in fractions]
    assert (found > torch.tensor(best) - 0.1).all()
    mean, _ = trained.learned.network.encode(fractions, ones)
    assert (found >= log_joint(trained, mean, fractions)).all()


def test_alloys_do_not_mind_each_other_and_slopes_are_left_alone(
    trained: DvaeModel, fractions: torch.Tensor
) -> None:
    network = trained.learned.network
    before = [p.grad if p.grad is None else p.grad.clone() for p in network.parameters()]
    phase = torch.tensor([0.0, 1.0]).repeat(6)
    together = posterior_modes(network, fractions, [phase])
    alone = torch.cat(
        [posterior_modes(network, fractions[i : i + 1], [phase[i : i + 1]]) for i in range(12)]
    )
    torch.testing.assert_close(together, alone, atol=1e-3, rtol=1e-3)
    after = [parameter.grad for parameter in network.parameters()]
    for old, new in zip(before, after, strict=True):
        assert (old is None and new is None) or torch.equal(old, new)
