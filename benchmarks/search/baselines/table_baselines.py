"""What people do today with a table of candidates: a Gaussian process or a random forest on
features, and expected improvement.

Both are written as well as the libraries allow: the process is BoTorch's own at its defaults (one
length for each feature), with the batch chosen jointly by the logarithm of the expected
improvement; the forest's uncertainty is the spread of its trees, and it takes the rows with the
highest expected improvement.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from botorch.acquisition.logei import qLogExpectedImprovement
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP
from botorch.models.transforms import Normalize, Standardize
from botorch.optim import optimize_acqf_discrete
from botorch.sampling import SobolQMCNormalSampler
from gpytorch.mlls import ExactMarginalLogLikelihood
from scipy.stats import norm
from sklearn.ensemble import RandomForestRegressor

from alloop.loop.run_folder import RunFolder

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Choose = Callable[[Floats, Rows, Floats, int, int], Rows]
"""Choice of a batch: features of the table (n, d), measured rows (m,), their values (m,), more is
better, size and seed, to rows that are not measured."""

TREES = 200
MC_SAMPLES = 128


def gaussian_process(features: Floats, rows: Rows, values: Floats, size: int, seed: int) -> Rows:
    """Choose by BoTorch's Gaussian process and the joint expected improvement of a batch."""
    x = torch.from_numpy(features)
    best = float(values.max())
    gp = SingleTaskGP(
        x[rows],
        torch.from_numpy(values)[:, None],
        input_transform=Normalize(x.shape[1]),
        outcome_transform=Standardize(1),
    )
    fit_gpytorch_mll(ExactMarginalLogLikelihood(gp.likelihood, gp))
    rest = np.setdiff1d(np.arange(len(features)), rows)
    sampler = SobolQMCNormalSampler(torch.Size([MC_SAMPLES]), seed=seed)
    acquisition = qLogExpectedImprovement(gp, best_f=best, sampler=sampler)
    chosen, _ = optimize_acqf_discrete(acquisition, size, x[rest], unique=True)
    found = (x[rest][None] - chosen[:, None]).abs().sum(dim=-1).argmin(dim=1).numpy()
    return rest[found]


def random_forest(features: Floats, rows: Rows, values: Floats, size: int, seed: int) -> Rows:
    """Choose the highest expected improvements by the mean and spread of a forest's trees."""
    forest = RandomForestRegressor(TREES, random_state=seed).fit(features[rows], values)
    rest = np.setdiff1d(np.arange(len(features)), rows)
    trees = np.array([tree.predict(features[rest]) for tree in forest.estimators_])
    mean, std = trees.mean(axis=0), np.maximum(trees.std(axis=0), 1e-9)
    u = (mean - values.max()) / std
    improvement = std * (u * norm.cdf(u) + norm.pdf(u))
    return rest[np.argsort(-improvement, kind="stable")[:size]]


def run(
    choose: Choose,
    features: Floats,
    values: Floats,
    first: Sequence[int],
    *,
    batch: int,
    labels: int,
    seed: int,
) -> Rows:
    """Return the rows that a campaign measures, in their order.

    Args:
        choose: of each batch.
        features: of the table, shape (n, d).
        values: of the table, shape (n,), more is better.
        first: rows that are measured first.
        batch: rows of a batch.
        labels: to stop after.
        seed: of the choices.
    """
    rows = np.array(first, dtype=np.int64)
    while len(rows) < labels:
        size = min(batch, labels - len(rows))
        new = choose(features, rows, values[rows], size, 1000 * seed + len(rows))
        rows = np.concatenate([rows, new])
    return rows


def rows_measured(run: Path, row_of: Mapping[str, int]) -> Rows:
    """Return the rows that a run of the product measured, in the order in which it chose them.

    Args:
        run: its folder.
        row_of: row of each candidate, by its id.
    """
    state = RunFolder.read(run).state
    answered = {m.candidate for m in state.answers()}
    chosen = [d.candidate for p in state.proposals for d in p.decisions if d.chosen]
    return np.array([row_of[c] for c in chosen if c in answered], dtype=np.int64)
