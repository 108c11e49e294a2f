"""Bands of pw.x: read, counted, and calculated for silicon."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from alloop.oracles.base import Status
from alloop.oracles.dft.engines.espresso import EspressoEngine
from alloop.oracles.dft.engines.espresso_output import PwBands, read_bands
from alloop.oracles.dft.options import DftOptions, EspressoOptions
from alloop.oracles.dft.oracle import DftOracle
from alloop.settings.profiles import EspressoSettings, Profile

needs_pw = pytest.mark.skipif(
    shutil.which("pw.x") is None, reason="Quantum ESPRESSO is not installed; `make espresso`"
)
SILICON = Structure.from_spacegroup(
    "Fd-3m", Lattice.cubic(5.43), ["Si"], [[0, 0, 0]]
).get_primitive_structure()


def bands(energies: list[list[list[float]]], n: float, moment: float | None = None) -> PwBands:
    """Bands of given energies, shape (spins, k, bands)."""
    found = np.array(energies)
    k_points = np.zeros((found.shape[1], 3))
    return PwBands(SILICON, k_points, found, 0.0, n, moment)


def test_a_gap_is_counted_and_not_read_off_a_smeared_fermi_energy():
    two = bands([[[0.0, 3.0], [1.0, 2.5]]], 2)
    assert (two.edges, two.gap) == ((1.0, 2.5), 1.5)
    assert replace(two, fermi=2.7).gap == 1.5
    assert two.band_structure().get_band_gap()["energy"] == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("energies", "n", "moment"),
    [
        ([[[0.0, 3.0], [1.0, 2.5]]], 3, None),  # half a band is filled
        ([[[0.0, 0.9], [1.0, 2.5]]], 2, None),  # bands overlap
        ([[[0.0, 3.0], [1.0, 2.5]]], 4, None),  # no empty band was calculated
        ([[[0.0, 3.0]], [[0.0, 3.0]]], 2, 0.6),  # a magnetic metal
    ],
)
def test_a_metal_has_no_gap(energies, n, moment):
    found = bands(energies, n, moment)
    assert (found.edges, found.gap) == (None, 0.0)


def test_both_spins_count_for_a_magnet_s_gap():
    found = bands([[[0.0, 1.0, 3.0]], [[0.5, 2.0, 4.0]]], 3, 1.0)  # two up, one down
    assert found.edges == (1.0, 2.0)
    assert found.band_structure().get_band_gap()["energy"] == pytest.approx(1.0)


def test_an_output_without_bands_has_none(tmp_path):
    path = tmp_path / "espresso.pwo"
    path.write_text("     number of electrons       =         8.00\n")
    assert read_bands(path) is None


@needs_pw
def test_bands_of_a_magnet_on_a_dense_mesh_know_its_moment(tmp_path, monkeypatch):
    options = DftOptions(
        engine="espresso",
        protocol="static",
        espresso=EspressoOptions(cutoff=30, density_cutoff=240, kspacing=0.6),
        folder=tmp_path,
    )
    engine = EspressoEngine(options, Profile(espresso=EspressoSettings(command=("pw.x",))))
    nickel = Structure(Lattice(1.76 * (1 - np.eye(3))), ["Ni"], [[0, 0, 0]])
    nickel.add_site_property("magmom", [1.0])
    monkeypatch.chdir(tmp_path)
    next(iter(engine.bands(nickel, density=200.0, seconds=60.0).jobs)).maker.run_ase(nickel)
    found = read_bands(tmp_path / "espresso.pwo")
    assert found is not None
    assert found.moment == pytest.approx(0.6, abs=0.2)
    assert (len(found.energies), found.gap) == (2, 0.0)


def silicon_oracle(folder: Path) -> DftOracle:
    espresso = EspressoOptions(
        pseudopotentials={"Si": "Si.pz-vbc.UPF"}, cutoff=20, density_cutoff=80, kspacing=0.5
    )
    return DftOracle(
        DftOptions(
            engine="espresso", protocol="static", spin=False, espresso=espresso, folder=folder
        ),
        elements=["Si"],
        profile=Profile(espresso=EspressoSettings(command=("pw.x",))),
    )


@needs_pw
def test_silicon_has_its_gap(tmp_path):
    oracle = silicon_oracle(tmp_path)
    assert oracle.options.measures()["band_gap"] == "eV"
    measured = oracle.measure(SILICON)
    assert measured.status is Status.OK, measured.failure
    # 0.5 eV in the local density approximation; this mesh has X, and not the minimum beside it.
    assert measured.properties["band_gap"] == pytest.approx(0.55, abs=0.12)


@needs_pw
def test_dense_bands_are_left_where_transport_reads_them(tmp_path, monkeypatch):
    oracle = silicon_oracle(tmp_path)
    engine = EspressoEngine(oracle.options, Profile(espresso=EspressoSettings(command=("pw.x",))))
    flow = engine.bands(SILICON, density=200.0, seconds=60.0)
    job = next(iter(flow.jobs))
    monkeypatch.chdir(tmp_path)
    job.maker.run_ase(SILICON)
    found = read_bands(tmp_path / "espresso.pwo")
    assert found is not None
    assert len(found.k_points) > 20
    assert found.n_electrons == 8
    assert found.gap == pytest.approx(0.5, abs=0.1)
    assert found.band_structure().structure.matches(SILICON)
    assert not list(tmp_path.glob("pwscf.*"))
