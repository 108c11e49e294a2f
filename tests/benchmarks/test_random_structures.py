"""Random structures as a baseline of stable phases."""

import numpy as np
import pytest

from alloop.oracles.element_crystals import natural_volume
from benchmarks.crystals.random_structures import measured_phases, random_structures


def test_they_hold_all_elements_in_a_natural_volume_and_no_atoms_too_close() -> None:
    found = random_structures(("Al", "Ni"), 12, 8, np.random.default_rng(1))
    assert len(found) == 12
    assert len({structure.formula for structure in found}) > 4
    for structure in found:
        counts = structure.composition.get_el_amt_dict()
        assert set(counts) == {"Al", "Ni"}
        assert 2 <= len(structure) <= 8
        volume = sum(n * natural_volume(symbol) for symbol, n in counts.items())
        assert structure.volume == pytest.approx(volume, rel=0.01)
        distances = structure.distance_matrix[~np.eye(len(structure), dtype=bool)]
        assert distances.min() > 0.7 * 2 * 1.21  # two atoms of aluminium; nickel's are larger
    again = random_structures(("Al", "Ni"), 2, 8, np.random.default_rng(1))
    assert [s.formula for s in again] == [s.formula for s in found[:2]]


def test_they_are_measured_by_the_campaign_s_oracle() -> None:
    phases = measured_phases(("Al", "Ni"), "NiAlH_jea.eam.alloy", 3, 4, seed=2)
    energies = [phase.formation_energy for phase in phases if phase is not None]
    assert energies
    assert all(-0.7 < energy < 0.5 for energy in energies)
