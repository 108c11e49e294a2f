"""The learnt score on a toy whose density is known.

In a cubic cell of one element an atom of another sits off the centre, along x. Turned by the
cell's symmetries this is six sites, which distances and angles cannot tell apart: so the best
score that the decoder can have is that of the mixture of all six, under the noise. It is far from
the displacement that training shows it, which leads back to the one site.
"""

import itertools
import math

import numpy as np
import torch

from alloop.models.pcdvae.networks.crystal import FloatArray
from alloop.models.pcdvae.networks.decoder import Decoder
from alloop.models.pcdvae.networks.graph import Graph
from alloop.models.pcdvae.networks.layers import fitting_scales
from alloop.models.pcdvae.networks.noise import nearest_image

EDGE, OFF_CENTRE, SIGMA = 3.2, 0.45, 0.25
ROWS, STEPS = 64, 200
CELLS = np.tile(EDGE * np.eye(3), (ROWS, 1, 1))
CLEAN = np.array([[0.0, 0, 0], [EDGE / 2 + OFF_CENTRE, EDGE / 2, EDGE / 2]])
SITES = np.concatenate([OFF_CENTRE * np.eye(3), -OFF_CENTRE * np.eye(3)])
IMAGES = EDGE * np.array(list(itertools.product((-1, 0, 1), repeat=3)))


def test_the_learnt_score_is_the_analytic_one() -> None:
    rng = np.random.default_rng(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        decoder = Decoder(2, 2, 1, width=24, blocks=1, cutoff=6.0)
    train(decoder, rng)
    wrong = size = shown = 0.0
    for _ in range(4):
        displacement, graph, target = noisy(rng)
        with torch.no_grad():
            learnt = scores(decoder, graph).numpy()
        expected = analytic(CLEAN + displacement).reshape(-1, 3)
        wrong += float(((learnt - expected) ** 2).sum())
        shown += float(((target - expected) ** 2).sum())
        size += float((expected**2).sum())
    assert shown > size, "what training shows is mostly noise"
    assert wrong < 0.03 * size


def analytic(positions: FloatArray) -> FloatArray:
    """Return σ times the score of both atoms of each row, shape (rows, 2, 3).

    Both atoms are displaced, so the vector between them has the variance 2 σ², and each atom has
    half of the way back to a site, in opposite directions.
    """
    between = positions[:, 1] - positions[:, 0] - EDGE / 2
    back = (SITES[:, None] + IMAGES - between[:, None, None]).reshape(len(positions), -1, 3)
    weight = np.exp(-(back**2).sum(axis=2) / (4 * SIGMA**2))
    weight /= weight.sum(axis=1, keepdims=True)
    mean = (weight[:, :, None] * back).sum(axis=1)
    return np.stack([-mean, mean], axis=1) / (2 * SIGMA)


def noisy(rng: np.random.Generator) -> tuple[FloatArray, Graph, FloatArray]:
    """Return displacements, the graph, and the target of denoising, which training knows."""
    displacement = SIGMA * rng.standard_normal((ROWS, 2, 3))
    positions = (CLEAN + displacement).reshape(-1, 3)
    graph = Graph.of(positions, CELLS, np.full(ROWS, 2), k=26, cutoff=6.0)
    back = nearest_image(-displacement.reshape(-1, 3), CELLS.repeat(2, axis=0))
    return displacement, graph, back / SIGMA


def scores(decoder: Decoder, graph: Graph) -> torch.Tensor:
    found, _ = decoder(graph, torch.tensor([0, 1]).repeat(ROWS), torch.zeros(2 * ROWS, 1))
    return found


def train(decoder: Decoder, rng: np.random.Generator) -> None:
    with fitting_scales(decoder), torch.no_grad():
        scores(decoder, noisy(rng)[1])
    optimiser = torch.optim.Adam(decoder.parameters(), lr=4e-3)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: min(1, (step + 1) / 20) * (0.51 + 0.49 * math.cos(math.pi * step / STEPS)),
    )
    for _ in range(STEPS):
        _, graph, target = noisy(rng)
        loss = (scores(decoder, graph) - torch.from_numpy(target).float()).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
