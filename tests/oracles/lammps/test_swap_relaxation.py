"""Orderings measured as exchanges of another: what is asked for, and what is refused."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from alloop.oracles.base import FailureKind, exchange_fingerprint
from alloop.oracles.lammps.oracle import LammpsOracle
from alloop.oracles.lammps.simulation.curvature import InverseHessians
from alloop.oracles.lammps.simulation.relaxation import StrainedCellEnergy

Alloy = Callable[..., Structure]


@pytest.fixture(scope="module")
def start(alloy: Alloy) -> Structure:
    return alloy({"Ni": 18, "Cr": 18, "Fe": 18}, seed=3)


def test_curvature_is_how_forces_change(oracle: LammpsOracle, alloy: Alloy) -> None:
    cell, crystal = oracle.simulator.relax(alloy({"Ni": 6, "Cr": 5, "Fe": 5}))
    objective = StrainedCellEnergy(oracle.simulator.session(), cell)
    curvature = InverseHessians.by_finite_differences(objective)
    rng = np.random.default_rng(0)
    step = np.concatenate([rng.normal(size=3), rng.normal(size=48)]) * 1e-4
    step[3:] -= np.tile(step[3:].reshape(-1, 3).mean(axis=0), 16)
    change = objective(objective.start + step)[1] - objective(objective.start)[1]
    np.testing.assert_allclose(curvature.cell @ change, step, atol=2e-5)

    longest = max(crystal.pairs, key=lambda pair: float(np.abs(pair.step).max()))
    updated = curvature.updated(replace(crystal, pairs=(longest,)))
    np.testing.assert_allclose(updated.cell @ longest.change, longest.step, atol=1e-9)


def test_what_else_is_asked_for_is_measured_after_exchanges_too(
    oracle: LammpsOracle, start: Structure
) -> None:
    asked = LammpsOracle(oracle.options.model_copy(update={"properties": ("c11",)}))
    warm = asked.measure_exchanged(start, [(0, 1), (2, 4)])
    decorated = Structure(start.lattice, list(warm.material.species), start.frac_coords)
    assert [site.specie for site in decorated] != [site.specie for site in start]
    cold = asked.measure(decorated)
    asked.close()
    assert warm.properties.keys() == cold.properties.keys()
    for name in ("c11", "c12", "c44"):
        assert warm.properties[name] == pytest.approx(cold.properties[name], rel=1e-4)


def test_exchanges_of_what_cannot_be_measured_fail(oracle: LammpsOracle) -> None:
    alloy = Structure(Lattice.cubic(3.5), ["Ni", "Al"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    failed = oracle.measure_exchanged(alloy, [(0, 1)])
    assert failed.failure is not None
    assert failed.failure.kind is FailureKind.UNSUPPORTED
    assert failed.fingerprint == exchange_fingerprint(oracle.fingerprint())


def test_large_cells_are_refused_before_memory_is_spent(
    oracle: LammpsOracle, large: Structure
) -> None:
    failed = oracle.measure_exchanged(large, [(0, 400)])
    assert failed.failure is not None
    assert failed.failure.kind is FailureKind.UNSUPPORTED
