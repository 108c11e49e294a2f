"""Weights: read as tensors, never downloaded, and only those that were meant."""

import os
import pickle
import shutil
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from ase.calculators.emt import EMT
from ase.eos import calculate_eos
from ase.units import GPa
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor

from alloop.errors import MissingSoftware, PluginError, PotentialError, SpecError
from alloop.oracles.mlip.options import MlipOptions
from alloop.oracles.mlip.oracle import MlipOracle
from alloop.oracles.mlip.potentials.chgnet import CHGNET
from alloop.oracles.mlip.potentials.sevennet import SEVENNET_0, sevennet_calculator

EMT_OF_SOMEBODY = """
from alloop.oracles import LearnedPotential

def make(weights):
    from ase.calculators.emt import EMT
    return EMT()

POTENTIAL = LearnedPotential(
    description="Jacobsen's effective medium theory", make=make, family="EMT",
    distributions=("ase",), elements=("Cu", "Au"),
)
"""


class Touch:
    """Pickles into a call."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (self.path,)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection to anywhere: an attempt fails the test."""

    def refuse(*_: object) -> None:
        pytest.fail("it tried to connect")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of SevenNet whose folder of weights can be changed."""
    folder = tmp_path / "packages" / "sevenn"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path / "packages")
    monkeypatch.delitem(sys.modules, "sevenn", raising=False)
    return folder / "pretrained_potentials" / "SevenNet_0__11Jul2024" / "checkpoint_sevennet_0.pth"


def test_they_are_read_as_tensors_and_those_of_the_wheel_are_in_the_fingerprint(monkeypatch):
    asked, load = [], torch.load

    def spy(*args, **settings):
        asked.append(settings.get("weights_only"))
        return load(*args, **settings)

    monkeypatch.setattr(torch, "load", spy)
    sevennet_calculator.cache_clear()
    file, digest = SEVENNET_0.weights_file()
    sevennet_calculator(file)
    assert asked == [True]
    # The digest that pip verified at installation, from the wheel's RECORD.
    assert digest == SEVENNET_0.weights.sha256


def test_missing_ones_are_named_with_the_place_and_the_remedy(elsewhere):
    with pytest.raises(MissingSoftware, match="not where its wheel puts them") as caught:
        MlipOptions(model="sevennet-0").check_ready(["Ni"])
    assert str(elsewhere) in str(caught.value)
    assert "Install sevenn again" in str(caught.value)


def test_those_of_another_model_are_refused(elsewhere):
    file, _ = CHGNET.weights_file()
    elsewhere.parent.mkdir(parents=True)
    shutil.copy(file, elsewhere)
    with pytest.raises(PotentialError, match=r"of another model: SHA-256 d14ab7c0"):
        MlipOptions(model="sevennet-0").check_ready(["Ni"])


@pytest.mark.parametrize(
    ("model", "other", "family"),
    [("sevennet-0", CHGNET, "SevenNet"), ("chgnet", SEVENNET_0, "CHGNet")],
)
def test_a_file_of_another_architecture_is_refused(model, other, family):
    file, _ = other.weights_file()
    oracle = MlipOracle(MlipOptions(model=model, weights=file))
    with pytest.raises(PotentialError, match=f"no checkpoint of {family} .* leave weights out"):
        oracle.self_test()


@pytest.mark.usefixtures("offline")
def test_what_would_have_to_be_downloaded_is_named_with_the_place_and_the_remedy():
    with pytest.raises(MissingSoftware, match="none are downloaded") as caught:
        MlipOptions(model="sevennet-omat").check_ready(["Ni"])
    assert "checkpoint_sevennet_omat.pth" in str(caught.value)
    assert "take another model" in str(caught.value)


def test_own_ones_count_in_the_fingerprint(tmp_path):
    file, _ = SEVENNET_0.weights_file()
    own = tmp_path / "tuned.pth"
    shutil.copy(file, own)
    tuned = MlipOracle(MlipOptions(model="sevennet-0", weights=own))
    own.write_bytes(own.read_bytes() + b"\0")
    assert MlipOracle(MlipOptions(weights=own)).fingerprint() != tuned.fingerprint()
    with pytest.raises(MissingSoftware, match="none is downloaded"):
        MlipOptions(weights=tmp_path / "nowhere.pth").check_ready(["Ni"])


def test_a_file_that_would_execute_something_is_refused_and_does_not(tmp_path):
    hostile, trace = tmp_path / "hostile.pth", tmp_path / "trace"
    torch.save({"config": Touch(trace), "model_state_dict": {}}, hostile)
    plain = tmp_path / "plain.pth"
    plain.write_bytes(pickle.dumps({"model": Touch(trace)}))
    for model, file in (("sevennet-0", hostile), ("chgnet", plain)):
        oracle = MlipOracle(MlipOptions(model=model, weights=file))
        with pytest.raises(PotentialError, match="no tensors and plain values"):
            oracle.self_test()
    assert not trace.exists()


def test_any_ase_calculator_comes_in_by_the_same_door(install):
    install("emt", EMT_OF_SOMEBODY)
    oracle = MlipOracle(MlipOptions(model="emt"), elements=["Cu"])
    copper = Structure(Lattice.cubic(3.7), ["Cu"] * 4, [[0.0] * 3, *_faces()])
    found = oracle.measure(copper).properties
    atoms = AseAtomsAdaptor.get_atoms(oracle.measure(copper).material)
    atoms.calc = EMT()
    volume, _, modulus = calculate_eos(atoms, npoints=9, eps=0.02).fit()
    assert found["volume_per_atom"] == pytest.approx(volume / 4, rel=0.002)
    assert found["bulk_modulus"] == pytest.approx(modulus / GPa, rel=0.02)
    assert found["formation_energy_per_atom"] == pytest.approx(0, abs=1e-4)
    with pytest.raises(SpecError, match="EMT does not know Fe"):
        MlipOptions(model="emt").check_ready(["Fe"])
    with pytest.raises(PotentialError, match="takes no weights from a campaign"):
        MlipOptions(model="emt", weights=Path(__file__)).check_ready(["Cu"])


def test_a_potential_that_is_not_installed_or_none_is_named(install):
    with pytest.raises(SpecError, match=r"no learned potential 'mace'; installed are chgnet"):
        MlipOptions(model="mace").check_ready(["Ni"])
    install("broken", "POTENTIAL = 7\n")
    with pytest.raises(PluginError, match=r"somebody 1\.5 .*no alloop\.oracles\.LearnedPotential"):
        MlipOptions(model="broken").check_ready(["Ni"])
    absent = replace(SEVENNET_0, distributions=("no-such-package",))
    with pytest.raises(MissingSoftware, match="pip install no-such-package"):
        absent.check(["Ni"])


def _faces() -> list[list[float]]:
    return [[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]]
