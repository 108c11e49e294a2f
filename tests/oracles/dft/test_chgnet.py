import json

import numpy as np
import pytest
import torch
from ase.build import bulk
from ase.eos import EquationOfState
from ase.units import GPa
from chgnet.model import CHGNet
from chgnet.model.dynamics import CHGNetCalculator
from pymatgen.core import Composition, Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor

from alloop.canonical import canonical_json
from alloop.errors import SpecError
from alloop.oracles.base import FailureKind, Measurement, Status
from alloop.oracles.dft.options import DftOptions
from alloop.oracles.dft.oracle import DftOracle
from alloop.oracles.mlip.potentials.chgnet import BY_VERSION, chgnet_calculator
from alloop.testing.oracles import check_oracle


@pytest.fixture
def oracle(tmp_path):
    return DftOracle(DftOptions(folder=tmp_path), elements=["Ni", "Fe", "Cr"])


def test_it_keeps_the_promises_of_an_oracle(oracle, feni):
    overlapping = Structure(Lattice.cubic(3), ["Fe", "Fe"], [[0.0] * 3, [0.01] * 3])
    check_oracle(oracle, good=feni, bad=[Composition("FeNi"), overlapping])


def test_its_name_says_what_it_is(oracle):
    assert "a learned potential trained on DFT" in oracle.name
    assert "DFT result" not in oracle.name


def test_weights_are_read_as_tensors_and_are_those_that_chgnet_loads(monkeypatch):
    asked, load = [], torch.load

    def spy(*args, **settings):
        asked.append(settings.get("weights_only"))
        return load(*args, **settings)

    monkeypatch.setattr(torch, "load", spy)
    chgnet_calculator.cache_clear()
    file, _ = BY_VERSION["0.3.0"].weights_file()
    ours = chgnet_calculator(file).model.state_dict()
    assert asked == [True]
    theirs = CHGNet.load(use_device="cpu", verbose=False).state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_the_bulk_modulus_from_pressures_is_the_curvature_of_the_energy(oracle):
    # Birch-Murnaghan through energies from CHGNet's own calculator.
    nickel = bulk("Ni", "fcc", a=3.47)
    nickel.calc = CHGNetCalculator(CHGNet.load(use_device="cpu", verbose=False), use_device="cpu")
    volumes, energies = [], []
    for edge in np.linspace(3.40, 3.56, 9):
        nickel.set_cell(np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]) * edge / 2, scale_atoms=True)
        volumes.append(nickel.get_volume())
        energies.append(float(nickel.get_potential_energy()))
    volume, _, modulus = EquationOfState(volumes, energies, eos="birchmurnaghan").fit()

    measured = oracle.measure(AseAtomsAdaptor.get_structure(bulk("Ni", "fcc", a=3.50)))
    assert measured.properties["volume_per_atom"] == pytest.approx(volume, rel=0.003)
    assert measured.properties["bulk_modulus"] == pytest.approx(modulus / GPa, rel=0.05)
    assert measured.properties["formation_energy_per_atom"] == pytest.approx(0, abs=1e-4)
    assert "magnetisation" not in measured.properties  # CHGNet's moments have no sign


def test_ordered_feni3_forms_and_lies_below_the_line_of_its_elements(tmp_path, feni3):
    # Iron-nickel's phase diagram: L1₂ FeNi3 is the stable compound.
    oracle = DftOracle(DftOptions(folder=tmp_path, end_members=True, strain=0))
    measured = oracle.measure(feni3)
    assert measured.properties["formation_energy_per_atom"] < -0.02
    # FeNi3 is among the end members, so on the hull or off it by what relaxations leave.
    assert measured.properties["energy_above_hull"] == pytest.approx(0, abs=1e-3)
    assert [site.specie.symbol for site in measured.material] == ["Ni", "Fe", "Ni", "Ni"]


def test_protocols_give_what_they_say(tmp_path, feni):
    names = {}
    for protocol in ("static", "relax"):
        oracle = DftOracle(DftOptions(folder=tmp_path, protocol=protocol))
        names[protocol] = set(oracle.measure(feni).properties)
    assert names["static"] == {"energy_per_atom", "volume_per_atom", "density"}
    assert names["relax"] == names["static"] | {"bulk_modulus"}


def test_an_element_is_calculated_once_for_all_campaigns(tmp_path, feni, feni3):
    def submissions() -> set[str]:
        return {path.parent.name for path in tmp_path.glob("jobs/*/attempt-*")}

    first = DftOracle(DftOptions(folder=tmp_path, strain=0)).measure(feni)
    before = submissions()
    assert len(before) == 3  # the compound, iron, nickel
    # Another campaign, another process: nothing is shared but the folder.
    second = DftOracle(DftOptions(folder=tmp_path, strain=0)).measure(feni3)
    assert len(submissions() - before) == 1
    assert first.status is second.status is Status.OK
    # Of each, what was calculated of it is kept, and what it was compared with.
    (flow,) = first.document["flows"]
    energy = flow["outcome"][0]["energy"] / 2
    alone = first.document["references"]
    formation = energy - (alone["Fe"] + alone["Ni"]) / 2
    assert first.properties["formation_energy_per_atom"] == pytest.approx(formation)
    assert second.document["references"] == alone
    assert Measurement.from_json(json.loads(canonical_json(first.to_json()))).document == (
        first.document
    )
    # Other settings have other elements.
    DftOracle(DftOptions(folder=tmp_path, strain=0, force_tolerance=0.1)).measure(feni)
    assert len(submissions() - before) == 1 + 3
    assert not list(tmp_path.glob("jobs/*/attempt-2"))


def test_the_elastic_tensor_of_nickel_is_cubic_and_agrees_with_its_bulk_modulus(tmp_path):
    nickel = Structure.from_spacegroup("Fm-3m", Lattice.cubic(3.48), ["Ni"], [[0.0] * 3])
    oracle = DftOracle(DftOptions(folder=tmp_path, protocol="elastic"))
    found = oracle.measure(nickel).properties
    assert found["c11"] == pytest.approx(found["c22"], rel=0.01)
    assert found["c44"] == pytest.approx(found["c55"], rel=0.02)
    assert abs(found["c14"]) < 0.02 * found["c11"]
    plain = DftOracle(DftOptions(folder=tmp_path, protocol="relax")).measure(nickel).properties
    # CHGNet's energy is not smooth: between strains of 0.1 % and 2 % its moduli vary by 10 %.
    assert found["bulk_modulus"] == pytest.approx(plain["bulk_modulus"], rel=0.12)
    assert found["shear_modulus"] > 0


def test_a_relaxation_that_is_cut_short_is_no_result(tmp_path, solution):
    oracle = DftOracle(DftOptions(folder=tmp_path, max_steps=2))
    failed = oracle.measure(solution)
    assert failed.status is Status.FAILED
    assert failed.failure.kind is FailureKind.NOT_CONVERGED


def test_settings_that_change_values_change_the_fingerprint_and_others_do_not(tmp_path, oracle):
    def fingerprint(**settings):
        return DftOracle(DftOptions(**({"folder": tmp_path} | settings))).fingerprint()

    values = [
        {"strain": 0.005},
        {"force_tolerance": 0.01},
        {"protocol": "relax"},
        {"end_members": True},
        {"chgnet": {"model": "r2scan"}},
        {"max_steps": 50},
        {"magmoms": {"Fe": 1.0}},
    ]
    found = {fingerprint(**settings) for settings in values} | {oracle.fingerprint()}
    assert len(found) == len(values) + 1
    where = [{"folder": tmp_path / "b"}, {"timeout": 5.0}, {"promote": 4}, {"cores": 2}]
    assert {fingerprint(**settings) for settings in where} == {oracle.fingerprint()}


def test_an_element_that_it_does_not_know_is_refused_at_once(tmp_path):
    with pytest.raises(SpecError, match="Cm"):
        DftOracle(DftOptions(folder=tmp_path), elements=["Cm"])
