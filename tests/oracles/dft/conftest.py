import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure

from alloop.oracles.dft.options import DftOptions, VaspOptions
from alloop.oracles.dft.oracle import DftOracle
from alloop.settings.profiles import Profile, VaspSettings

STAND_IN = Path(__file__).parent / "stand_in" / "vasp_std"


@pytest.fixture
def feni3() -> Structure:
    """L1₂ FeNi3, somewhat compressed, its sites not in VASP's order."""
    sites = [[0.0, 0.5, 0.5], [0.0, 0.0, 0.0], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]]
    return Structure(Lattice.cubic(3.52), ["Ni", "Fe", "Ni", "Ni"], sites)


@pytest.fixture
def feni() -> Structure:
    """L1₀ FeNi, in its cell of two atoms."""
    return Structure(Lattice.tetragonal(2.51, 3.57), ["Fe", "Ni"], [[0.0] * 3, [0.5] * 3])


@pytest.fixture
def solution() -> Structure:
    """A random fcc solid solution of 16 atoms, slightly stretched."""
    cell = Structure(Lattice.tetragonal(2.56, 3.62), ["Ni", "Ni"], [[0.0] * 3, [0.5] * 3])
    cell.make_supercell([2, 2, 2])
    symbols = ["Ni"] * 6 + ["Fe"] * 6 + ["Cr"] * 4
    random.Random(3).shuffle(symbols)
    return Structure(cell.lattice, symbols, cell.frac_coords)


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file to which the VASP stand-in adds a line per run."""
    path = tmp_path / "runs"
    monkeypatch.setenv("VASP_STAND_IN_RUNS", str(path))
    return path


@pytest.fixture
def vasp(tmp_path: Path, runs: Path) -> Callable[..., DftOracle]:
    """Make an oracle that runs the VASP stand-in under the real custodian."""
    del runs

    def make(**settings: object) -> DftOracle:
        given = settings.pop("vasp", {})
        assert isinstance(given, dict)
        given = dict(given)
        own = {"command": (sys.executable, str(STAND_IN)), "potcar_spec": True, "poll": 0.05}
        how = {key: given.pop(key) for key in VaspSettings.model_fields if key in given}
        options = DftOptions(
            engine="vasp",
            vasp=VaspOptions(**given),
            **({"folder": tmp_path / "dft", "timeout": 900.0} | settings),
        )
        profile = Profile(vasp=VaspSettings(**(own | how)))
        return DftOracle(options, elements=("Ni", "Fe", "Cr"), profile=profile)

    return make
