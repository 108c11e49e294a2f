import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from pymatgen.core import Composition, Lattice, Structure
from safetensors.torch import load, save

from alloop.errors import MaterialError, ModelError
from alloop.loop.choose.random_candidates import random_materials
from alloop.models.base import Dataset
from alloop.models.ftcp.model import FtcpModel
from alloop.models.ftcp.options import DirectNetwork, FtcpOptions, PublishedNetwork
from alloop.models.ftcp.representation.crystals import Size, is_valid_cell
from alloop.space import Structures
from alloop.testing.models import check_model

NAMES = ("formation_energy_per_atom", "band_gap")
DIRECT = DirectNetwork(width=48, depth=1, embedding=16, steps=60, refit_steps=8, batch_size=16)
PUBLISHED = PublishedNetwork(channels=(8, 8, 8), dense=32, epochs=6, refit_epochs=2, batch_size=16)


def model_of(network, **changes):
    options = FtcpOptions(network=network, latents=24, heads=3, **changes)
    return FtcpModel(options, NAMES)


@pytest.fixture(scope="module")
def dataset(perovskites):
    """Two made-up properties: linear in edge length and in who sits on A."""
    cells = perovskites(48, seed=3)
    length = np.array([cell.lattice.a for cell in cells])
    heavy = np.array([cell[0].specie.Z for cell in cells])
    return Dataset(
        tuple(cells),
        NAMES,
        np.column_stack([length - 4, heavy / 10]),
        np.zeros(len(cells), dtype=bool),
    )


@pytest.fixture(scope="module")
def fitted(dataset):
    options = DIRECT.model_copy(update={"steps": 400})
    model = model_of(options)
    summary = model.fit(dataset, seed=1)
    return model, summary


@pytest.mark.parametrize("network", [DIRECT, PUBLISHED], ids=["direct", "published"])
def test_it_keeps_the_promises_of_every_model(network, dataset, tmp_path):
    foreign = [
        Composition("SrTiO3"),
        Structure(Lattice.cubic(4), [{"Fe": 0.5, "Ni": 0.5}], [[0, 0, 0]]),
        Structure(Lattice.cubic(9), ["Fe"] * 6, np.random.default_rng(0).random((6, 3))),
    ]
    check_model(lambda: model_of(network), dataset, foreign=foreign, folder=tmp_path)


def test_what_it_has_seen_it_reconstructs(fitted, dataset):
    model, summary = fitted
    assert summary.metrics["all_elements_right"] > 0.9
    decoded = model.decode(model.encode(dataset.materials), seed=0)
    for before, after in zip(dataset.materials, decoded, strict=True):
        if after.species == before.species:
            assert np.allclose(after.lattice.abc, before.lattice.abc, atol=0.25)
            distance = after.frac_coords - before.frac_coords
            assert np.abs(distance - distance.round()).max() < 0.15


def test_heads_learn_and_know_how_well(fitted, dataset):
    model, summary = fitted
    prediction = model.predict(model.encode(dataset.materials))
    errors = (prediction.mean.numpy() - dataset.labels) / dataset.labels.std(axis=0)
    assert np.abs(errors).mean(axis=0).max() < 0.4
    assert (prediction.std > 0).all()
    assert set(summary.metrics) >= {f"{name}_mae" for name in NAMES}


def test_a_property_may_be_missing_in_some_rows_or_all(dataset):
    labels = dataset.labels.copy()
    labels[::2, 0] = np.nan
    labels[:, 1] = np.nan
    model = model_of(DIRECT)
    summary = model.fit(replace(dataset, labels=labels), seed=1)
    assert (summary.n_labelled, summary.n_unlabelled) == (24, 24)
    prediction = model.predict(model.encode(dataset.materials))
    assert prediction.mean[:, 0].isfinite().all()
    assert prediction.mean[:, 1].isnan().all()
    assert prediction.std[:, 1].isnan().all()
    assert np.isnan(model.label_range()["band_gap"]).all()


def test_a_score_known_of_few_crystals_is_one_more_target(dataset):
    """As of synthesizability: known of a third, learnt beside a property known of all."""
    score = (dataset.labels[:, 1] > np.median(dataset.labels[:, 1])).astype(float)
    score[np.arange(len(score)) % 3 != 0] = np.nan
    names = (NAMES[0], "synthesizability")
    labels = np.column_stack([dataset.labels[:, 0], score])
    options = FtcpOptions(
        network=DIRECT.model_copy(update={"steps": 300}),
        latents=24,
        heads=3,
        property_weights={"synthesizability": 2.0},
    )
    model = FtcpModel(options, names)
    summary = model.fit(replace(dataset, property_names=names, labels=labels), seed=1)
    assert summary.n_labelled == len(dataset)
    prediction = model.predict(model.encode(dataset.materials))
    known = np.isfinite(score)
    guess = prediction.mean[:, 1].numpy()[known]
    assert guess[score[known] == 1].mean() > guess[score[known] == 0].mean() + 0.3
    assert (prediction.std[:, 1] > 0).all()


def test_labels_of_a_later_fit_widen_the_range(dataset):
    model = model_of(DIRECT)
    model.fit(dataset, seed=1)
    low, high = model.label_range()["band_gap"]
    labels = dataset.labels + 10.0
    model.fit(replace(dataset, labels=labels), seed=2)
    wider = model.label_range()["band_gap"]
    assert wider[0] == low
    assert wider[1] > labels[:, 1].max() > high


def test_weights_carry_over_to_other_properties_and_elements(fitted, dataset):
    model, _ = fitted
    other = model.adapted(model.options, ["bulk_modulus"], elements=("Sr", "Ti", "O"))
    before = model.encode(dataset.materials)
    assert torch.equal(other.encode(dataset.materials), before)
    data = replace(dataset, property_names=("bulk_modulus",), labels=dataset.labels[:, :1] + 100)
    other.fit(data, seed=0)
    assert torch.equal(model.encode(dataset.materials), before)
    assert 98 < float(other.predict(other.encode(dataset.materials)).mean.mean()) < 102
    decoded = other.decode(before, seed=0)
    assert {str(el) for cell in decoded for el in cell.elements} <= {"Sr", "Ti", "O"}


def test_heads_stay_where_the_properties_are_the_same(fitted):
    model, _ = fitted
    z = torch.randn(5, 24, generator=torch.Generator().manual_seed(0))
    same = model.adapted(model.options, NAMES)
    assert torch.equal(same.predict(z).mean, model.predict(z).mean)


def test_weights_of_other_sizes_are_refused(fitted):
    model, _ = fitted
    wider = DIRECT.model_copy(update={"width": 64})
    with pytest.raises(ModelError, match=r"network\.width 48, the campaign's model is of 64"):
        model.adapted(FtcpOptions(network=wider, latents=24), NAMES)
    with pytest.raises(ModelError, match=r"network\.kind direct"):
        model.adapted(FtcpOptions(network=PUBLISHED, latents=24), NAMES)


def test_only_allowed_elements_are_decoded(dataset):
    z = 3 * torch.randn(20, 24, generator=torch.Generator().manual_seed(0))
    for network in (DIRECT, PUBLISHED):
        options = FtcpOptions(network=network, latents=24, heads=3)
        model = FtcpModel(options, NAMES, elements=("Sr", "Ti", "O"))
        model.fit(dataset, seed=0)
        decoded = model.decode(z, seed=0)
        assert {str(el) for cell in decoded for el in cell.elements} <= {"Sr", "Ti", "O"}


def test_far_points_still_decode_to_cells(fitted):
    model, _ = fitted
    z = 30 * torch.randn(40, 24, generator=torch.Generator().manual_seed(0))
    assert not is_valid_cell(model.decode_unrepaired(z).lattices).all()
    assert all(cell.lattice.volume > 0 for cell in model.decode(z, seed=0))


def test_room_can_be_left_for_larger_cells(dataset, perovskite):
    options = FtcpOptions(network=DIRECT, latents=24, heads=3)
    model = FtcpModel(options, NAMES, size=Size(3, 10))
    model.fit(dataset, seed=0)
    assert model.size == Size(3, 10)
    assert model.encode([perovskite() * (2, 1, 1)]).shape == (1, 24)


def test_augmented_training_knows_other_origins(fitted, dataset):
    augmented = model_of(DIRECT.model_copy(update={"steps": 400}), augmentation="symmetry")
    augmented.fit(dataset, seed=1)
    moved = [cell.copy() for cell in dataset.materials]
    for cell in moved:
        cell.translate_sites(range(5), [0.3, 0.1, 0.45], to_unit_cell=True)

    def error(model):
        decoded = model.decode(model.encode(moved), seed=0)
        pairs = [pair for pair in zip(decoded, moved, strict=True) if len(pair[0]) == 5]
        misses = np.array([after.frac_coords - before.frac_coords for after, before in pairs])
        return np.abs(misses - misses.round()).mean()

    assert error(augmented) < 0.8 * error(fitted[0])


def test_data_beyond_the_limits_are_refused(dataset, perovskite):
    small = FtcpModel(FtcpOptions(network=DIRECT, max_sites=4), NAMES)
    with pytest.raises(MaterialError, match="has 5 sites"):
        small.fit(dataset, seed=0)
    with pytest.raises(ModelError, match="untrained"):
        small.encode([perovskite()])
    with pytest.raises(ModelError, match="made for formation_energy_per_atom, band_gap"):
        model_of(DIRECT).fit(replace(dataset, property_names=("band_gap", "density")), seed=0)
    none = Dataset((), NAMES, np.zeros((0, 2)), np.zeros(0, dtype=bool))
    with pytest.raises(ModelError, match="nothing to train on"):
        model_of(DIRECT).fit(none, seed=0)


def test_arguments_that_do_not_fit_together_are_refused():
    with pytest.raises(ModelError, match="property_weights names density"):
        FtcpModel(FtcpOptions(property_weights={"density": 2.0}), NAMES)
    with pytest.raises(ModelError, match="'Xx' is no element"):
        FtcpModel(FtcpOptions(), NAMES, elements=["Xx"])
    with pytest.raises(ModelError, match="'No' is no element"):
        FtcpModel(FtcpOptions(), NAMES, elements=["Fe", "No"])
    with pytest.raises(ModelError, match="no element is allowed"):
        FtcpModel(FtcpOptions(), NAMES, elements=[])


def test_latent_points_of_another_shape_are_refused(fitted):
    model, _ = fitted
    for wrong in (torch.zeros(2, 23), torch.zeros(24), torch.full((1, 24), torch.nan)):
        with pytest.raises(ModelError, match=r"of shape \(n, 24\)"):
            model.decode(wrong, seed=0)
        with pytest.raises(ModelError, match=r"of shape \(n, 24\)"):
            model.predict(wrong)


def test_checkpoints_that_were_tampered_with_are_refused(fitted, tmp_path):
    model, _ = fitted
    path = tmp_path / "model.safetensors"
    model.save(path)
    tensors = load(path.read_bytes())

    def refused(description, changed, match):
        text = json.dumps(description) if isinstance(description, dict) else description
        path.write_bytes(save(changed, metadata={"alloop": text}))
        with pytest.raises(ModelError, match=match):
            FtcpModel.load(path)

    good = {
        "kind": "ftcp",
        "version": 1,
        "options": model.options.model_dump(mode="json"),
        "elements": 3,
        "sites": 5,
        "property_names": list(NAMES),
    }
    refused(good | {"kind": "lattice"}, tensors, "kind 'lattice'")
    refused(good | {"version": 9}, tensors, "version 9")
    refused(good | {"sites": 0}, tensors, "the checkpoint's sites")
    refused(good | {"surprise": 1}, tensors, "the checkpoint's surprise")
    refused("not JSON", tensors, "not JSON")
    refused(good | {"sites": 6}, tensors, "the tensor")
    refused(good, {k: v for k, v in tensors.items() if "log_variance" not in k}, "missing")
    refused(good, tensors | {"more": torch.zeros(1)}, "unknown")
    path.write_bytes(save(tensors, metadata={"alloop": json.dumps(good)}))
    assert torch.equal(
        FtcpModel.load(path).predict(torch.zeros(1, 24)).mean,
        model.predict(torch.zeros(1, 24)).mean,
    )


def test_crystals_of_more_elements_than_it_holds_are_never_proposed() -> None:
    space = Structures(kind="structures", elements=("Al", "Ni", "Ti", "Co", "Cu"), max_atoms=8)
    options = FtcpOptions(network=DIRECT, max_elements=3)
    with pytest.raises(ValueError, match=r"up to 5 elements are proposed, and the model holds 3"):
        options.check(space, NAMES)
    ternary = space.model_copy(update={"max_elements": 3})
    options.check(ternary, NAMES)
    drawn = list(random_materials(ternary, 0, 40))
    model = FtcpOptions(network=DIRECT).build(ternary, NAMES)
    labels = np.zeros((len(drawn), len(NAMES)))
    data = Dataset(tuple(drawn), NAMES, labels, np.zeros(len(drawn), bool))
    model.fit(data, seed=0)  # none of them is too large
    assert max(len(each.composition) for each in drawn if isinstance(each, Structure)) == 3
