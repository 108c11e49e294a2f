"""Elastic constants: as published, in the crystal's own axes, however the cell is described."""

from collections.abc import Callable

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation

from alloop.oracles.crystal_frame import crystal_frame
from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.oracle import LammpsOracle

Alloy = Callable[..., Structure]
FACES = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
BODY = [[0, 0, 0], [0.5, 0.5, 0.5]]
TETRAHEDRA = [[0.25, 0.25, 0.25], [0.25, 0.75, 0.75], [0.75, 0.25, 0.75], [0.75, 0.75, 0.25]]
HEXAGONAL = [[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]]
CUBIC = ("c11", "c12", "c44")


def constants(potential: str, structure: Structure) -> dict[str, float]:
    oracle = LammpsOracle(LammpsOptions(potential=potential, properties=("c11",)))
    found = oracle.measure(structure)
    oracle.close()
    assert found.failure is None, found.failure
    return dict(found.properties)


@pytest.mark.parametrize(
    ("potential", "element", "sites", "edge", "published"),
    [
        # Mishin et al., Phys. Rev. B 63 (2001) 224106, table III
        ("Cu_mishin1.eam.alloy", "Cu", FACES, 3.615, (169.9, 122.6, 76.2)),
        # The experimental constants that this potential's elements are fitted to (Simmons and
        # Wang, Single Crystal Elastic Constants, 1971)
        ("NiFeCr-Wu2017", "Ni", FACES, 3.52, (261.2, 150.8, 131.7)),
        ("NiFeCr-Wu2017", "Fe", BODY, 2.86, (243.1, 138.1, 121.9)),
        # Balamane, Halicioglu and Tiller, Phys. Rev. B 46 (1992) 2250: of Stillinger and Weber's
        # silicon and of Tersoff's second, whose atoms move between each other under shear
        ("Si.sw", "Si", [*FACES, *TETRAHEDRA], 5.431, (151.4, 76.4, 56.4)),
        ("Si.tersoff", "Si", [*FACES, *TETRAHEDRA], 5.432, (121.7, 85.8, 10.3)),
    ],
)
def test_cubic_constants_are_the_published_ones(
    potential: str,
    element: str,
    sites: list[list[float]],
    edge: float,
    published: tuple[float, float, float],
) -> None:
    found = constants(potential, Structure(Lattice.cubic(edge), [element] * len(sites), sites))
    assert [found[name] for name in CUBIC] == pytest.approx(published, rel=5e-3)
    assert found["c33"] == pytest.approx(found["c11"], rel=1e-9)
    assert found["c14"] == pytest.approx(0, abs=1e-6)


def test_the_54_atom_fcc_cell_gives_the_constants_of_the_cube(options: LammpsOptions) -> None:
    turned = Structure(Lattice.tetragonal(3.52 / np.sqrt(2), 3.52), ["Ni"] * 2, BODY) * (3, 3, 3)
    cube = Structure(Lattice.cubic(3.52), ["Ni"] * 4, FACES)
    first, second = (constants(str(options.potential), each) for each in (turned, cube))
    for name, value in first.items():
        assert second[name] == pytest.approx(value, rel=1e-4, abs=1e-4), name


def test_an_alloy_s_constants_do_not_depend_on_the_cell_that_describes_it(
    options: LammpsOptions, alloy: Alloy
) -> None:
    along_110 = alloy({"Ni": 6, "Cr": 5, "Fe": 5}, seed=1)
    along_100 = along_110 * [[1, 1, 0], [-1, 1, 0], [0, 0, 1]]
    first, second = (constants(str(options.potential), each) for each in (along_110, along_100))
    assert crystal_frame(along_100).parent == crystal_frame(along_110).parent == "fcc"
    for name in (*CUBIC, "bulk_modulus", "shear_modulus", "born_stability"):
        assert second[name] == pytest.approx(first[name], rel=1e-3), name


def test_turning_and_mirroring_the_crystal_changes_nothing(
    options: LammpsOptions, alloy: Alloy
) -> None:
    structure = alloy({"Ni": 6, "Cr": 5, "Fe": 5}, seed=4)
    mirror = np.diag([1, -1, 1]) @ Rotation.random(rng=5).as_matrix()
    turned = Structure(
        Lattice(structure.lattice.matrix @ mirror), structure.species, structure.frac_coords + 0.3
    )
    before, after = (constants(str(options.potential), each) for each in (structure, turned))
    for name, value in before.items():
        assert after[name] == pytest.approx(value, rel=1e-4, abs=1e-3), name


def test_constants_and_moduli_belong_together(options: LammpsOptions, alloy: Alloy) -> None:
    found = constants(str(options.potential), alloy({"Ni": 6, "Cr": 5, "Fe": 5}))
    c11, c12, c44 = (found[name] for name in CUBIC)
    # Hill, Proc. Phys. Soc. A 65 (1952) 349, for cubic crystals
    assert found["bulk_modulus"] == pytest.approx((c11 + 2 * c12) / 3, abs=2e-3)
    assert found["bulk_modulus_reuss"] == pytest.approx((c11 + 2 * c12) / 3, rel=1e-6)
    voigt = (c11 - c12 + 3 * c44) / 5
    reuss = 5 * (c11 - c12) * c44 / (4 * c44 + 3 * (c11 - c12))
    assert found["shear_modulus_voigt"] == pytest.approx(voigt, rel=1e-6)
    assert found["shear_modulus_reuss"] == pytest.approx(reuss, rel=1e-6)
    assert found["shear_modulus"] == pytest.approx((voigt + reuss) / 2, rel=1e-6)
    bulk, shear, young = (
        found[name] for name in ("bulk_modulus_hill", "shear_modulus", "youngs_modulus")
    )
    assert 1 / young == pytest.approx(1 / (3 * shear) + 1 / (9 * bulk))
    assert found["poisson_ratio"] == pytest.approx(young / (2 * shear) - 1)
    assert found["born_stability"] == pytest.approx(min(c11 - c12, 2 * c44), rel=1e-6)


def test_an_unstable_crystal_is_told_by_born_s_criterion() -> None:
    # Mishin et al. 2001: bcc copper is unstable against tetragonal strain under this potential.
    found = constants("Cu_mishin1.eam.alloy", Structure(Lattice.cubic(2.87), ["Cu"] * 2, BODY))
    assert found["born_stability"] == pytest.approx(found["c11"] - found["c12"], rel=1e-6)
    assert found["born_stability"] < 0


def test_hexagonal_crystals_have_five_constants() -> None:
    zirconium = Structure(Lattice.hexagonal(3.23, 5.17), ["Zr"] * 2, HEXAGONAL)
    found = constants("Zr_mm.eam.fs", zirconium)
    assert found["c66"] == pytest.approx((found["c11"] - found["c12"]) / 2, rel=1e-6)
    assert found["c44"] == pytest.approx(found["c55"], rel=1e-6)
    assert abs(found["c33"] - found["c11"]) > 10
    mixed = [found[f"c{i}{j}"] for i in (1, 2, 3) for j in (4, 5, 6)]
    np.testing.assert_allclose(mixed, 0, atol=1e-6)


def test_what_is_not_asked_for_is_not_measured(oracle: LammpsOracle) -> None:
    found = oracle.measure(Structure(Lattice.cubic(3.52), ["Ni"] * 4, FACES))
    assert set(found.properties) == {
        "bulk_modulus",
        "energy_per_atom",
        "formation_energy_per_atom",
        "volume_per_atom",
        "density",
    }
