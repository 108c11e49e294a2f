import numpy as np
import pytest
from ase.build import bulk
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor

from alloop.oracles.base import FailureKind
from alloop.oracles.dft.moments import initial_moments
from alloop.oracles.failure import MeasurementFailed


def bcc(*symbols: str) -> Structure:
    return Structure(Lattice.cubic(2.87), symbols, [[0.0] * 3, [0.5] * 3])


def test_chromium_alternates_in_its_bcc_crystal():
    chromium = bcc("Cr", "Cr")
    chromium.make_supercell([2, 2, 2])
    moments = np.array(initial_moments(chromium, {}))
    assert moments.sum() == pytest.approx(0)
    neighbours = [chromium.get_neighbors(site, 2.6) for site in chromium]
    for moment, near in zip(moments, neighbours, strict=True):
        assert len(near) == 8
        assert all(moments[other.index] == -moment for other in near)


def test_chromium_stands_against_iron_where_bcc():
    iron, chromium = initial_moments(bcc("Fe", "Cr"), {})
    assert iron > 0 > chromium


def test_moments_are_parallel_in_fcc():
    lattice = Lattice.tetragonal(2.55, 3.6)
    crystal = Structure(lattice, ["Fe", "Cr"], [[0.0] * 3, [0.5] * 3])
    assert min(initial_moments(crystal, {})) > 0


def test_a_distorted_cell_is_recognised_all_the_same():
    crystal = bcc("Fe", "Cr")
    crystal.make_supercell([3, 3, 3])
    crystal.perturb(0.05)
    assert min(initial_moments(crystal, {})) < 0


def test_given_moments_win():
    assert initial_moments(bcc("Fe", "Fe"), {"Fe": 0.1}) == [0.1, 0.1]


def test_an_f_shell_is_not_guessed():
    cerium = AseAtomsAdaptor.get_structure(bulk("Ce", "fcc", a=5.16))
    with pytest.raises(MeasurementFailed, match=r"magmoms: \{Ce") as caught:
        initial_moments(cerium, {})
    assert caught.value.failure.kind is FailureKind.UNSUPPORTED
    assert initial_moments(cerium, {"Ce": 1.0}) == [1.0]
