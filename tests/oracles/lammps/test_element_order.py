"""The published study swapped elements in its potential; these numbers pin the right order.

A MEAM potential reproduces its reference structures by construction (Baskes, Phys. Rev. B 46
(1992) 2727): the energy per atom is −Ec, the nearest-neighbour distance is re, and Rose's
equation of state makes the bulk modulus alpha² Ec / (9 Ω). So what the parameters say of a
crystal must come out of the whole oracle.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.oracle import LammpsOracle
from alloop.oracles.lammps.simulation.session import GPA_PER_EV_PER_CUBIC_ANGSTROM
from alloop.oracles.lammps.simulator import Simulator

Alloy = Callable[..., Structure]
FACES = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
BODY = [[0, 0, 0], [0.5, 0.5, 0.5]]


def rose_bulk_modulus(alpha: float, cohesive_energy: float, volume: float) -> float:
    return alpha**2 * cohesive_energy / (9 * volume) * GPA_PER_EV_PER_CUBIC_ANGSTROM


@pytest.mark.parametrize(
    ("element", "n", "energy", "edge", "alpha"),
    [
        ("Ni", 4, -4.45, 3.5213917703, 5.08421758),
        ("Cr", 2, -4.10, 2.8809778433, 5.58007164),
        ("Fe", 2, -4.29, 2.8636573352, 5.15716154),
    ],
)
def test_a_pure_element_is_its_own_reference(
    oracle: LammpsOracle, element: str, n: int, energy: float, edge: float, alpha: float
) -> None:
    sites = FACES if n == 4 else BODY
    found = oracle.measure(Structure(Lattice.cubic(0.99 * edge), [element] * n, sites))
    assert found.properties["energy_per_atom"] == pytest.approx(energy, abs=1e-6)
    assert found.properties["formation_energy_per_atom"] == pytest.approx(0, abs=1e-9)
    assert isinstance(found.material, Structure)
    assert found.material.lattice.abc == pytest.approx([edge] * 3, abs=1e-5)
    modulus = rose_bulk_modulus(alpha, -energy, edge**3 / n)
    assert found.properties["bulk_modulus"] == pytest.approx(modulus, rel=3e-5)


@pytest.mark.parametrize(
    ("species", "energy", "edge", "alpha"),
    [
        (["Cr", "Ni", "Ni", "Ni"], -4.3425, 2.505 * np.sqrt(2), 5.20198292),
        (["Fe", "Ni", "Ni", "Ni"], -4.4960, 2.513 * np.sqrt(2), 5.07820562),
        (["Cr", "Fe"], -4.0980, 2.4875 * 2 / np.sqrt(3), 5.43004072),
    ],
)
def test_a_pair_is_referred_to_its_compound(
    oracle: LammpsOracle, species: list[str], energy: float, edge: float, alpha: float
) -> None:
    n = len(species)
    sites = FACES if n == 4 else BODY
    found = oracle.measure(Structure(Lattice.cubic(1.01 * edge), species, sites))
    # The references of pairs neglect screened third neighbours, which Ni3Fe has.
    assert found.properties["energy_per_atom"] == pytest.approx(energy, abs=2e-3)
    assert found.properties["volume_per_atom"] == pytest.approx(edge**3 / n, rel=2e-4)
    modulus = rose_bulk_modulus(alpha, -energy, edge**3 / n)
    assert found.properties["bulk_modulus"] == pytest.approx(modulus, rel=5e-4)


@pytest.mark.parametrize(
    ("element", "stable", "other"),
    [("Ni", "fcc", "bcc"), ("Fe", "bcc", "fcc"), ("Cr", "bcc", "fcc")],
)
def test_reference_crystals_are_the_more_stable_ones(
    oracle: LammpsOracle, alloy: Alloy, element: str, stable: str, other: str
) -> None:
    edges = {"fcc": 3.55, "bcc": 2.85}
    energies = {
        lattice: oracle.measure(alloy({element: 2}, lattice, edge=edge)).properties[
            "formation_energy_per_atom"
        ]
        for lattice, edge in edges.items()
    }
    assert energies[stable] == pytest.approx(0, abs=1e-6)
    assert energies[other] > 0.04


def test_ni63fe37_is_177_and_would_be_192_with_the_elements_swapped(
    oracle: LammpsOracle, options: LammpsOptions, alloy: Alloy
) -> None:
    structure = alloy({"Ni": 34, "Fe": 20})
    # 177.21 for one ordering of the published data; σ among random orderings is about 0.6.
    right = oracle.measure(structure).properties["bulk_modulus"]
    assert right == pytest.approx(177.2, abs=2.0)
    swapped = LammpsOracle(options)
    wrong_order = ("Fe", "Cr", "Ni")
    potential = replace(swapped.potential, elements=wrong_order, labels=wrong_order)
    no_energies = {"Ni": 0.0, "Fe": 0.0, "Cr": 0.0}
    swapped.simulator = Simulator(options, potential, reference_energies=no_energies)
    wrong = swapped.measure(structure).properties["bulk_modulus"]
    swapped.close()
    # The published label of that row is 192.05.
    assert wrong == pytest.approx(192.05, abs=2.0)
