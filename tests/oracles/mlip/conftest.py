import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymatgen.core import Lattice, Structure

from alloop.kinds import CALCULATORS, installed_kinds
from alloop.oracles.mlip.options import MlipOptions
from alloop.oracles.mlip.oracle import MlipOracle

Install = Callable[[str, str], None]

FACES = [[0.0] * 3, [0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]]


@pytest.fixture(scope="session")
def feni() -> Structure:
    """L1₀ FeNi, in its cell of two atoms."""
    return Structure(Lattice.tetragonal(2.51, 3.57), ["Fe", "Ni"], [[0.0] * 3, [0.5] * 3])


@pytest.fixture(scope="session")
def feni3() -> Structure:
    """L1₂ FeNi₃, somewhat stretched."""
    return Structure(Lattice.cubic(3.58), ["Fe", "Ni", "Ni", "Ni"], FACES)


@pytest.fixture(scope="session")
def nickel() -> Structure:
    """fcc nickel in its primitive cell."""
    half = 1.76
    lattice = Lattice([[0.0, half, half], [half, 0.0, half], [half, half, 0.0]])
    return Structure(lattice, ["Ni"], [[0.0] * 3])


@pytest.fixture(scope="session")
def sevennet() -> MlipOracle:
    """The oracle of SevenNet-0; loaded once, since that takes seconds."""
    return MlipOracle(MlipOptions(model="sevennet-0"), elements=["Fe", "Ni"])


@pytest.fixture(scope="session")
def their_sevennet() -> Any:
    """SevenNet-0 as sevenn itself loads it, unpickling its own wheel's file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sevenn.calculator import SevenNetCalculator  # noqa: PLC0415

        return SevenNetCalculator("7net-0", device="cpu")


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a package with one entry point of ``alloop.calculators``: its name, its source."""
    folder = tmp_path / "site"
    monkeypatch.syspath_prepend(folder)

    def put(name: str, source: str) -> None:
        info, module = folder / "somebody-1.5.dist-info", f"somebody_s_{name}"
        info.mkdir(parents=True)
        (folder / f"{module}.py").write_text(source)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: somebody\nVersion: 1.5\n")
        (info / "entry_points.txt").write_text(f"[{CALCULATORS}]\n{name} = {module}:POTENTIAL\n")
        installed_kinds.cache_clear()

    yield put
    installed_kinds.cache_clear()
