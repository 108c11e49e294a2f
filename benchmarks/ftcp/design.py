"""Design for formation energies with the oracle that labelled the training set."""

import warnings
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from pymatgen.core import Structure

from alloop.loop.dataset import RememberingOracle
from alloop.models.base import Dataset
from alloop.models.ftcp.inverse_design.design import DesignOptions, Window, design
from alloop.models.ftcp.inverse_design.dissimilarity import fingerprints
from alloop.models.ftcp.inverse_design.report import (
    DesignOutcome,
    DesignReport,
    evaluate_designs,
    report_on,
)
from alloop.models.ftcp.inverse_design.screening import ScreenRules
from alloop.models.ftcp.model import FtcpModel
from alloop.models.ftcp.options import DirectNetwork, FtcpOptions
from alloop.models.metrics.rates import Rate
from alloop.oracles.base import Status
from alloop.oracles.dft.factory import home_folder
from alloop.oracles.dft.options import DftOptions
from alloop.oracles.dft.oracle import DftOracle
from alloop.seeds import derive_seed
from benchmarks.ftcp.intermetallics import draw_prototypes

PROPERTY = "formation_energy_per_atom"
TARGETS = (-0.3, -0.5, -0.6, -0.7)
"""Targets of the paper's case 1, eV/atom."""
TOLERANCE = 0.06
"""Tolerance of the target, the paper's, eV/atom."""
N_PROTOTYPES = 500
N_DESIGNS = 24
"""Number of designs per target and round."""
ROUNDS = 3
HOW = DesignOptions(
    n=N_DESIGNS,
    scale=1.0,
    pool=16,
    one_per_formula=True,
    rules=ScreenRules(needs_charge_balance=False),  # intermetallics know none
)


def oracle() -> RememberingOracle:
    """Return CHGNet: relaxation, and energies against the elements by CHGNet as well.

    Its answers, failures too, are kept by its fingerprint among the oracle's own files, so that
    a second run takes minutes.
    """
    options = DftOptions(engine="chgnet", strain=0.0, max_volume_change=1.0)
    inner = DftOracle(options)
    folder = home_folder(options) / "answers"
    folder.mkdir(parents=True, exist_ok=True)
    return RememberingOracle(inner, folder / f"{inner.fingerprint()}.jsonl")


def labelled_prototypes(by: RememberingOracle) -> Dataset:
    """Return relaxed prototypes with their formation energies; failures are left out."""
    outcomes = [_measured(by, cell) for cell in draw_prototypes(N_PROTOTYPES, seed=0)]
    return _with(_nothing(), outcomes)


def design_figures() -> dict[str, object]:
    """Return success and improvement for every target, and over targets for every round."""
    by = oracle()
    data = labelled_prototypes(by)
    print(f"{len(data)} of {N_PROTOTYPES} prototypes labelled", flush=True)
    first = data  # what chance is measured on, in every round
    known = fingerprints([cell for cell in data.materials if isinstance(cell, Structure)])
    model = FtcpModel(FtcpOptions(network=DirectNetwork()), (PROPERTY,))
    figures: dict[str, object] = {"design_training_rows": len(data)}
    for number in range(1, ROUNDS + 1):
        model.fit(data, seed=number)
        reports = []
        for target in TARGETS:
            report = _designed(by, model, data, first, known, target, number)
            reports.append(report)
            print(f"round {number}, target {target}\n{report}\n", flush=True)
            if number == 1:
                figures |= _of_target(report, target)
        figures |= _of_round(reports, number)
        data = _with(data, [outcome for report in reports for outcome in report.outcomes])
    return figures


def _designed(
    by: RememberingOracle,
    model: FtcpModel,
    data: Dataset,
    first: Dataset,
    known: np.ndarray,
    target: float,
    number: int,
) -> DesignReport:
    window = Window.around(PROPERTY, target, TOLERANCE)
    seed = derive_seed("bench-ftcp", number, str(target))
    designs = design(model, data, [window], HOW, seed=seed)
    outcomes = evaluate_designs(designs, lambda structure: _measured(by, structure))
    return report_on(designs, outcomes, [window], first, known)


def _of_target(report: DesignReport, target: float) -> dict[str, object]:
    low, high = report.improvement_interval
    name = f"{target:+.1f}".replace("-", "minus_").replace("+", "plus_")
    return {
        f"success_rate_{name}": report.success.value,
        f"success_rate_low_{name}": report.success.low,
        f"success_rate_high_{name}": report.success.high,
        f"random_rate_{name}": report.random.value,
        f"validity_rate_{name}": report.validity.value,
        f"improvement_over_random_{name}": report.improvement,
        f"improvement_over_random_low_{name}": low,
        f"improvement_over_random_high_{name}": high,
        f"composition_uniqueness_{name}": report.composition_uniqueness,
        f"median_dissimilarity_{name}": report.median_dissimilarity,
        f"n_designs_{name}": len(report.designs),
    }


def _of_round(reports: Sequence[DesignReport], number: int) -> dict[str, object]:
    """Over the targets: the mean of their success rates against the mean of chance."""
    success = Rate.of(
        sum(report.success.hits for report in reports),
        sum(report.success.trials for report in reports),
    )
    chance = float(np.mean([report.random.value for report in reports]))
    return {
        f"success_rate_round_{number}": success.value,
        f"success_rate_low_round_{number}": success.low,
        f"success_rate_high_round_{number}": success.high,
        f"improvement_round_{number}": success.value / chance - 1,
    }


def _measured(by: RememberingOracle, structure: Structure) -> DesignOutcome:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the engine's libraries, once per crystal
        answer = by.measure(structure)
    if answer.status is Status.FAILED or not isinstance(answer.material, Structure):
        return DesignOutcome(None, {}, answer.failure.message if answer.failure else "not relaxed")
    return DesignOutcome(answer.material, dict(answer.properties))


def _nothing() -> Dataset:
    return Dataset((), (PROPERTY,), np.zeros((0, 1)), np.zeros(0, dtype=bool))


def _with(data: Dataset, outcomes: Sequence[DesignOutcome]) -> Dataset:
    """Return the data and what was measured, relaxed."""
    new = [one for one in outcomes if one.relaxed is not None]
    return replace(
        data,
        materials=data.materials + tuple(one.relaxed for one in new if one.relaxed is not None),
        labels=np.vstack([data.labels, *([[one.properties[PROPERTY]]] for one in new)]),
        is_augmented=np.concatenate([data.is_augmented, np.zeros(len(new), dtype=bool)]),
    )
