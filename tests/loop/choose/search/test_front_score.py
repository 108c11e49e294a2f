"""The climb's score of several objectives is the expected improvement of the hypervolume."""

import numpy as np
import pytest
import torch
from botorch.acquisition.multi_objective.analytic import ExpectedHypervolumeImprovement
from botorch.models.deterministic import GenericDeterministicModel
from botorch.utils.multi_objective.box_decompositions.non_dominated import (
    FastNondominatedPartitioning,
)

from alloop.loop.choose.search.cells import Cells
from alloop.loop.choose.search.front_score import ApproachScore, FrontScore, score_of
from alloop.loop.choose.search.score import Marginals
from alloop.loop.record.events import ReferenceTaken
from alloop.loop.state.ranking.front import hypervolume
from alloop.loop.state.ranking.utility import Utility
from tests.loop.choose.search.toy import NAMES, spec_of

TWO = [
    {"property": NAMES[0], "goal": "maximise"},
    {"property": NAMES[1], "goal": "minimise"},
]
POINT = ReferenceTaken(
    reference=dict(zip(NAMES, (170.0, 0.2), strict=True)),
    scales=dict(zip(NAMES, (5.0, 0.05), strict=True)),
    n_labels=8,
)
FRONT = [(172.0, 0.02), (178.0, 0.08), (181.0, 0.15), (160.0, 0.0)]


def front_utility(**changes: object) -> Utility:
    return Utility.of(spec_of(objectives=TWO, **changes), taken=POINT)


def rows(values: object) -> list[dict[str, float]]:
    return [dict(zip(NAMES, row, strict=True)) for row in values]


def test_it_is_botorchs_analytic_expected_improvement() -> None:
    utility = front_utility()
    rng = np.random.default_rng(3)
    mean = np.column_stack([rng.uniform(165, 186, 40), rng.uniform(-0.02, 0.22, 40)])
    std = np.column_stack([rng.uniform(0.5, 6, 40), rng.uniform(0.01, 0.08, 40)])
    score = FrontScore.of(utility, rows(FRONT))(Marginals(NAMES, mean, std))
    sign, scale = np.array([1.0, -1.0]), np.array([5.0, 0.05])
    front = torch.tensor(sign * np.array(FRONT) / scale)
    least = torch.tensor(utility.scaled_reference)
    # Its posterior is taken as it is: only mean and variance of a model that knows neither.
    theirs = ExpectedHypervolumeImprovement(
        GenericDeterministicModel(lambda X: X, num_outputs=2),
        least.tolist(),
        FastNondominatedPartitioning(least, front),
    )
    mu, sigma = torch.tensor(sign * mean / scale), torch.tensor(std / scale)
    lower = (theirs.cell_lower_bounds, theirs.cell_upper_bounds)
    over = theirs.psi(lower[0], lower[0], mu[:, None], sigma[:, None])
    beyond = theirs.psi(lower[0], lower[1].clamp_max(1e8), mu[:, None], sigma[:, None])
    width = theirs.nu(lower[0], lower[1].clamp_max(1e8), mu[:, None], sigma[:, None])
    expected = (over - beyond + width).prod(dim=-1).sum(dim=-1)
    assert np.exp(score) == pytest.approx(expected.numpy(), rel=1e-6, abs=1e-9)


def test_cells_add_up_to_what_the_hypervolume_gains() -> None:
    rng = np.random.default_rng(0)
    for m in (2, 3):
        front, points, least = rng.random((9, m)), 1.3 * rng.random((30, m)), (0.2,) * m
        gains = Cells.above(front, least).improvement(points)
        before = hypervolume(front, least)
        expected = [hypervolume(np.vstack([front, p]), least) - before for p in points]
        assert gains == pytest.approx(expected, abs=1e-12)


def test_a_window_is_as_its_draws_say() -> None:
    window = {"property": NAMES[0], "goal": "window", "window": [174.0, 176.0]}
    utility = Utility.of(spec_of(objectives=[window, TWO[1]]), taken=POINT)
    mean = np.array([[171.0, 0.1], [175.2, 0.05], [178.5, 0.02], [184.0, 0.1]])
    std = np.full((4, 2), (1.5, 0.03))
    front = rows([(172.5, 0.09), (175.0, 0.16)])
    score = FrontScore.of(utility, front)(Marginals(NAMES, mean, std))
    draws = mean[:, None] + std[:, None] * np.random.default_rng(1).normal(size=(4, 200_000, 2))
    cells = Cells.above(np.array([utility.scaled(row) for row in front]), utility.scaled_reference)
    for i in range(4):
        outside = np.maximum(174 - draws[i, :, 0], draws[i, :, 0] - 176)
        scaled = np.column_stack([-np.maximum(outside, 0) / 5, -draws[i, :, 1] / 0.05])
        expected = cells.improvement(scaled).mean()
        assert np.exp(score[i]) == pytest.approx(expected, rel=0.03, abs=1e-4)


def test_far_from_an_improvement_there_is_still_a_way_up() -> None:
    score = FrontScore.of(front_utility(), rows(FRONT))
    path = np.column_stack([np.linspace(120, 165, 14), np.linspace(0.7, 0.25, 14)])
    found = score(Marginals(NAMES, path, np.full((14, 2), (0.5, 0.01))))
    assert np.isfinite(found).all()
    assert (np.diff(found) > 0).all()


def test_where_nothing_reaches_the_reference_it_leads_there() -> None:
    utility = front_utility()
    score = score_of(utility, rows([(150.0, 0.3), (140.0, 0.25)]))
    assert isinstance(score, ApproachScore)
    assert isinstance(score_of(utility, rows(FRONT)), FrontScore)
    # Nearer counts more than more uncertain.
    mean = np.array([[148.0, 0.35], [152.0, 0.3], [156.0, 0.28], [150.0, 0.3], [140.0, 0.3]])
    std = np.array([[1.0, 0.01]] * 3 + [[1.0, 0.01], [6.0, 0.01]])
    found = score(Marginals(NAMES, mean, std))
    assert found[0] < found[1] < found[2]
    assert found[4] < found[3] < found[1]
    # The achievement of the second is (152 - 170) / 5 and (0.2 - 0.3) / 0.05: the first is least.
    draws = np.random.default_rng(1).normal(size=(400_000, 2))
    gains = (mean[2] + std[2] * draws - (170.0, 0.2)) / (5.0, -0.05)
    achieved = gains.min(axis=1) + 0.05 * gains.mean(axis=1)
    assert score.best is not None
    expected = np.maximum(achieved - score.best, 0).mean()
    assert np.exp(found[2]) == pytest.approx(expected, rel=0.05)


def test_without_a_feasible_label_feasibility_alone_counts() -> None:
    utility = front_utility(constraints=[{"property": NAMES[1], "max": 0.1}])
    score = score_of(utility, rows([(180.0, 0.2)]))
    marginals = Marginals(NAMES, np.array([[180.0, 0.1], [150.0, 0.05]]), np.full((2, 2), 0.05))
    assert np.exp(score(marginals)) == pytest.approx([0.5, 0.8413], abs=1e-4)
