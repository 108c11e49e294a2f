"""The other parent lattice: reached by Bain's strain, and its energy."""

from collections.abc import Callable

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation

from alloop.lattices import OTHER_LATTICE, LatticeName
from alloop.oracles.base import FailureKind
from alloop.oracles.crystal_frame import parent_frame
from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.oracle import LammpsOracle
from alloop.oracles.lammps.procedures.competing_phase import on_other_parent

Alloy = Callable[..., Structure]
FACES = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
BODY = [[0, 0, 0], [0.5, 0.5, 0.5]]


@pytest.fixture(scope="module")
def oracle(options: LammpsOptions) -> LammpsOracle:
    asked = options.model_copy(update={"properties": ("energy_above_competing_phase",)})
    return LammpsOracle(asked)


def energy(oracle: LammpsOracle, structure: Structure) -> float:
    found = oracle.measure(structure)
    assert found.failure is None, found.failure
    return found.properties["energy_above_competing_phase"]


@pytest.mark.parametrize("name", ["fcc", "bcc"])
def test_the_decoration_is_kept_and_the_way_back_leads_home(
    alloy: Alloy, name: LatticeName
) -> None:
    structure = alloy({"Ni": 6, "Cr": 5, "Fe": 5}, name, seed=1)
    rotation = Rotation.random(rng=2).as_matrix()
    structure = Structure(
        Lattice(structure.lattice.matrix @ rotation), structure.species, structure.frac_coords
    )
    others = on_other_parent(structure)
    assert len(others) == 3
    for other in others:
        frame = parent_frame(other)
        assert frame is not None
        assert frame.parent == OTHER_LATTICE[name]
        assert other.volume == pytest.approx(structure.volume)
        assert other.species == structure.species
        np.testing.assert_allclose(other.frac_coords, structure.frac_coords)
        lengths = [back.lattice.abc for back in on_other_parent(other)]
        assert any(np.allclose(each, structure.lattice.abc) for each in lengths)


def test_nickel_is_compared_with_its_bcc_crystal(oracle: LammpsOracle) -> None:
    fcc = Structure(Lattice.cubic(3.52), ["Ni"] * 4, FACES)
    bcc = Structure(Lattice.cubic(2.80), ["Ni"] * 2, BODY)
    below = oracle.measure(bcc).properties["energy_per_atom"]
    above = oracle.measure(fcc).properties["energy_per_atom"]
    assert energy(oracle, fcc) == pytest.approx(above - below, abs=1e-6)
    assert energy(oracle, bcc) == pytest.approx(below - above, abs=1e-6)
    assert energy(oracle, fcc) < -0.1


def test_the_description_of_an_alloy_does_not_matter(oracle: LammpsOracle, alloy: Alloy) -> None:
    along_110 = alloy({"Ni": 10, "Cr": 3, "Fe": 3}, seed=1)
    along_100 = along_110 * [[1, 1, 0], [-1, 1, 0], [0, 0, 1]]
    # A larger cell may relax to a lower minimum, by a fraction of a meV.
    assert energy(oracle, along_100) == pytest.approx(energy(oracle, along_110), abs=2e-3)


def test_a_crystal_on_another_lattice_has_no_such_competitor() -> None:
    asked = LammpsOptions(potential="Si.sw", properties=("energy_above_competing_phase",))
    oracle = LammpsOracle(asked)
    silicon = Structure.from_spacegroup("Fd-3m", Lattice.cubic(5.43), ["Si"], [[0, 0, 0]])
    failure = oracle.measure(silicon).failure
    oracle.close()
    assert failure is not None
    assert failure.kind is FailureKind.UNSUPPORTED
