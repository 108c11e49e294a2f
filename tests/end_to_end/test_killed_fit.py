"""A campaign that is killed while P-CDVAE trains goes on with that training."""

import shutil
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from signal import SIGKILL

import numpy as np
import pytest
from pymatgen.core import Structure

from alloop.errors import RunError
from alloop.loop.choose.screening import Seen
from alloop.loop.choose.training_set import training_set
from alloop.loop.fitting import SealedFit
from alloop.loop.record.ledger import Ledger
from alloop.loop.run_folder import RunFolder
from alloop.models import checkpoint
from alloop.models.pcdvae.description import TrainingDescription
from alloop.models.pcdvae.model import PcdvaeModel
from tests.end_to_end.drive_pcdvae import drive_pcdvae


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run of a campaign that was killed after the second of four epochs."""
    run = tmp_path_factory.mktemp("runs") / "killed"
    process = get_context("spawn").Process(target=drive_pcdvae, args=(run, 2))
    process.start()
    process.join(120)
    assert process.exitcode == -SIGKILL
    assert not RunFolder.read(run).state.models
    return run


@pytest.fixture
def copied(killed: Path, tmp_path: Path) -> Path:
    """Return a copy of that run."""
    return Path(shutil.copytree(killed, tmp_path / "copied"))


def kept(run: Path) -> SealedFit:
    with Ledger.open(run, writable=False) as ledger:
        return SealedFit.of_round(run, ledger.origin(), 1)


def test_a_killed_fit_goes_on_to_the_same_model_as_one_that_begins_anew(
    killed: Path, copied: Path, tmp_path: Path
) -> None:
    """What is kept of other data is not used, and the fit says so: it is the one to compare."""
    place, file = kept(copied), tmp_path / "file"
    file.write_bytes(place.read() or b"")
    description, tensors = checkpoint.read(file, TrainingDescription)
    checkpoint.write(file, description.model_copy(update={"data": "other"}), tensors)
    place.write(file.read_bytes())

    anew = drive_pcdvae(copied).said
    assert "begins anew" in anew[0]
    assert "another training: data differ" in anew[0]
    assert epochs_of(anew) == [1, 2, 3, 4]
    resumed = drive_pcdvae(Path(shutil.copytree(killed, tmp_path / "resumed"))).said
    assert resumed[0] == "goes on after epoch 2 of 4"
    assert epochs_of(resumed) == [3, 4]

    one, other = (RunFolder.read(run).state for run in (tmp_path / "resumed", copied))
    assert one.models[1].checkpoint == other.models[1].checkpoint
    assert (one.models[1].epochs, other.models[1].epochs) == (2, 4)
    assert [p.decisions for p in one.proposals] == [p.decisions for p in other.proposals]
    assert not kept(copied).path.exists()


def epochs_of(said: list[str]) -> list[int]:
    """Return the epochs that a fit has told of."""
    return [int(words.split()[1]) for words in said if words.startswith("epoch ")]


def test_what_another_hand_kept_is_not_believed(copied: Path) -> None:
    place = kept(copied)
    replace(place, about=b"another run").write(place.read() or b"")
    assert place.read() is None
    place.path.write_bytes(b"short")
    assert place.read() is None
    place.remove()
    place.path.symlink_to("/dev/zero")
    with pytest.raises(RunError, match="it is a link"):
        place.read()


def test_campaigns_train_on_crystals_at_rest(killed: Path) -> None:
    folder = RunFolder.read(killed)
    model = folder.state.spec.model.build(folder.state.spec.space, ("bulk_modulus",))
    assert isinstance(model, PcdvaeModel)
    data = training_set(folder.state, folder.store, Seen(), model)
    rows = model._read_rows(data)
    assert len(rows) == 6
    for material, crystal, proposed in zip(
        data.materials, rows.crystals, rows.proposed, strict=True
    ):
        assert isinstance(material, Structure)
        cell = 1.02 * material.lattice.matrix
        assert np.linalg.det(crystal.cell) == pytest.approx(np.linalg.det(cell))
        moves = crystal.positions - material.frac_coords @ cell
        assert np.linalg.norm(moves, axis=1) == pytest.approx(0.05, abs=1e-6)
        assert proposed is not None
        assert float(proposed[0].distance.min()) == pytest.approx(nearest(material), abs=1e-5)


def nearest(structure: Structure) -> float:
    """Return the least distance of two atoms, Å."""
    distances = structure.distance_matrix
    return float(distances[distances > 0].min())
