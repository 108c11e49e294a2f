"""The crystal behind a cell: its class, and how it is turned."""

import numpy as np
import pytest
import spglib
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation

from alloop.oracles.crystal_frame import crystal_frame, parent_frame

FACES = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
BODY = [[0, 0, 0], [0.5, 0.5, 0.5]]
FCC_54 = Structure(Lattice.tetragonal(3.55 / np.sqrt(2), 3.55), ["Ni"] * 2, BODY) * (3, 3, 3)
BCC_54 = Structure(Lattice.cubic(2.87), ["Fe"] * 2, BODY) * (3, 3, 3)
CRYSTALS = {
    "Fm-3m": Structure(Lattice.cubic(3.5), ["Ni"] * 4, FACES),
    "Im-3m": Structure(Lattice.cubic(2.9), ["Fe"] * 2, BODY),
    "Pm-3m": Structure(Lattice.cubic(3.57), ["Al", "Ni", "Ni", "Ni"], FACES),
    "P4/mmm": Structure(Lattice.tetragonal(3.96, 3.67), ["Cu", "Au", "Au", "Cu"], FACES),
    "P6_3/mmc": Structure(
        Lattice.hexagonal(3.2, 5.2), ["Mg"] * 2, [[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]]
    ),
    "F-43m": Structure.from_spacegroup(
        "F-43m", Lattice.cubic(4.5), ["Ga", "N"], [[0, 0, 0], [0.25, 0.25, 0.25]]
    ),
    "P6_3mc": Structure.from_spacegroup(
        "P6_3mc",
        Lattice.hexagonal(3.25, 5.2),
        ["Zn", "O"],
        [[1 / 3, 2 / 3, 0], [1 / 3, 2 / 3, 0.38]],
    ),
}


def decorated(structure: Structure, seed: int, shake: float = 0.0) -> Structure:
    """Return an alloy on the structure's sites, turned at random, its atoms shifted a little."""
    rng = np.random.default_rng(seed)
    rotation = Rotation.random(rng=rng).as_matrix()
    return Structure(
        Lattice(structure.lattice.matrix @ rotation),
        rng.permutation(["Ni", "Cr", "Fe"] * (len(structure) // 3)).tolist(),
        structure.cart_coords @ rotation + rng.uniform(-shake, shake, (len(structure), 3)) + 1.0,
        coords_are_cartesian=True,
    )


def operations(structure: Structure, *, blind: bool) -> set[tuple[float, ...]]:
    """Return the rotations that map a crystal onto itself, as matrices in Cartesian axes."""
    numbers = [1 if blind else site.specie.Z for site in structure]
    cell = structure.lattice.matrix.tolist(), structure.frac_coords.tolist(), numbers
    found = spglib.get_symmetry_dataset(cell, 1e-3)
    assert found is not None
    columns = structure.lattice.matrix.T
    turned = [columns @ w @ np.linalg.inv(columns) for w in found.rotations]
    return {tuple(np.round(w, 3).ravel() + 0.0) for w in turned}


@pytest.mark.parametrize("group", CRYSTALS)
@pytest.mark.parametrize("seed", range(3))
def test_the_rotation_brings_a_crystal_s_symmetry_to_its_standard_axes(
    group: str, seed: int
) -> None:
    crystal = CRYSTALS[group]
    rotation = Rotation.random(rng=seed).as_matrix()
    turned = Structure(
        Lattice(crystal.lattice.matrix @ rotation), crystal.species, crystal.frac_coords
    )
    frame = crystal_frame(turned)
    assert frame.international == group
    np.testing.assert_allclose(frame.rotation @ frame.rotation.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(frame.rotation) == pytest.approx(1)
    standard = Structure(
        Lattice(turned.lattice.matrix @ frame.rotation.T), turned.species, turned.frac_coords
    )
    assert operations(standard, blind=False) == operations(frame.crystal, blind=False)


@pytest.mark.parametrize(("sites", "name"), [(FCC_54, "fcc"), (BCC_54, "bcc")])
@pytest.mark.parametrize("seed", range(4))
def test_an_alloy_is_what_its_sites_are_even_when_relaxed(
    sites: Structure, name: str, seed: int
) -> None:
    alloy = decorated(sites, seed, shake=0.1)
    frame = crystal_frame(alloy)
    assert frame.parent == name
    standard = Structure(
        Lattice(alloy.lattice.matrix @ frame.rotation.T), alloy.species, alloy.frac_coords
    )
    ideal = decorated(sites, seed)
    without_shifts = Structure(standard.lattice, ideal.species, ideal.frac_coords)
    assert operations(without_shifts, blind=True) <= operations(frame.crystal, blind=True)


def test_an_ordered_compound_is_itself_though_its_sites_are_a_lattice_s() -> None:
    compound = CRYSTALS["P4/mmm"] * (2, 2, 2)
    assert crystal_frame(compound).parent is None
    nearly_cubic = Structure(Lattice.tetragonal(3.6, 3.58), ["Cu", "Au", "Au", "Cu"], FACES)
    assert crystal_frame(nearly_cubic).international == "P4/mmm"
    sites = parent_frame(nearly_cubic)
    assert sites is not None
    assert sites.parent == "fcc"


def test_sites_without_a_lattice_have_no_parent() -> None:
    rng = np.random.default_rng(0)
    glass = Structure(Lattice.cubic(8.6), ["Ni"] * 54, rng.random((54, 3)))
    assert parent_frame(glass) is None
    assert crystal_frame(glass).international == "P1"
