"""Other potentials for some sets of elements."""

from collections.abc import Callable

import pytest
from pydantic import ValidationError
from pymatgen.core import Composition, Lattice, Structure

from alloop.errors import PotentialError
from alloop.oracles.base import ExchangeOracle, FailureKind, exchange_fingerprint
from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.oracle import LammpsOracle
from alloop.oracles.lammps.systems import SystemsOracle, lammps_oracle
from alloop.testing.oracles import check_oracle

Alloy = Callable[..., Structure]
GENERAL = "MoCoNiVFeAlCr_2nn.meam"
OPTIONS = LammpsOptions.model_validate(
    {
        "potential": GENERAL,
        "systems": [{"elements": ["Ni", "Cr"], "potential": "NiFeCr-Wu2017"}],
    }
)


@pytest.fixture(scope="module")
def binary(alloy: Alloy) -> Structure:
    return alloy({"Ni": 10, "Cr": 6})


@pytest.fixture(scope="module")
def ternary(alloy: Alloy) -> Structure:
    return alloy({"Ni": 6, "Cr": 5, "Fe": 5})


def test_the_elements_choose_the_potential(binary: Structure, ternary: Structure) -> None:
    both = lammps_oracle(OPTIONS, elements=["Ni", "Cr", "Fe"])
    assert isinstance(both, SystemsOracle)
    general = LammpsOracle(LammpsOptions(potential=GENERAL))
    special = LammpsOracle(LammpsOptions(potential="NiFeCr-Wu2017"))
    assert special.measure(binary).properties != general.measure(binary).properties
    assert both.measure(binary).properties == special.measure(binary).properties
    assert both.measure(ternary).properties == general.measure(ternary).properties
    nickel = Structure(Lattice.cubic(2.8), ["Ni", "Ni"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    assert both.measure(nickel).properties == general.measure(nickel).properties
    for oracle in (both, general, special):
        oracle.close()


def test_they_keep_what_every_oracle_promises(binary: Structure, ternary: Structure) -> None:
    oracle = lammps_oracle(OPTIONS)
    bad = [Composition("NiCr"), Structure(Lattice.cubic(1.0), ["Ni", "Cr"], [[0] * 3, [0.1] * 3])]
    check_oracle(oracle, binary, bad)
    check_oracle(oracle, ternary, bad)
    assert oracle.measure(None).failure.kind is FailureKind.UNSUPPORTED  # type: ignore[arg-type, union-attr]
    warm = oracle.measure_exchanged(binary, [(0, 15)])
    assert warm.fingerprint == exchange_fingerprint(oracle.fingerprint())
    assert (warm.failure, warm.oracle) == (None, oracle.name)
    assert isinstance(oracle, ExchangeOracle)


def test_all_potentials_belong_to_the_fingerprint() -> None:
    plain = OPTIONS.model_copy(update={"systems": ()})
    system = OPTIONS.systems[0]
    others = [
        (system.model_copy(update={"elements": ("Ni", "Fe")}),),
        (system.model_copy(update={"potential": GENERAL}),),
        (system, system.model_copy(update={"elements": ("Ni", "Fe")})),
    ]
    variants = [OPTIONS, plain, *(OPTIONS.model_copy(update={"systems": s}) for s in others)]
    fingerprints = {lammps_oracle(options).fingerprint() for options in variants}
    assert len(fingerprints) == len(variants)
    turned = system.model_copy(update={"elements": ("Cr", "Ni")})
    again = lammps_oracle(OPTIONS.model_copy(update={"systems": (turned,)}))
    assert again.fingerprint() == lammps_oracle(OPTIONS).fingerprint()


def test_a_potential_that_lacks_its_system_s_elements_is_refused() -> None:
    copper = {"elements": ["Cu", "Ni"], "potential": "NiFeCr-Wu2017"}
    options = LammpsOptions.model_validate({"potential": GENERAL, "systems": [copper]})
    with pytest.raises(PotentialError, match="Cu"):
        lammps_oracle(options)


def test_two_potentials_for_one_system_are_refused() -> None:
    twice = [{"elements": e, "potential": GENERAL} for e in (["Ni", "Cr"], ["Cr", "Ni"])]
    with pytest.raises(ValidationError, match="Cr-Ni has two potentials"):
        LammpsOptions.model_validate({"potential": GENERAL, "systems": twice})
