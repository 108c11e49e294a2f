"""Power factors: what is said without BoltzTraP2, and what is made of its numbers."""

import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from alloop.errors import DataError, MissingSoftware
from alloop.oracles.dft.transport import DOPING, power_factor

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
