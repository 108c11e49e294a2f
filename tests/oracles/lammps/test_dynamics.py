"""Molecular dynamics: expansion as in nature, crystals that stay and that do not, same again."""

from collections.abc import Callable

import pytest
from pymatgen.core import Lattice, Structure

from alloop.oracles.base import Measurement
from alloop.oracles.lammps.options import DynamicsOptions, LammpsOptions
from alloop.oracles.lammps.oracle import LammpsOracle
from alloop.oracles.lammps.potentials.catalogue import find_potential
from alloop.oracles.lammps.procedures.dynamics import sample

Alloy = Callable[..., Structure]
COPPER = "Cu_mishin1.eam.alloy"
FACES = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
BODY = [[0, 0, 0], [0.5, 0.5, 0.5]]
FCC = Structure(Lattice.cubic(3.615), ["Cu"] * 4, FACES)
BCC = Structure(Lattice.cubic(2.87), ["Cu"] * 2, BODY)


def measure(structure: Structure, **settings: float) -> Measurement:
    settings = {"atoms": 100, "equilibrate": 1.0, "sample": 3.0} | settings
    options = LammpsOptions(
        potential=COPPER,
        properties=("crystal_fraction",),
        dynamics=DynamicsOptions.model_validate(settings),
    )
    oracle = LammpsOracle(options)
    found = oracle.measure(structure)
    oracle.close()
    return found


def test_copper_expands_as_in_nature_and_stays_a_crystal() -> None:
    found = measure(FCC, temperature=600.0, sample=6.0).properties
    # From 0 to 600 K copper's edge grows by 0.87 % (Touloukian, Thermophysical Properties of
    # Matter 12: −0.33 % at 0 K and +0.54 % at 600 K against 293 K, hence 14.5 · 10⁻⁶/K).
    assert found["thermal_expansion"] == pytest.approx(14.5, rel=0.25)
    assert found["volume_per_atom_at_temperature"] == pytest.approx(
        found["volume_per_atom"] * (1 + 600e-6 * found["thermal_expansion"]) ** 3, rel=5e-3
    )
    assert found["crystal_fraction"] == 1.0


def test_copper_melts() -> None:
    assert measure(FCC, temperature=2500.0).properties["crystal_fraction"] < 0.1


def test_a_crystal_that_is_stable_only_at_rest_is_found_out() -> None:
    assert measure(BCC).properties["crystal_fraction"] < 0.1


def test_the_same_material_moves_the_same_way_again() -> None:
    first, again = measure(FCC, sample=0.5), measure(FCC, sample=0.5)
    assert first.properties == again.properties
    other = measure(FCC.get_primitive_structure(), sample=0.5)
    assert other.properties["thermal_expansion"] != first.properties["thermal_expansion"]


def test_skew_cells_keep_temperature_and_pressure() -> None:
    options = DynamicsOptions(atoms=60, equilibrate=1.0, sample=3.0, temperature=200.0)
    primitive = FCC.get_primitive_structure()
    found = sample(find_potential(COPPER), primitive, options, seed=1)
    assert found.temperature == pytest.approx(200, rel=0.2)
    assert len(found.mean) == len(found.start) >= 60
    assert found.crystal_fraction == 1.0
    # The mean structure is the crystal, only larger.
    assert found.mean.lattice.angles == pytest.approx(found.start.lattice.angles, abs=1.0)
    assert 1.0 < found.mean.volume / found.start.volume < 1.03


def test_dynamics_belongs_to_the_fingerprint_where_it_is_asked_for() -> None:
    def fingerprint(temperature: float, *properties: str) -> str:
        dynamics = DynamicsOptions(temperature=temperature)
        options = LammpsOptions(potential=COPPER, properties=properties, dynamics=dynamics)
        return LammpsOracle(options).fingerprint()

    assert fingerprint(300.0, "bulk_modulus") == fingerprint(900.0, "bulk_modulus")
    assert fingerprint(300.0, "thermal_expansion") != fingerprint(900.0, "thermal_expansion")
    assert fingerprint(300.0, "thermal_expansion") == fingerprint(300.0, "crystal_fraction")
    assert fingerprint(300.0, "thermal_expansion") != fingerprint(300.0, "bulk_modulus")


def test_copper_is_softer_at_room_temperature_by_as_much_as_in_nature() -> None:
    options = LammpsOptions(
        potential=COPPER,
        properties=("c11_at_temperature", "c11"),
        dynamics=DynamicsOptions(temperature=300.0, atoms=108, equilibrate=0.5, sample=2.0),
    )
    oracle = LammpsOracle(options)
    found = oracle.measure(FCC)
    oracle.close()
    # Single crystals of copper at 300 K and extrapolated to 0 K, GPa (Overton and Gaffney, Phys.
    # Rev. 98 (1955) 969): C11 168.4 of 176.2, C12 121.4 of 124.9, C44 75.4 of 81.8. The potential's
    # own at 0 K are 169.9, 122.6 and 76.2 (Mishin et al., Phys. Rev. B 63 (2001) 224106).
    published = {"c11": (169.9, 168.4 / 176.2), "c12": (122.6, 121.4 / 124.9)}
    published["c44"] = (76.2, 75.4 / 81.8)
    for name, (at_rest, softer) in published.items():
        assert found.properties[name] == pytest.approx(at_rest, rel=2e-3)
        hot = found.properties[f"{name}_at_temperature"]
        assert hot == pytest.approx(softer * at_rest, rel=0.04)
        assert hot < at_rest
        assert found.remarks[f"{name}_at_temperature"].startswith("± ")


def test_what_has_melted_has_no_elastic_constants() -> None:
    options = LammpsOptions(
        potential=COPPER,
        properties=("c11_at_temperature",),
        dynamics=DynamicsOptions(temperature=2500.0, atoms=100, equilibrate=1.0, sample=1.0),
    )
    failure = LammpsOracle(options).measure(FCC).failure
    assert failure is not None
    assert "no elastic constants any more" in failure.message
