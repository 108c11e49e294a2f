"""The DVAE keeps the promises of a generative model, and says what it does not know."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pymatgen.core import Composition

from alloop.errors import MaterialError, ModelError
from alloop.models.base import Dataset
from alloop.models.dvae.model import DvaeModel
from alloop.models.dvae.options import BetaPrior, DvaeOptions
from alloop.testing.models import check_model


def test_it_is_a_generative_model(
    make_model: Callable[..., DvaeModel], dataset: Dataset, tmp_path: Path
) -> None:
    check_model(make_model, dataset, foreign=[Composition("FeAu")], folder=tmp_path)


def test_it_learns_a_rule_and_decodes_what_it_encoded(trained: DvaeModel, dataset: Dataset) -> None:
    draws = np.random.default_rng(9).dirichlet(np.ones(4), 100)
    fresh = [Composition(dict(zip(trained.elements, row, strict=True))) for row in draws]
    limit = sorted(m.get_atomic_fraction("Al") for m in dataset.materials)[30]
    said = trained.assess(fresh).prediction.mean[:, 0] >= 0.5
    assert (said.numpy() == (draws[:, 3] < limit)).mean() > 0.85
    decoded = trained.decode(trained.encode(fresh), seed=0)
    back = np.array([[m.get_atomic_fraction(s) for s in trained.elements] for m in decoded])
    constant = np.abs(draws - draws.mean(0)).mean()
    assert np.abs(back - draws).mean() < constant / 2


def test_what_is_decoded_follows_the_phase_that_is_asked_for(
    trained: DvaeModel, dataset: Dataset
) -> None:
    z = trained.encode(dataset.materials)
    shares = []
    for phase in (0.0, 1.0):
        z[:, -1] = phase
        alloys = trained.decode(z, seed=0)
        shares.append(np.mean([alloy.get_atomic_fraction("Al") for alloy in alloys]))
    assert shares[0] > 2 * shares[1]


@torch.no_grad()
def test_decoding_differs_between_probabilities(trained: DvaeModel, dataset: Dataset) -> None:
    z = trained.encode(dataset.materials)
    assert set(z[:, -1].tolist()) == {0.0, 1.0}
    shares = []
    for phase in (0.6, 0.9, 1.0):
        z[:, -1] = phase
        decoded = trained.learned.decode(z[:, :-1], z[:, -1:])
        shares.append(float(decoded[:, 3].mean()))
    assert shares[0] > shares[1] > shares[2]  # the rule of the data: little aluminium


def test_decoding_again_is_for_what_the_head_disagrees_with(
    make_model: Callable[..., DvaeModel], dataset: Dataset
) -> None:
    # Trained for a short time without the third term, there is something to disagree with.
    model = make_model(epochs=20, random_alloys=100, trees=20, width=32, consistency=0)
    model.fit(dataset, seed=1)
    learned = model.learned
    z = torch.randn(400, 2, generator=torch.Generator().manual_seed(5))
    phase = (torch.arange(400) % 2).float()[:, None]
    with torch.no_grad():
        first, checked = learned.decode(z, phase), learned.decode_checked(z, phase, 0)

    def agrees(fractions: torch.Tensor) -> torch.Tensor:
        return (learned.believe(fractions).mean >= 0.5)[:, 0] == (phase[:, 0] == 1)

    changed = (checked - first).abs().sum(1) > 0
    assert changed.any()
    assert not (changed & agrees(first)).any()
    assert (agrees(checked) | ~changed).all()


def test_alloys_unlike_any_in_the_data_are_flagged(trained: DvaeModel, dataset: Dataset) -> None:
    known = trained.assess(dataset.materials)
    assert known.distance.max() < 1e-6
    assert not known.is_far.any()
    pure = trained.assess([Composition("Al")])
    nearest = max(m.get_atomic_fraction("Al") for m in dataset.materials)
    assert float(pure.distance) == pytest.approx(1 - nearest, abs=1e-5)


def test_further_properties_have_their_own_priors(dataset: Dataset, tmp_path: Path) -> None:
    # The shape of the paper's supporting study: a phase, an energy in J/m², and a share.
    aluminium = np.array([m.get_atomic_fraction("Al") for m in dataset.materials])
    labels = np.column_stack([dataset.labels[:, 0], 3 - 2 * aluminium, 0.1 + 0.8 * aluminium])
    labels[:20, 1] = np.nan
    names = ("single_phase_probability", "surface_energy", "fault_share")
    options = DvaeOptions(
        descriptors="eight",
        priors={"fault_share": BetaPrior(alpha=2, beta=2)},
        epochs=30,
        random_alloys=50,
        transport_layers=5,
        trees=10,
    )
    model = DvaeModel(options, ("Fe", "Ni", "Cr", "Al"), names)
    model.fit(replace(dataset, property_names=names, labels=labels), seed=2)
    unseen = model.assess(dataset.materials[:20]).prediction
    error = (unseen.mean[:, 1].numpy() - (3 - 2 * aluminium[:20])) / (2 * aluminium.std())
    assert np.sqrt((error**2).mean()) < 0.6
    assert ((unseen.mean[:, 2] > 0) & (unseen.mean[:, 2] < 1)).all()
    model.save(tmp_path / "three")
    again = DvaeModel.load(tmp_path / "three").assess(dataset.materials[:20]).prediction
    assert torch.equal(again.mean, unseen.mean)


def test_a_label_that_is_neither_0_nor_1_is_refused_by_row(
    make_model: Callable[..., DvaeModel], dataset: Dataset
) -> None:
    labels = dataset.labels.copy()
    labels[7] = 0.5
    with pytest.raises(ModelError, match=r"row 7: 0\.5 is no label"):
        make_model().fit(replace(dataset, labels=labels), seed=0)


def test_what_does_not_fit_together_is_refused(
    make_model: Callable[..., DvaeModel], dataset: Dataset
) -> None:
    with pytest.raises(ModelError, match="untrained"):
        make_model().encode(dataset.materials)
    with pytest.raises(ModelError, match="was made for"):
        make_model().fit(replace(dataset, property_names=("density",)), seed=0)
    with pytest.raises(ModelError, match="each named once"):
        DvaeModel(DvaeOptions(), ("Fe", "Fe"), ("density",))
    with pytest.raises(MaterialError, match=r"no .* is known for Xe"):
        DvaeModel(DvaeOptions(), ("Fe", "Xe"), ("density",))


def test_latent_points_of_another_shape_are_refused(trained: DvaeModel) -> None:
    with pytest.raises(ModelError, match=r"shape \(n, 3\)"):
        trained.decode(torch.zeros(1, 5), seed=0)
