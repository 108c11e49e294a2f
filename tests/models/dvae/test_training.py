"""Training sees to it that what is decoded for a yes-or-no property has it."""

import copy
import math

import pytest
import torch

from alloop.models.base import Dataset
from alloop.models.dvae.model import DvaeModel
from alloop.models.dvae.network import AlloyRows
from alloop.models.dvae.training import _fit_transport, inconsistency, random_alloys


def test_random_alloys_are_of_two_to_six_elements_and_common_ones_more_often() -> None:
    known = torch.zeros(50, 8)
    known[:, :2] = 0.5  # two elements are in every known alloy, the others in none
    drawn = random_alloys(known, 2000, torch.Generator().manual_seed(0))
    torch.testing.assert_close(drawn.sum(1), torch.ones(2000))
    count = (drawn > 0).sum(1)
    assert (int(count.min()), int(count.max())) == (2, 6)
    often = (drawn > 0).float().mean(0)
    assert often[:2].min() > 0.8
    assert often[2:].min() > 0.1


def test_inconsistency_is_the_surprise_at_what_was_asked_for_and_moves_the_decoder(
    trained: DvaeModel, dataset: Dataset
) -> None:
    dvae = copy.deepcopy(trained.learned)
    fractions = trained.fractions_of(dataset.materials)
    descriptors = dvae.standardised(fractions)
    labels = torch.from_numpy(dataset.labels).float()
    observed = torch.ones_like(labels, dtype=torch.bool)
    rows = AlloyRows(fractions, labels, observed, torch.ones(len(fractions)))
    outputs = [dvae.heads[0](descriptors)]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        surprise = inconsistency(dvae, rows, outputs)
        parameters = list(dvae.network.decoder.parameters())
        slopes = torch.autograd.grad(surprise, parameters)
        assert max(float(slope.abs().max()) for slope in slopes) > 0
        # One that knows nothing finds either phase as likely: log 2 whatever is decoded.
        for parameter in dvae.heads[0].network.parameters():
            parameter.zero_()
        unknowing = inconsistency(dvae, rows, outputs)
    assert float(unknowing) == pytest.approx(math.log(2), abs=1e-6)
    assert float(surprise) < 0.5 * math.log(2)  # the trained decoder knows better


def test_transport_is_fitted_by_what_heads_say_out_of_bag_whatever_the_labels_are(
    trained: DvaeModel, dataset: Dataset
) -> None:
    fractions = trained.fractions_of(dataset.materials)
    labels = torch.from_numpy(dataset.labels).float()
    said = torch.linspace(-2, 2, len(fractions))[None, :, None]  # logits of a single phase
    probability = torch.sigmoid(said[0, :, 0]).double()
    covariances = []
    for known in (labels, 1 - labels):
        dvae = copy.deepcopy(trained.learned)
        observed = torch.ones_like(known, dtype=torch.bool)
        rows = AlloyRows(fractions, known, observed, torch.ones(len(fractions)))
        with torch.no_grad():
            _fit_transport(dvae, rows, [said], torch.Generator().manual_seed(0))
            weights = torch.stack([1 - probability, probability])
            for outcome in (0, 1):
                value = torch.full((len(fractions), 1), float(outcome))
                z = dvae.encode(fractions, value)
                # Every alloy counts for each outcome as far as it is said to have it; a shift
                # that the true phases call for leaves the spread as it is.
                covariances.append(torch.cov(z.T, aweights=weights[outcome], correction=0))
    for covariance in covariances:
        torch.testing.assert_close(covariance, torch.eye(2, dtype=torch.float64), rtol=0, atol=2e-3)
