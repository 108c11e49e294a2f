import math
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from pymatgen.core import Composition, Lattice, Structure
from safetensors.torch import save_file

from alloop.errors import MaterialError, ModelError
from alloop.models.base import Dataset
from alloop.models.pcdvae.cells import codes_from_cells
from alloop.models.pcdvae.finite_checks import TrainingDiverged
from alloop.models.pcdvae.model import PcdvaeModel
from alloop.models.pcdvae.networks.crystal import reduced_cell
from alloop.models.pcdvae.options import PcdvaeOptions
from alloop.models.pcdvae.training import Trainer, compiled_networks
from alloop.testing.models import check_model

ELEMENTS = ("Cr", "Fe", "Ni")
TINY = PcdvaeOptions(
    latent=8,
    encoder_width=16,
    encoder_blocks=1,
    decoder_width=16,
    decoder_blocks=1,
    head_width=16,
    neighbours=12,
    epochs=3,
    refit_epochs=2,
    batch_size=3,
    ancestral_steps=4,
    langevin_steps=1,
)


def make(options: PcdvaeOptions = TINY, **changes: object) -> PcdvaeModel:
    return PcdvaeModel(
        options.model_copy(update=changes), ELEMENTS, (16,), ("fcc", "bcc"), {}, ("bulk_modulus",)
    )


@pytest.fixture
def data(decorated: Callable[..., Structure]) -> Dataset:
    materials = tuple(decorated(["fcc", "bcc"][i % 2], seed=i) for i in range(5))
    labels = np.linspace(150, 200, 5)[:, None]
    return Dataset(materials, ("bulk_modulus",), labels, np.array([False] * 3 + [True] * 2))


FROM_PARENT = {
    "prior": "parent",
    "largest_noise": 0.25,
    "sampler": "ancestral",
    "ordering_rounds": 2,
}


@pytest.mark.parametrize(
    "changes", [{}, {"phase": False, "sampler": "langevin"}, FROM_PARENT, {"ordering_rounds": 1}]
)
def test_it_keeps_the_promises_of_every_model(
    changes: dict[str, object], data: Dataset, tmp_path: Path
) -> None:
    foreign = [
        Composition("NiFe"),
        Structure(Lattice.cubic(3), ["Al", "Ni"], [[0] * 3, [0.5] * 3]),
        Structure(Lattice.cubic(3), ["Ni"], [[0] * 3]),
    ]
    check_model(lambda: make(**changes), data, foreign=foreign, folder=tmp_path)


def test_an_interrupted_training_goes_on_to_the_same_weights(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alloop.models.pcdvae.resuming.MIN_SECONDS_BETWEEN", 0.0)
    whole = make()
    whole.fit(data, seed=3)
    whole.save(tmp_path / "whole")

    def interrupt(share: float, _: str) -> None:
        if share > 0.5:
            raise KeyboardInterrupt

    file = tmp_path / "training"
    with pytest.raises(KeyboardInterrupt):
        make().fit(data, seed=3, on_progress=interrupt, resume_from=file)
    resumed = make()
    summary = resumed.fit(data, seed=3, resume_from=file)
    resumed.save(tmp_path / "resumed")
    assert summary.epochs == 1
    assert (tmp_path / "resumed").read_bytes() == (tmp_path / "whole").read_bytes()
    assert not file.exists()


def test_a_training_is_not_resumed_as_another(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alloop.models.pcdvae.resuming.MIN_SECONDS_BETWEEN", 0.0)

    def interrupt(_share: float, _: str) -> None:
        raise KeyboardInterrupt

    file = tmp_path / "training"
    with pytest.raises(KeyboardInterrupt):
        make().fit(data, seed=3, on_progress=interrupt, resume_from=file)
    with pytest.raises(ModelError, match="another training: data, seed differ"):
        make().fit(data, seed=4, resume_from=file)
    with pytest.raises(ModelError, match="kind"):
        PcdvaeModel.load(file)


def test_the_first_bad_number_is_located_and_stops_training(data: Dataset) -> None:
    model = make()
    model.fit(data, seed=0)
    before = model.encode(data.materials)
    with torch.no_grad():
        model.network.decoder.blocks[0].triplets.down.weight[0, 0] = math.nan
    with pytest.raises(TrainingDiverged, match=r"decoder\.blocks\.0\.triplets\.down") as caught:
        model.fit(data, seed=1)
    assert caught.value.where == "epoch 1, step 1"
    assert "positions" in caught.value.what
    assert torch.equal(model.encode(data.materials), before), "the encoder is as it was"


def test_a_bad_gradient_is_located(data: Dataset) -> None:
    model = make()
    model.fit(data, seed=0)
    weight = model.network.heads.parts["cell"][0].weight
    handle = weight.register_hook(lambda gradient: gradient * math.inf)
    copy = make()
    copy._network = model.network
    trainer = Trainer(model.network, TINY, copy._read_rows(data), 1, 0)
    with pytest.raises(TrainingDiverged, match=r"heads\.parts\.cell\.0\.weight"):
        trainer.run(lambda _epoch, _means: None)
    handle.remove()


def test_rows_of_local_search_wait_for_the_second_stage(data: Dataset) -> None:
    model = make(augmented_from=0.5)
    rows = model._read_rows(data)
    trainer = Trainer(model._network_to_train(rows, 0), model.options, rows, 4, 0)
    assert [len(trainer._order(epoch)) for epoch in range(4)] == [3, 3, 5, 5]
    assert trainer.total_steps == 1 + 1 + 2 + 2


def test_half_precision_trains_to_about_the_same_losses(data: Dataset) -> None:
    full = make().fit(data, seed=0).metrics
    half = make(precision="bfloat16").fit(data, seed=0).metrics
    for name in ("positions", "elements", "cell"):
        assert half[name] == pytest.approx(full[name], rel=0.05)


# The tracer looks for gradients where there are none, and torch warns of that.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
@pytest.mark.nightly
def test_compiled_networks_compute_the_same(data: Dataset) -> None:
    """As far as they are traced; the compiler's last stage takes minutes."""
    model = make(batch_size=5)
    rows = model._read_rows(data)
    trainers = [
        Trainer(model._network_to_train(rows, 0), model.options, rows, 3, 0) for _ in range(2)
    ]
    every = np.arange(5)
    with compiled_networks(trainers[1].network, backend="eager"):
        steps = [[trainer._one_step(every) for _ in range(2)] for trainer in trainers]
        assert trainers[1].network.encoder._compiled_call_impl is not None
    for plain, compiled in zip(*steps, strict=True):
        assert compiled == pytest.approx(plain, rel=1e-4)
    assert trainers[1].network.encoder._compiled_call_impl is None


def test_predictions_stay_in_their_units_when_the_labels_move(data: Dataset) -> None:
    model = make()
    model.fit(data, seed=0)
    z = model.encode(data.materials)
    before = model.predict(z)
    model.network.standardise_labels(torch.tensor([[3.0], [9.0]]))
    after = model.predict(z)
    assert torch.allclose(after.mean, before.mean, rtol=1e-4)
    assert torch.allclose(after.std, before.std, rtol=1e-2)


def test_decoded_cells_keep_to_the_count_bounds(data: Dataset) -> None:
    bounds = {"Ni": (1, 2), "Fe": (10, 14)}
    model = PcdvaeModel(TINY, ELEMENTS, (16,), ("fcc", "bcc"), bounds, ("bulk_modulus",))
    model.fit(data, seed=0)
    for structure in model.decode(model.draw(4, seed=0), seed=0):
        counts = structure.composition.get_el_amt_dict()
        assert 1 <= counts["Ni"] <= 2
        assert 10 <= counts["Fe"] <= 14
        assert len(structure) == 16


def test_cells_lie_within_those_of_the_data(data: Dataset) -> None:
    model = make()
    model.fit(data, seed=0)
    sixteen = np.array([16])
    seen = np.concatenate(
        [codes_from_cells(reduced_cell(m.lattice.matrix)[None], sixteen) for m in data.materials]
    )
    for structure in model.decode(100 * model.draw(4, seed=0), seed=0):
        code = codes_from_cells(structure.lattice.matrix[None], sixteen)[0]
        assert (code >= seen.min(axis=0) - 1e-5).all()
        assert (code <= seen.max(axis=0) + 1e-5).all()


def test_without_phases_every_crystal_will_do(triclinic: Structure) -> None:
    model = PcdvaeModel(TINY.model_copy(update={"phase": False}), ELEMENTS, (8,), (), {}, ())
    data = Dataset((triclinic,) * 2, (), np.zeros((2, 0)), np.zeros(2, dtype=bool))
    model.fit(data, seed=0)
    (decoded,) = model.decode(model.encode([triclinic]), seed=0)
    assert len(decoded) == 8


@pytest.mark.parametrize(
    ("elements", "counts", "phases", "bounds", "message"),
    [
        ((), (16,), ("fcc", "bcc"), {}, "name each once"),
        (ELEMENTS, (1, 16), ("fcc", "bcc"), {}, "at least 2"),
        (ELEMENTS, (16,), ("fcc",), {}, "at least two are needed"),
        (ELEMENTS, (16,), ("fcc", "bcc"), {"Ni": (17, 20)}, "never 16"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    elements: tuple[str, ...],
    counts: tuple[int, ...],
    phases: tuple[str, ...],
    bounds: dict[str, tuple[int, int]],
    message: str,
) -> None:
    with pytest.raises(ModelError, match=message):
        PcdvaeModel(TINY, elements, counts, phases, bounds, ())


def test_bad_data_is_refused_before_training(data: Dataset, triclinic: Structure) -> None:
    def fit(material: Structure) -> None:
        rows = Dataset((material,), ("bulk_modulus",), np.ones((1, 1)), np.zeros(1, dtype=bool))
        make().fit(rows, seed=0)

    with pytest.raises(MaterialError, match="8 atoms"):
        fit(triclinic)
    overlapping = data.materials[0].copy()
    overlapping.translate_sites([0], overlapping.frac_coords[1] - overlapping.frac_coords[0] + 0.01)
    with pytest.raises(MaterialError, match="overlap"):
        fit(overlapping)
    sheared = Structure(
        np.diag([4.0, 5.0, 9.0]), data.materials[0].species, data.materials[0].frac_coords
    )
    with pytest.raises(ModelError, match="recognised as fcc or bcc"):
        fit(sheared)


def test_a_checkpoint_of_a_later_version_is_refused(data: Dataset, tmp_path: Path) -> None:
    model = make()
    model.fit(data, seed=0)
    path = tmp_path / "model"
    model.save(path)
    content = path.read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    header = content[8 : 8 + size].replace(rb"\"version\":1", rb"\"version\":2")
    assert header != content[8 : 8 + size]
    path.write_bytes(content[:8] + header + content[8 + size :])
    with pytest.raises(ModelError, match="version"):
        PcdvaeModel.load(path)


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        (None, "has no description"),
        ({"alloop": '{"kind": "lattice", "version": 1}'}, "kind 'lattice'"),
    ],
)
def test_a_checkpoint_of_another_model_is_refused(
    metadata: dict[str, str] | None, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(2)}, path, metadata=metadata)
    with pytest.raises(ModelError, match=says):
        PcdvaeModel.load(path)
