"""What every oracle promises, checked on any implementation.

    check_oracle(oracle, good=structure, bad=[composition, overlapping_structure])

Meant for test suites: it raises AssertionError, saying which promise was broken.
"""

import json
import math
import pickle
import re
from collections.abc import Collection, Sequence

from pymatgen.core import Structure

from alloop.canonical import canonical_json
from alloop.materials import Material, material_to_json
from alloop.oracles.base import RETRYABLE, Cost, Measurement, Oracle, Status
from alloop.oracles.self_test import CanSelfTest
from alloop.testing.cells import equivalent_cells, invariance

MAX_ATOMS = 8
"""Largest crystal that is measured in five cells without being asked for."""
MAX_VARIATION = 0.02
"""Largest relative difference of a property between cells of one crystal."""


def check_oracle(
    oracle: Oracle,
    good: Material,
    bad: Sequence[Material],
    *,
    crystal: Structure | None = None,
    max_variation: float = MAX_VARIATION,
    sampled: Collection[str] = (),
) -> None:
    """Check the promises of ``alloop.oracles.base.Oracle``.

    Args:
        oracle: what to check.
        good: a material that it can measure.
        bad: materials that it cannot measure; each must give a failed measurement.
        crystal: one whose properties must not depend on the cell it is given in; by default the
            good material, where that is a small crystal and the oracle relaxes it.
        max_variation: largest relative difference of a property between its cells.
        sampled: properties that are averages over a simulation: they have a statistical error and
            are not compared between cells.

    Raises:
        AssertionError: naming the promise that the oracle breaks.
    """
    assert isinstance(oracle, Oracle), "it has name, fingerprint() and measure()"
    assert oracle.name, "it has a name for people"
    fingerprint = oracle.fingerprint()
    assert re.fullmatch(r"[0-9a-f]{64}", fingerprint), "a fingerprint is a SHA-256 in hexadecimal"

    copy = pickle.loads(pickle.dumps(oracle))  # noqa: S301 - bytes of our own, a line ago
    assert copy.fingerprint() == fingerprint, "a pickled copy has the same fingerprint"
    assert copy.name == oracle.name, "a pickled copy has the same name"

    before = canonical_json(material_to_json(good))
    first = oracle.measure(good)
    check_measurement(first, oracle)
    assert first.status is Status.OK, f"the good material can be measured: {first.failure}"
    assert first.properties, "a measurement that is ok has properties"

    for material in bad:
        failed = oracle.measure(material)
        check_measurement(failed, oracle)
        assert failed.status is Status.FAILED, f"a bad material fails: {material}"

    again = oracle.measure(good)
    assert _values(again) == _values(first), "values do not depend on what was measured between"
    used_copy = pickle.loads(pickle.dumps(oracle))  # noqa: S301
    elsewhere = used_copy.measure(good)
    assert _values(elsewhere) == _values(first), "a copy, made after use, measures the same values"
    assert canonical_json(material_to_json(good)) == before, "measuring leaves the material alone"
    assert oracle.fingerprint() == fingerprint, "measuring leaves the fingerprint alone"
    is_small = isinstance(good, Structure) and len(good) <= MAX_ATOMS
    if crystal is None and is_small and first.material is not None:
        crystal = good
    if crystal is not None:
        check_invariance(oracle, crystal, max_variation, sampled=sampled)
    if isinstance(oracle, CanSelfTest):
        tested = oracle.self_test()
        check_measurement(tested, oracle)
        assert tested.status is Status.OK, f"it passes its own test: {tested.failure}"


def check_invariance(
    oracle: Oracle,
    crystal: Structure,
    max_variation: float = MAX_VARIATION,
    *,
    sampled: Collection[str] = (),
) -> None:
    """Check that properties do not depend on the cell a crystal is given in: primitive,
    conventional, turned, skewed or repeated.

    Raises:
        AssertionError: naming the properties that do.
    """
    found = invariance(oracle, equivalent_cells(crystal))
    varying = {
        name: spread
        for name, spread in found.items()
        if spread > max_variation and name not in sampled
    }
    assert not varying, f"properties do not depend on the cell, but these do: {varying}"


def check_measurement(measurement: Measurement, oracle: Oracle) -> None:
    """Check one measurement, whatever its status, and that it survives being written as JSON.

    Raises:
        AssertionError: naming the promise that it breaks.
    """
    assert measurement.oracle == oracle.name, "a measurement names its oracle"
    assert measurement.fingerprint == oracle.fingerprint(), "and has its fingerprint"
    cost = measurement.cost
    if cost != Cost():  # left out, it is settled by the worker
        assert cost.calls >= 1, "a measurement counts as a call"
    assert min(vars(cost).values()) >= 0, "no cost is negative"
    if measurement.failure is None:
        assert all(type(value) is float for value in measurement.properties.values()), (
            "values are plain floats"
        )
        assert all(map(math.isfinite, measurement.properties.values())), "values are finite"
        noted = measurement.doubts.keys() | measurement.remarks.keys()
        assert noted <= measurement.properties.keys(), "doubts and remarks are of its values"
    else:
        assert not measurement.properties, "a failed measurement has no values"
        assert measurement.failure.message, "a failure says what happened"
        expected = measurement.failure.kind in RETRYABLE
        assert measurement.failure.retryable == expected, "its kind decides whether to retry"
    written = canonical_json(measurement.to_json())
    read = Measurement.from_json(json.loads(written))
    assert canonical_json(read.to_json()) == written, "a measurement survives its JSON"


def _values(measurement: Measurement) -> str:
    """Return everything but the cost, which may differ from time to time."""
    return canonical_json(measurement.to_json() | {"cost": None})
