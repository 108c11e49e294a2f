"""L-BFGS on functions whose minima are known."""

import numpy as np
import pytest

from alloop.oracles.lammps.simulation.minimiser import Minimisation, Termination, minimise

Array = np.ndarray


def quadratic(curvatures: Array, centre: Array, offset: float = 0.0):  # type: ignore[no-untyped-def]
    def objective(point: Array) -> tuple[float, Array]:
        off = point - centre
        return offset + float(off @ (curvatures * off)) / 2, curvatures * off

    return objective


def rosenbrock(point: Array) -> tuple[float, Array]:
    x, y = point
    value = (1 - x) ** 2 + 100 * (y - x**2) ** 2
    return value, np.array([-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)])


def run(objective, start: Array, **settings: object) -> Minimisation:  # type: ignore[no-untyped-def]
    return minimise(objective, start, **({"tolerance": 1e-9, "max_evaluations": 2000} | settings))


def test_it_reaches_gradients_that_the_energy_cannot_resolve() -> None:
    rng = np.random.default_rng(0)
    curvatures, centre = rng.uniform(1, 60, 100), rng.normal(size=100)
    # An offset of −230 leaves 3e-14 to the energy, which hides gradients below 1e-6.
    found = run(quadratic(curvatures, centre, -230.0), np.zeros(100))
    assert found.ending is Termination.CONVERGED
    np.testing.assert_allclose(found.point, centre, atol=1e-8)


def test_it_follows_a_curved_valley() -> None:
    found = run(rosenbrock, np.array([-1.2, 1.0]))
    assert found.ending is Termination.CONVERGED
    np.testing.assert_allclose(found.point, [1, 1], atol=1e-8)


def test_known_curvature_saves_evaluations() -> None:
    rng = np.random.default_rng(1)
    curvatures = np.append(rng.uniform(5, 40, 60), 0.5)
    first = run(quadratic(curvatures, np.ones(61)), np.zeros(61))
    near = quadratic(curvatures, 1 + 0.01 * rng.normal(size=61))
    informed = run(near, first.point, pairs=first.pairs)
    ignorant = run(near, first.point)
    assert informed.ending is ignorant.ending is Termination.CONVERGED
    assert informed.evaluations < ignorant.evaluations


def test_misleading_curvature_is_forgotten() -> None:
    other = run(quadratic(np.array([1e-3, 5e4]), np.array([0.1, 0.2])), np.zeros(2))
    found = run(
        quadratic(np.array([30.0, 2.0]), np.array([3.0, -1.0])), np.zeros(2), pairs=other.pairs
    )
    assert found.ending is Termination.CONVERGED
    np.testing.assert_allclose(found.point, [3, -1], atol=1e-8)


def test_the_inverse_curvature_of_a_quadratic_leads_straight_to_its_minimum() -> None:
    curvatures = np.random.default_rng(1).uniform(5, 40, 60)
    objective = quadratic(curvatures, np.full(60, 0.1))
    assert run(objective, np.zeros(60), inverse=np.diag(1 / curvatures)).evaluations == 2


def test_a_misleading_inverse_is_forgotten_too() -> None:
    uphill = -np.eye(2)
    found = run(
        quadratic(np.array([30.0, 2.0]), np.array([3.0, -1.0])), np.zeros(2), inverse=uphill
    )
    assert found.ending is Termination.CONVERGED
    np.testing.assert_allclose(found.point, [3, -1], atol=1e-8)


def test_steps_into_infinities_are_shortened() -> None:
    def walled(point: Array) -> tuple[float, Array]:
        x = point[0]
        return (x - np.log(x), np.array([1 - 1 / x])) if x > 0 else (np.nan, np.array([np.nan]))

    found = run(walled, np.array([0.01]))
    assert found.ending is Termination.CONVERGED
    assert found.point[0] == pytest.approx(1, abs=1e-8)


def test_it_says_how_it_ended_otherwise() -> None:
    def uphill(point: Array) -> tuple[float, Array]:
        return float(point @ point), -2 * point  # the gradient's sign is wrong

    def nothing(point: Array) -> tuple[float, Array]:
        return np.nan, point

    assert (
        run(rosenbrock, np.array([-1.2, 1.0]), max_evaluations=5).ending is Termination.BUDGET_SPENT
    )
    assert run(rosenbrock, np.array([-1.2, 1.0]), max_evaluations=5).evaluations == 5
    assert run(uphill, np.ones(3)).ending is Termination.LINE_SEARCH_FAILED
    assert run(nothing, np.ones(3)).ending is Termination.NOT_FINITE


def test_the_objective_was_last_called_at_the_minimum() -> None:
    visited: list[Array] = []

    def watched(point: Array) -> tuple[float, Array]:
        visited.append(point)
        return rosenbrock(point)

    found = run(watched, np.array([-1.2, 1.0]))
    np.testing.assert_array_equal(visited[-1], found.point)
    assert len(visited) == found.evaluations
