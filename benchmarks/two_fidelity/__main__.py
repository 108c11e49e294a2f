"""Which surrogate of two tiers knows best how sure it is: `python -m benchmarks.two_fidelity`.

Each is asked what CHGNet will say of a cell that LAMMPS has measured, from everything that LAMMPS
has measured and some other cells that both have: all others (leave one out), or eight, as after
a few promotions of a campaign.

- map: ``alloop.loop.choose.fidelity``'s, high = a + b · low + Σ c · fraction, with Student's t.
- line: the same without the fractions.
- line and GP: a Gaussian process over the model's embedding of what the line leaves.
- multi-fidelity GP: BoTorch's ``SingleTaskMultiFidelityGP`` over embedding and tier.

The score is the mean negative logarithm of the predictive density at the measured value (less is
better; in units of the high-fidelity values' standard deviation), and the shares of measured
values inside the central 68 % and 95 % of what was predicted.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP, SingleTaskMultiFidelityGP
from botorch.models.transforms import Normalize, Standardize
from gpytorch.mlls import ExactMarginalLogLikelihood
from numpy.typing import NDArray
from scipy import stats

from alloop.campaigns.load import parse_spec
from alloop.loop.choose.fidelity import FidelityMap, fit_fidelity_map, fraction_spreads
from alloop.loop.choose.search.descriptors import Fractions
from alloop.materials import material_from_json
from alloop.models.base import Dataset, HasEmbedding
from benchmarks.recording import record
from benchmarks.two_fidelity.pairs import PROPERTIES, SPEC, Row, read_or_measure

Array = NDArray[np.float64]
FEW, REPEATS = 8, 24
ROWS = Path("runs/two_fidelity_pairs.json")


@dataclass(frozen=True)
class Task:
    """Predict the high-fidelity values of some cells."""

    features: Array
    """Features of all cells, shape (n, m)."""
    fractions: Array
    """Atomic fractions of all cells, shape (n, elements)."""
    low_fidelity: Array
    """Low-fidelity values of all cells, shape (n,)."""
    high_fidelity: Array
    """High-fidelity values of all cells, shape (n,); NaN where it was not measured."""
    known: NDArray[np.int_]
    """Cells whose high-fidelity value may be used."""
    asked: NDArray[np.int_]
    """Cells whose high-fidelity value is to be predicted."""


Predictive = stats.distributions.rv_frozen
"""A frozen distribution of scipy's over the asked cells."""


def linear_map(task: Task) -> Predictive:
    """Predict by ``alloop.loop.choose.fidelity``."""
    found = _fitted_map(task)
    mean, scale = found.predict(task.low_fidelity[task.asked], task.fractions[task.asked])
    return stats.t(found.degrees, loc=mean, scale=scale)


def line(task: Task) -> Predictive:
    """Predict by the same without the composition."""
    return linear_map(replace(task, fractions=task.fractions[:, :0]))


def _fitted_map(task: Task) -> FidelityMap:
    return fit_fidelity_map(
        task.low_fidelity[task.known],
        task.high_fidelity[task.known],
        task.fractions[task.known],
        spread=float(task.low_fidelity.std()),
        fraction_spreads=fraction_spreads(task.fractions),
    )


def line_and_gp(task: Task) -> Predictive:
    """Predict by the line and a Gaussian process of what it leaves."""
    nothing = task.fractions[:, :0]
    found = _fitted_map(replace(task, fractions=nothing))
    expected, _ = found.predict(task.low_fidelity, nothing)
    left = task.high_fidelity[task.known] - expected[task.known]
    gp = SingleTaskGP(
        torch.tensor(task.features[task.known]),
        torch.tensor(left)[:, None],
        input_transform=Normalize(d=task.features.shape[1]),
        outcome_transform=Standardize(m=1),
    )
    mean, std = _fitted(gp, torch.tensor(task.features[task.asked]))
    return stats.norm(expected[task.asked] + mean, std)


def multi_fidelity_gp(task: Task) -> Predictive:
    """Predict by BoTorch's Gaussian process over embedding and tier."""
    n, m = task.features.shape
    span = np.ptp(task.features, axis=0)
    features = (task.features - task.features.min(axis=0)) / np.where(span > 0, span, 1.0)
    x = np.vstack(
        [
            np.column_stack([features, np.zeros(n)]),
            np.column_stack([features[task.known], np.ones(len(task.known))]),
        ]
    )
    y = np.concatenate([task.low_fidelity, task.high_fidelity[task.known]])
    gp = SingleTaskMultiFidelityGP(
        torch.tensor(x),
        torch.tensor(y)[:, None],
        data_fidelities=[m],
        outcome_transform=Standardize(m=1),
    )
    asked = np.column_stack([features[task.asked], np.ones(len(task.asked))])
    mean, std = _fitted(gp, torch.tensor(asked))
    return stats.norm(mean, std)


def _fitted(gp: SingleTaskGP, asked: torch.Tensor) -> tuple[Array, Array]:
    """Return mean and standard deviation of measured values, noise included."""
    fit_gpytorch_mll(ExactMarginalLogLikelihood(gp.likelihood, gp))
    with torch.no_grad():
        posterior = gp.eval().posterior(asked, observation_noise=True)
        return posterior.mean[:, 0].numpy(), posterior.variance[:, 0].sqrt().numpy()


SURROGATES: dict[str, Callable[[Task], Predictive]] = {
    "map": linear_map,
    "line": line,
    "line_and_gp": line_and_gp,
    "multi_fidelity_gp": multi_fidelity_gp,
}


def main() -> None:
    """Compare the surrogates and write results/two_fidelity.json."""
    torch.set_num_threads(1)
    rows = read_or_measure(Path(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
    features, fractions = embeddings(rows), fractions_in(rows)
    figures: dict[str, float] = {"pairs": float(sum(row.high_fidelity is not None for row in rows))}
    for name in PROPERTIES:
        low_fidelity = np.array([row.low_fidelity[name] for row in rows])
        high_fidelity = np.array(
            [np.nan if row.high_fidelity is None else row.high_fidelity[name] for row in rows]
        )
        pairs = np.flatnonzero(~np.isnan(high_fidelity))
        figures[f"{name}_mean_difference"] = float(
            np.mean(high_fidelity[pairs] - low_fidelity[pairs])
        )
        rank = stats.spearmanr(low_fidelity[pairs], high_fidelity[pairs]).statistic
        figures[f"{name}_rank_correlation"] = float(rank)
        for count, splits in (("all", leave_one_out(pairs)), (str(FEW), few(pairs))):
            tasks = [
                Task(features, fractions, low_fidelity, high_fidelity, known, asked)
                for known, asked in splits
            ]
            for label, surrogate in SURROGATES.items():
                scores = score(tasks, surrogate, float(high_fidelity[pairs].std()))
                figures |= {f"{name}_{label}_{count}_{key}": x for key, x in scores.items()}
                print(name, label, count, scores, flush=True)
    print(record("two_fidelity", figures, command="python -m benchmarks.two_fidelity"))


def embeddings(rows: list[Row]) -> Array:
    """Return the inputs of a campaign's surrogate for each cell, shape (n, m)."""
    materials = tuple(material_from_json(row.material) for row in rows)
    spec = parse_spec(SPEC, where="benchmark")
    model = spec.model.build(spec.space, spec.property_names())
    labels = np.array([[row.low_fidelity[name] for name in PROPERTIES] for row in rows])
    model.fit(Dataset(materials, PROPERTIES, labels, np.zeros(len(rows), dtype=bool)), seed=7)
    assert isinstance(model, HasEmbedding)
    with torch.no_grad():
        return model.embed(model.encode(materials).double()).numpy()


def fractions_in(rows: list[Row]) -> Array:
    """Return the atomic fractions of the space's elements in each cell, shape (n, elements)."""
    elements = parse_spec(SPEC, where="benchmark").space.elements
    return Fractions(elements, None).of_materials([material_from_json(r.material) for r in rows])


Split = tuple[NDArray[np.int_], NDArray[np.int_]]


def leave_one_out(pairs: NDArray[np.int_]) -> list[Split]:
    """Return each pair to be predicted from all others."""
    return [(np.delete(pairs, i), pairs[i : i + 1]) for i in range(len(pairs))]


def few(pairs: NDArray[np.int_]) -> list[Split]:
    """Return random choices of a few pairs to predict the rest from."""
    rng = np.random.default_rng(7)
    orders = [rng.permutation(pairs) for _ in range(REPEATS)]
    return [(order[:FEW], order[FEW:]) for order in orders]


def score(
    tasks: list[Task], surrogate: Callable[[Task], Predictive], unit: float
) -> dict[str, float]:
    """Return the agreement of predictions and measured values, over all tasks."""
    densities, ranks, errors = [], [], []
    for task in tasks:
        predicted, measured = surrogate(task), task.high_fidelity[task.asked]
        densities.append(-predicted.logpdf(measured) - np.log(unit))
        ranks.append(predicted.cdf(measured))
        errors.append(predicted.mean() - measured)
    outside = np.abs(np.concatenate(ranks) - 0.5)
    return {
        "nlpd": float(np.concatenate(densities).mean()),
        "inside_68": float((outside < 0.34).mean()),
        "inside_95": float((outside < 0.475).mean()),
        "rmse": float(np.sqrt((np.concatenate(errors) ** 2).mean())),
    }


if __name__ == "__main__":
    main()
