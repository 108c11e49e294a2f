"""Surfaces and stacking faults: published energies, and the geometry behind them."""

from collections.abc import Callable

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation

from alloop.oracles.base import FailureKind, Measurement
from alloop.oracles.crystal_frame import parent_frame
from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.oracle import LammpsOracle
from alloop.oracles.lammps.procedures.defects import _fault_shifts
from alloop.oracles.lammps.simulation.layers import LayerStack, Miller, stack_along

Alloy = Callable[..., Structure]
FACES = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
BODY = [[0, 0, 0], [0.5, 0.5, 0.5]]
ALL = ("surface_energy", "stacking_fault_energy")


def measure(potential: str, structure: Structure, *properties: str) -> Measurement:
    oracle = LammpsOracle(LammpsOptions(potential=potential, properties=properties))
    found = oracle.measure(structure)
    oracle.close()
    return found


def turned(structure: Structure, seed: int) -> Structure:
    rotation = Rotation.random(rng=seed).as_matrix()
    return Structure(
        Lattice(structure.lattice.matrix @ rotation), structure.species, structure.frac_coords + 0.2
    )


def stack(structure: Structure, face: Miller) -> LayerStack:
    frame = parent_frame(structure)
    assert frame is not None
    return stack_along(structure, frame, face)


def test_copper_has_the_published_surfaces_and_stacking_fault() -> None:
    # Mishin et al., Phys. Rev. B 63 (2001) 224106, table III: mJ/m²
    copper = Structure(Lattice.cubic(3.615), ["Cu"] * 4, FACES)
    found = measure("Cu_mishin1.eam.alloy", copper, *ALL).properties
    assert found["surface_energy_111"] == pytest.approx(1.239, rel=5e-3)
    assert found["surface_energy_100"] == pytest.approx(1.345, rel=5e-3)
    assert found["surface_energy_110"] == pytest.approx(1.475, rel=5e-3)
    assert found["surface_energy"] == found["surface_energy_111"]
    assert found["stacking_fault_energy"] == pytest.approx(44.4, abs=1)


def test_energies_do_not_depend_on_the_cell(options: LammpsOptions) -> None:
    cell = Structure(Lattice.tetragonal(3.52 / np.sqrt(2), 3.52), ["Ni"] * 2, BODY) * (3, 3, 3)
    cube = Structure(Lattice.cubic(3.52), ["Ni"] * 4, FACES)
    primitive = turned(cube.get_primitive_structure(), 3)
    first, *others = (
        measure(str(options.potential), each, *ALL).properties for each in (cube, cell, primitive)
    )
    for other in others:
        for name in first:
            if name.startswith("surface"):
                assert other[name] == pytest.approx(first[name], abs=2e-3), name
        assert other["stacking_fault_energy"] == pytest.approx(
            first["stacking_fault_energy"], abs=2
        )


def test_an_alloy_s_energies_do_not_depend_on_how_its_cell_is_turned(
    options: LammpsOptions, alloy: Alloy
) -> None:
    structure = alloy({"Ni": 6, "Cr": 5, "Fe": 5}, seed=1)
    first, second = (
        measure(str(options.potential), each, *ALL).properties
        for each in (structure, turned(structure, 7))
    )
    for name in ("surface_energy_100", "surface_energy_110", "surface_energy_111"):
        assert second[name] == pytest.approx(first[name], abs=1e-3), name
    assert second["stacking_fault_energy"] == pytest.approx(first["stacking_fault_energy"], abs=1)


def test_bcc_has_surfaces_but_not_this_stacking_fault(options: LammpsOptions) -> None:
    iron = Structure(Lattice.cubic(2.86), ["Fe"] * 2, BODY)
    found = measure(str(options.potential), iron, "surface_energy").properties
    # The densest face of bcc is the lowest.
    assert found["surface_energy"] == found["surface_energy_110"]
    failed = measure(str(options.potential), iron, "stacking_fault_energy").failure
    assert failed is not None
    assert failed.kind is FailureKind.UNSUPPORTED
    assert "no fcc lattice" in failed.message


@pytest.mark.parametrize(
    ("lattice", "face", "spacing"),
    [
        # Distances between lattice planes, in edges of the cube
        ("fcc", (1, 0, 0), 1 / 2),
        ("fcc", (1, 1, 0), 1 / np.sqrt(8)),
        ("fcc", (1, 1, 1), 1 / np.sqrt(3)),
        ("bcc", (1, 0, 0), 1 / 2),
        ("bcc", (1, 1, 0), 1 / np.sqrt(2)),
        ("bcc", (1, 1, 1), 1 / np.sqrt(12)),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_a_stack_is_the_same_crystal_plane_by_plane(
    alloy: Alloy, lattice: str, face: Miller, spacing: float, seed: int
) -> None:
    structure = turned(alloy({"Ni": 18, "Cr": 18, "Fe": 18}, lattice, edge=3.0, seed=seed), seed)
    found = stack(structure, face)
    assert np.linalg.det(found.lattice) == pytest.approx(structure.volume)
    assert found.period / found.n_layers == pytest.approx(3.0 * spacing)
    counts = np.bincount(found.layers, minlength=found.n_layers)
    assert (counts == len(structure) / found.n_layers).all()
    for plane in range(found.n_layers):
        again = found.repeated(1, first=plane)
        assert again.species == structure.species
        apart = again.lattice.get_all_distances(again.frac_coords, again.frac_coords)
        np.testing.assert_allclose(apart, structure.distance_matrix, atol=1e-6)
        heights = again.cart_coords @ found.normal
        assert np.ptp(heights) == pytest.approx(found.period - 3.0 * spacing)


def test_the_fault_is_two_planes_of_hcp(alloy: Alloy) -> None:
    # Across an intrinsic fault of fcc, four-plane sequences are ABCB: nearest neighbours stay 12.
    structure = turned(alloy({"Ni": 2}, edge=3.6), 2)
    frame = parent_frame(structure)
    assert frame is not None
    found = stack(structure, (1, 1, 1))
    shifts = _fault_shifts(found, frame)
    assert len(shifts) == 3
    for shift in shifts:
        assert shift @ found.normal == pytest.approx(0, abs=1e-9)
        assert np.linalg.norm(shift) == pytest.approx(3.6 / np.sqrt(6))
        faulted = found.repeated(9, shift=shift)
        near = faulted.get_all_neighbors(1.05 * 3.6 / np.sqrt(2))
        assert {len(neighbours) for neighbours in near} == {12}
