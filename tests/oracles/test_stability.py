"""Energies above the hull, for triangles and lines that can be computed in one's head."""

import pytest
from pymatgen.core import Composition

from oracles.base import Cost, FailureKind, Measurement, Status
from oracles.stability import IncomparableEnergies, energies_above_hull


def measured(
    formula: str, energy: float, fingerprint: str = "a" * 64
) -> tuple[Composition, Measurement]:
    properties = {"formation_energy_per_atom": energy}
    return Composition(formula), Measurement(
        Status.OK, properties, None, None, "toy", fingerprint, Cost(calls=1)
    )


def test_on_a_line_between_compound_and_elements() -> None:
    found = energies_above_hull(
        [measured("NiFe", -0.10), measured("Ni3Fe", -0.02), measured("NiFe3", 0.04)]
    )
    assert found == pytest.approx([0.0, 0.03, 0.09])


def test_the_elements_are_at_zero_unless_one_was_measured_lower() -> None:
    assert energies_above_hull([measured("Ni", 0.16)]) == pytest.approx([0.16])
    found = energies_above_hull([measured("Ni", -0.02), measured("NiFe", 0.0)])
    assert found == pytest.approx([0.0, 0.01])


def test_in_a_triangle() -> None:
    # Halfway from the binary compound to chromium the hull lies at half its energy.
    found = energies_above_hull([measured("NiFe", -0.10), measured("NiFeCr2", 0.01)])
    assert found == pytest.approx([0.0, 0.06])


def test_nothing_has_no_hull() -> None:
    assert energies_above_hull([]) == []


def test_energies_of_different_procedures_are_not_compared() -> None:
    with pytest.raises(IncomparableEnergies, match="2 different fingerprints"):
        energies_above_hull([measured("Ni", 0.0), measured("Fe", 0.0, "b" * 64)])


def test_a_failure_has_no_energy() -> None:
    failed = Measurement.failed(
        FailureKind.ABSURD, "gone", oracle="toy", fingerprint="a" * 64, cost=Cost(calls=1)
    )
    with pytest.raises(
        IncomparableEnergies, match=r"Fe0\.5Ni0\.5 has no formation_energy_per_atom"
    ):
        energies_above_hull([(Composition("NiFe"), failed)])
