"""Local search: the values of measurements from scratch, the paper's rule, fewer evaluations."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from alloop.exchanges import Exchange
from alloop.oracles.base import FailureKind, exchange_fingerprint
from alloop.oracles.lammps.oracle import LammpsOracle
from alloop.oracles.lammps.simulation.session import LammpsSession
from alloop.testing.oracles import check_measurement
from benchmarks.lammps.swap_search import (
    Score,
    SearchResult,
    SearchStep,
    SwapSearchOptions,
    local_search,
)

Alloy = Callable[..., Structure]
PAPER = SwapSearchOptions()
SHORT = SwapSearchOptions(iterations=3, swaps=6)


def stiffness(properties: object) -> float:
    return properties["bulk_modulus"]  # type: ignore[index]


@pytest.fixture(scope="module")
def start(alloy: Alloy) -> Structure:
    return alloy({"Ni": 18, "Cr": 18, "Fe": 18}, seed=3)


@pytest.fixture(scope="module")
def found(oracle: LammpsOracle, start: Structure) -> SearchResult:
    return local_search(oracle, start, stiffness, SHORT, seed=1)


def measured(result: SearchResult) -> list[float]:
    return [
        step.measurement.properties["bulk_modulus"]
        for step in result.steps
        if step.measurement is not None
    ]


def test_the_paper_s_procedure_is_the_default() -> None:
    assert (PAPER.iterations, PAPER.swaps, PAPER.early_rejection) == (20, 20, None)


def test_values_are_those_of_measurements_from_scratch(
    oracle: LammpsOracle, found: SearchResult
) -> None:
    for step in found.steps[::4]:
        cold, warm = oracle.measure(found.material(step)), step.measurement
        assert warm is not None
        assert warm.properties.keys() == cold.properties.keys()
        assert warm.properties["bulk_modulus"] == pytest.approx(
            cold.properties["bulk_modulus"], abs=1e-3
        )
        for name in ("energy_per_atom", "formation_energy_per_atom"):
            assert warm.properties[name] == pytest.approx(cold.properties[name], abs=1e-9)
        assert warm.properties["density"] == pytest.approx(cold.properties["density"], rel=1e-6)
        assert isinstance(warm.material, Structure)
        assert isinstance(cold.material, Structure)
        assert warm.material.species == cold.material.species
        assert warm.material.lattice.abc == pytest.approx(cold.material.lattice.abc, abs=1e-5)
        moved = warm.material.frac_coords - cold.material.frac_coords
        np.testing.assert_allclose(moved - moved.mean(axis=0), 0, atol=1e-6)


def test_it_moves_to_the_best_of_the_neighbours_if_that_is_better(found: SearchResult) -> None:
    assert len(found.steps) == 1 + SHORT.iterations * SHORT.swaps
    centre = 0
    for iteration in range(SHORT.iterations):
        first = 1 + iteration * SHORT.swaps
        neighbours = range(first, first + SHORT.swaps)
        for k in neighbours:
            step = found.steps[k]
            assert step.parent == centre
            assert step.swap is not None
            i, j = step.swap
            before = list(found.steps[centre].symbols)
            before[i], before[j] = before[j], before[i]
            assert list(step.symbols) == before
            assert before[i] != before[j]
        centre = max([centre, *neighbours], key=lambda k: found.steps[k].score)
    assert found.best is found.steps[centre]
    assert found.best.score > found.steps[0].score
    assert len({step.symbols for step in found.steps}) == len(found.steps)


def test_measurements_are_whole_and_have_a_fingerprint_of_their_own(
    oracle: LammpsOracle, found: SearchResult
) -> None:
    class Warm:
        name = oracle.name

        def fingerprint(self) -> str:
            return exchange_fingerprint(oracle.fingerprint())

        measure = oracle.measure

    assert exchange_fingerprint(oracle.fingerprint()) != oracle.fingerprint()
    for step in found.steps:
        assert step.measurement is not None
        check_measurement(step.measurement, Warm())


def test_the_same_seed_searches_the_same_way(
    oracle: LammpsOracle, start: Structure, found: SearchResult
) -> None:
    again = local_search(oracle, start, stiffness, SHORT, seed=1)
    assert [step.symbols for step in again.steps] == [step.symbols for step in found.steps]
    assert measured(again) == measured(found)
    other = local_search(oracle, start, stiffness, SHORT, seed=2)
    assert [step.symbols for step in other.steps] != [step.symbols for step in found.steps]


def test_early_rejection_spares_measurements_and_nothing_else(
    oracle: LammpsOracle, start: Structure, found: SearchResult
) -> None:
    early = SHORT.model_copy(update={"early_rejection": 0.2})
    spared = local_search(oracle, start, stiffness, early, seed=1)
    assert [step.symbols for step in spared.steps] == [step.symbols for step in found.steps]
    assert spared.best.symbols == found.best.symbols
    turned_down = [k for k, step in enumerate(spared.steps) if step.measurement is None]
    assert len(turned_down) > len(found.steps) / 3
    for k in turned_down:
        assert spared.steps[k].estimate == pytest.approx(found.steps[k].score, abs=0.2)


def test_annealing_goes_downhill_too_and_ends_higher(
    oracle: LammpsOracle, start: Structure
) -> None:
    options = SwapSearchOptions(
        procedure="annealing", iterations=6, swaps=10, temperatures=(0.5, 0.05), early_rejection=0.2
    )
    result = local_search(oracle, start, stiffness, options, seed=1)
    assert len(result.steps) == 61
    assert result.best.score > result.steps[0].score + 1
    centres = sorted({step.parent for step in result.steps[1:] if step.parent is not None})
    scores = [result.steps[k].score for k in centres]
    assert any(after < before for before, after in itertools.pairwise(scores))


def test_a_neighbour_takes_less_than_half_of_the_evaluations(
    oracle: LammpsOracle, start: Structure, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 0
    evaluate = LammpsSession.evaluate

    def counted(*arguments: object) -> object:
        nonlocal count
        count += 1
        return evaluate(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(LammpsSession, "evaluate", counted)
    oracle.measure(start)
    from_scratch, count = count, 0
    one = SwapSearchOptions(iterations=1, swaps=1)
    local_search(oracle, start, stiffness, one, seed=1)
    two, count = count, 0
    local_search(oracle, start, stiffness, one.model_copy(update={"swaps": 9}), seed=1)
    assert (count - two) / 8 < from_scratch / 2


def test_a_start_that_cannot_be_measured_ends_the_search(oracle: LammpsOracle) -> None:
    gold = Structure(Lattice.cubic(4.08), ["Au"] * 2, [[0, 0, 0], [0.5, 0.5, 0.5]])
    result = local_search(oracle, gold, stiffness, PAPER, seed=1)
    (step,) = result.steps
    assert step.measurement is not None
    assert step.measurement.failure is not None
    assert step.measurement.failure.kind is FailureKind.UNSUPPORTED


def test_a_pure_element_has_no_neighbours(oracle: LammpsOracle, alloy: Alloy) -> None:
    for procedure in ("best-of-neighbours", "annealing"):
        options = SHORT.model_copy(update={"procedure": procedure})
        assert len(local_search(oracle, alloy({"Ni": 2}), stiffness, options, seed=1).steps) == 1


def test_other_properties_can_be_searched_for(oracle: LammpsOracle, start: Structure) -> None:
    lower: Score = lambda properties: -properties["formation_energy_per_atom"]  # noqa: E731
    early = SHORT.model_copy(update={"early_rejection": 0.2})
    result = local_search(oracle, start, lower, early, seed=1)
    assert result.best.score > result.steps[0].score


def test_a_neighbour_s_value_follows_from_the_way_to_it_alone(
    oracle: LammpsOracle, start: Structure, found: SearchResult
) -> None:
    def way_to(step: SearchStep) -> list[Exchange]:
        if step.parent is None:
            return []
        assert step.swap is not None
        return [*way_to(found.steps[step.parent]), step.swap]

    fresh = LammpsOracle(oracle.options)
    asked = [found.steps[k] for k in (18, 2, 9, 17)]
    assert [len(way_to(step)) for step in asked] == [3, 1, 2, 3]
    for step in asked:
        measurement = fresh.measure_exchanged(start, way_to(step))
        assert step.measurement is not None
        # Bit for bit: the search kept what the fresh oracle had to find again.
        assert measurement.properties == step.measurement.properties
        assert measurement.fingerprint == step.measurement.fingerprint
        assert isinstance(measurement.material, Structure)
        assert isinstance(step.measurement.material, Structure)
        assert measurement.material == step.measurement.material
    fresh.close()


def test_a_large_start_is_refused_before_memory_is_spent(
    oracle: LammpsOracle, large: Structure
) -> None:
    failed = oracle.measure_exchanged(large, [(0, 400)])
    assert failed.failure is not None
    (start,) = local_search(oracle, large, stiffness, SHORT, seed=1).steps
    assert start.measurement is not None
    assert start.measurement.failure == failed.failure
