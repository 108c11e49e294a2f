"""Power factors: what is said without BoltzTraP2, and what is made of its numbers."""

import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from pydantic import ValidationError
from pymatgen.core import Lattice, Structure
from pymatgen.electronic_structure.bandstructure import BandStructure
from pymatgen.electronic_structure.core import Spin
from pymatgen.io.vasp import Incar, Kpoints
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer
from scipy.constants import Boltzmann, e, hbar
from scipy.optimize import brentq
from scipy.special import expit

from alloop.errors import DataError, MissingSoftware
from alloop.oracles.base import Status
from alloop.oracles.dft.options import DftOptions
from alloop.oracles.dft.oracle import DftOracle
from alloop.oracles.dft.transport import DOPING, best_power_factor, power_factor
from alloop.settings.profiles import Profile, VaspSettings

BOLTZTRAP = "pymatgen.electronic_structure.boltztrap2"


@pytest.mark.skipif(find_spec("BoltzTraP2") is not None, reason="BoltzTraP2 is installed")
def test_without_boltztrap_the_remedy_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingSoftware, match="pip install BoltzTraP2"):
        power_factor(tmp_path / "vasprun.xml")


def stand_in(monkeypatch: pytest.MonkeyPatch, tensors: dict[str, np.ndarray]) -> None:
    """Put numbers where BoltzTraP2's would be, under pymatgen's names."""
    module = ModuleType(BOLTZTRAP)

    def read(path: str) -> str:
        if not Path(path).exists():
            raise FileNotFoundError(path)
        return path

    def transport(bands: object, **settings: object) -> SimpleNamespace:
        assert settings["CRTA"] == 1e-14
        assert list(settings["temp_r"]) == [300.0]
        return SimpleNamespace(Power_Factor_doping=tensors)

    vars(module).update(
        VasprunBSLoader=SimpleNamespace(from_file=read),
        BztInterpolator=lambda bands: bands,
        BztTransportProperties=transport,
    )
    monkeypatch.setitem(sys.modules, BOLTZTRAP, module)


def test_the_best_doping_counts_in_microwatts_per_centimetre(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tensors = {sign: np.zeros((1, len(DOPING), 3, 3)) for sign in ("n", "p")}
    tensors["n"][0, 2] = np.diag([0.1, 0.1, 0.1])
    tensors["p"][0, 4] = np.diag([1.0, 2.0, 3.0])  # mW/(m K²); 1 W/m is 10⁴ µW/cm
    stand_in(monkeypatch, tensors)
    file = tmp_path / "vasprun.xml"
    with pytest.raises(DataError, match="no power factor"):
        power_factor(file)
    file.touch()
    best = power_factor(file)
    assert (best.value, best.carriers, best.doping) == (pytest.approx(20.0), "p", 1e20)
    tensors["n"][0, 0, 0, 0] = np.nan
    with pytest.raises(DataError, match="not a finite number"):
        power_factor(file)


def peak(at: float) -> dict[str, np.ndarray]:
    """Power factors of p-type carriers at one of the concentrations, mW/(m K²)."""
    tensors = {sign: np.zeros((1, len(DOPING), 3, 3)) for sign in ("n", "p")}
    tensors["p"][0, DOPING.index(at)] = np.eye(3)
    return tensors


@pytest.mark.filterwarnings("ignore:No POTCAR file with matching TITEL fields")
@pytest.mark.filterwarnings("ignore:ISMEAR = 0 with a small SIGMA")
def test_a_tier_measures_it_on_a_dense_mesh_after_all_else(
    vasp: Callable[..., DftOracle], feni: Structure, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VASP_STAND_IN_GAP", "1.0")
    stand_in(monkeypatch, peak(1e19))
    oracle = vasp(protocol="static", transport={"kpoint_density": 2000})
    measured = oracle.measure(feni)
    assert measured.status is Status.OK, measured.failure
    assert measured.properties["power_factor"] == pytest.approx(10.0)
    assert measured.properties["band_gap"] == pytest.approx(1.0)
    assert measured.remarks["power_factor"].startswith("p-type, 1e+19 carriers per cm³, 300 K")
    assert oracle.options.measures()["power_factor"] == "µW/(cm K²)"
    last = max(tmp_path.rglob("INCAR.gz"), key=lambda path: path.stat().st_mtime)
    incar = Incar.from_file(last)
    assert (incar["ICHARG"], incar["NSW"], incar["GGA"].upper()) == (11, 0, "PE")
    meshes = [Kpoints.from_file(path).kpts[0] for path in tmp_path.rglob("KPOINTS.gz")]
    assert np.prod(Kpoints.from_file(last.with_name("KPOINTS.gz")).kpts[0]) == max(
        map(np.prod, meshes)
    )
    assert vasp(transport={}).fingerprint() != vasp().fingerprint()


def test_no_potential_has_bands_and_a_missing_boltztrap_is_said_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(
        ValidationError, match="engine chgnet does not give; take engine: espresso or"
    ):
        DftOptions(engine="chgnet", transport={})
    profile = Profile(vasp=VaspSettings(command=(sys.executable,), potcar_spec=True))
    monkeypatch.setattr("alloop.oracles.dft.factory.find_profile", lambda name, where: profile)
    monkeypatch.setattr("alloop.oracles.dft.transport.find_spec", lambda name: None)
    DftOptions(engine="vasp").check_ready(("Ni",))
    with pytest.raises(MissingSoftware, match=r"transport.*pip install BoltzTraP2"):
        DftOptions(engine="vasp", transport={}).check_ready(("Ni",))


@pytest.mark.skipif(find_spec("BoltzTraP2") is None, reason="BoltzTraP2 is not installed")
def test_boltztrap_and_a_sum_over_a_cosine_band_agree() -> None:
    """Two bands of a simple cubic lattice, ± (gap / 2 + t (3 − Σ cos k a)): Boltzmann's equation
    summed over k-points."""
    from pymatgen.electronic_structure.boltztrap2 import VasprunBSLoader  # noqa: PLC0415

    edge, hopping, gap, temperature, tau, n = 5.0, 0.3, 0.8, 300.0, 1e-14, 16
    cell = Structure(Lattice.cubic(edge), ["Po"], [[0, 0, 0]])
    mesh = SpacegroupAnalyzer(cell).get_ir_reciprocal_mesh((n, n, n))
    points = [list(point) for point, _ in mesh]

    def upper(k: np.ndarray) -> np.ndarray:
        return gap / 2 + hopping * (3 - np.cos(2 * np.pi * k).sum(axis=-1))

    energies = upper(np.array(points))
    bands = BandStructure(
        points,
        {Spin.up: np.array([-energies, energies])},
        cell.lattice.reciprocal_lattice,
        0.0,
        structure=cell,
    )
    found = best_power_factor(
        VasprunBSLoader(bands, nelect=2), temperature=temperature, relaxation_time=tau
    )
    # Both bands are alike, so carriers of either sign give the same.
    axis = (np.arange(80) + 0.5) / 80
    k = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    energy = upper(k)
    velocity = hopping * edge * 1e-10 * np.sin(2 * np.pi * k[:, 0]) * e / hbar  # m/s
    best = 0.0
    for doping in DOPING:
        volume = (edge * 1e-10) ** 3

        def excess(level: float, doping: float = doping, volume: float = volume) -> float:
            x = (energy - level) * e / (Boltzmann * temperature)
            holes = 2 * expit(-(energy + level) * e / (Boltzmann * temperature)).mean()
            return float(2 * expit(-x).mean() - holes - doping * 1e6 * volume)

        level = brentq(excess, -3.0, 5.0)
        sums = np.zeros(2)
        for sign in (1, -1):
            relative = (sign * energy - level) * e
            x = relative / (Boltzmann * temperature)
            weight = expit(x) * expit(-x) / (Boltzmann * temperature)
            sums += [(velocity**2 * weight * relative**p).mean() for p in (0, 1)]
        conductivity = 2 * e**2 * tau / volume * sums[0]  # S/m
        seebeck = sums[1] / sums[0] / (e * temperature)  # V/K
        best = max(best, seebeck**2 * conductivity * 1e4)  # µW/(cm K²)
    assert found.value == pytest.approx(best, rel=0.03)
