"""Training sees to it that what is decoded for a yes-or-no property has it."""

import copy
import math

import pytest
import torch

from alloop.models.base import Dataset
from alloop.models.dvae.model import DvaeModel
from alloop.models.dvae.network import AlloyRows
from alloop.models.dvae.training import inconsistency, random_alloys


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
