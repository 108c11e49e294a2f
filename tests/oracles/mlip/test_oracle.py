"""What learned potentials measure, against their own packages and published numbers."""

import numpy as np
import pytest
from ase.build import bulk
from ase.eos import EquationOfState
from ase.units import GPa
from pymatgen.core import Composition, Lattice, Structure

from alloop.errors import SpecError
from alloop.models.threads import single_thread
from alloop.oracles.base import FailureKind, Status
from alloop.oracles.dft.options import DftOptions
from alloop.oracles.dft.oracle import DftOracle
from alloop.oracles.mlip.options import MlipOptions
from alloop.oracles.mlip.oracle import MlipOracle
from alloop.testing.oracles import check_oracle

OVERLAPPING = Structure(Lattice.cubic(3), ["Fe", "Fe"], [[0.0] * 3, [0.01] * 3])


@pytest.mark.parametrize(
    "model",
    # CHGNet keeps them as an engine of the DFT tier, in CI.
    [pytest.param("chgnet", marks=pytest.mark.nightly), "sevennet-0"],
)
def test_it_keeps_the_promises_of_an_oracle(model, feni):
    oracle = MlipOracle(MlipOptions(model=model), elements=["Fe", "Ni"])
    unknown = Structure(feni.lattice, ["Fe", "Cm"], feni.frac_coords)
    with single_thread():  # as in a worker: more of them do not add in the same order twice
        check_oracle(oracle, good=feni, bad=[Composition("FeNi"), OVERLAPPING, unknown])


def test_energies_forces_and_stresses_are_those_of_sevenn_itself(sevennet, their_sevennet, feni3):
    shaken = feni3.copy().perturb(0.1, seed=1)
    ours = sevennet.atoms(shaken)
    theirs = ours.copy()
    theirs.calc = their_sevennet
    assert ours.get_potential_energy() == pytest.approx(theirs.get_potential_energy(), abs=1e-5)
    np.testing.assert_allclose(ours.get_forces(), theirs.get_forces(), atol=1e-5)
    np.testing.assert_allclose(ours.get_stress(), theirs.get_stress(), atol=1e-6)


def test_volume_and_bulk_modulus_are_those_of_the_energy_s_curve(sevennet, their_sevennet, nickel):
    volumes, energies = [], []
    for edge in np.linspace(3.44, 3.60, 9):
        atoms = bulk("Ni", "fcc", a=edge)
        atoms.calc = their_sevennet
        volumes.append(atoms.get_volume())
        energies.append(float(atoms.get_potential_energy()))
    volume, _, modulus = EquationOfState(volumes, energies, eos="birchmurnaghan").fit()
    found = sevennet.measure(nickel).properties
    assert found["volume_per_atom"] == pytest.approx(volume, rel=0.003)
    assert found["bulk_modulus"] == pytest.approx(modulus / GPa, rel=0.03)
    assert found["formation_energy_per_atom"] == pytest.approx(0, abs=1e-4)


@pytest.mark.nightly
def test_l3i5_comes_close_to_the_published_formation_energy_of_feni3(feni3):
    # -0.0935 eV/atom by PBE: the Materials Project in matbench_mp_e_form (benchmarks/dft). CHGNet
    # gives half of it.
    found = MlipOracle(MlipOptions(model="sevennet-l3i5")).measure(feni3).properties
    assert found["formation_energy_per_atom"] == pytest.approx(-0.0935, abs=0.012)


def test_the_dft_tier_with_sevennet_measures_the_same(sevennet, feni, tmp_path):
    here = sevennet.measure(feni).properties
    through_atomate2 = DftOracle(DftOptions(engine="sevennet", folder=tmp_path)).measure(feni)
    there = through_atomate2.properties
    assert "SevenNet" in through_atomate2.oracle
    assert "learned potential" in through_atomate2.oracle
    energy = pytest.approx(here["formation_energy_per_atom"], abs=0.001)
    assert there["formation_energy_per_atom"] == energy
    assert there["bulk_modulus"] == pytest.approx(here["bulk_modulus"], rel=0.02)


def test_elastic_constants_come_where_they_are_asked_for(nickel):
    options = MlipOptions(model="sevennet-0", properties=("c11",))
    found = MlipOracle(options).measure(nickel).properties
    assert found.keys() == options.measures().keys()
    assert found["c11"] == pytest.approx(found["c22"], rel=0.001)
    assert found["c44"] == pytest.approx(found["c66"], rel=0.001)
    # Of a cubic crystal Voigt's and Reuss's bounds are the same, and K = (c11 + 2 c12) / 3.
    assert found["bulk_modulus_hill"] == pytest.approx(found["bulk_modulus"], rel=0.03)
    # fcc nickel by PBE: 276, 159, 132 GPa (de Jong et al., Sci. Data 2 (2015) 150009, mp-23).
    assert found["c44"] == pytest.approx(132, rel=0.25)
    assert found["born_stability"] > 0


def test_a_campaign_s_properties_decide_whether_the_tensor_is_measured():
    plain = MlipOptions()
    assert "c11" not in plain.measures()
    assert plain.measures()["bulk_modulus"] == "GPa"
    assert plain.with_properties(["shear_modulus"]).measures()["c11"] == "GPa"
    assert plain.with_properties(["band_gap"]).measures() == plain.measures()
    with pytest.raises(ValueError, match="measure no 'band_gap'"):
        MlipOptions(properties=("band_gap",))


def test_an_element_without_a_simple_crystal_has_no_formation_energy(sevennet):
    rocksalt = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(4.24), ["Mg", "O"], [[0.0] * 3, [0.5] * 3]
    ).get_primitive_structure()
    found = sevennet.measure(rocksalt)
    assert found.status is Status.OK
    assert "formation_energy_per_atom" not in found.properties
    # MgO by PBE: 9.6 Å³ per atom (Materials Project, mp-1265).
    assert found.properties["volume_per_atom"] == pytest.approx(9.6, rel=0.03)


def test_a_relaxation_that_is_cut_short_is_no_result(feni3):
    oracle = MlipOracle(MlipOptions(model="sevennet-0", max_steps=1))
    failed = oracle.measure(feni3.copy().perturb(0.2, seed=1))
    assert failed.failure.kind is FailureKind.NOT_CONVERGED
    assert "eV/Å" in failed.failure.message


def test_a_volume_that_changes_too_much_is_no_result(feni3):
    swollen = Structure(Lattice.cubic(3.75), feni3.species, feni3.frac_coords)  # by a fifth
    failed = MlipOracle(MlipOptions(model="sevennet-0", max_volume_change=0.05)).measure(swollen)
    assert failed.failure.kind is FailureKind.UNPHYSICAL
    assert "max_volume_change (5%)" in failed.failure.message


def test_settings_that_change_values_change_the_fingerprint_and_others_do_not(sevennet):
    values = [
        {"model": "sevennet-l3i5"},
        {"strain": 0.005},
        {"force_tolerance": 0.01},
        {"stress_tolerance": 0.01},
        {"max_steps": 50},
        {"max_volume_change": 0.1},
        {"properties": ("c44",)},
    ]
    found = {MlipOracle(MlipOptions(**each)).fingerprint() for each in values}
    assert len(found | {sevennet.fingerprint()}) == len(values) + 1
    where = [{"timeout": 5.0}, {"promote": 4}, {"workers": 2}, {"properties": ("density",)}]
    assert {MlipOracle(MlipOptions(**each)).fingerprint() for each in where} == {
        sevennet.fingerprint()
    }


def test_its_own_test_says_which_weights_it_used(sevennet):
    tested = sevennet.self_test()
    assert tested.status is Status.OK
    assert tested.document["element"] == "Fe"
    assert "checkpoint_sevennet_0.pth" in tested.document["identity"]
    assert tested.properties["pressure_error"] < 0.3


def test_an_element_that_it_does_not_know_is_refused_at_once():
    with pytest.raises(SpecError, match="SevenNet does not know Po"):
        MlipOptions().check_ready(["Ni", "Po"])
