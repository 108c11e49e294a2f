"""A property node believes what it is told, and says so in the property's unit."""

import math

import numpy as np
import pytest
import torch

from alloop.errors import ModelError
from alloop.models.dvae.nodes import BernoulliNode, BetaNode, NormalNode
from alloop.models.dvae.options import BernoulliPrior, BetaPrior, NormalPrior

UNSEEN = torch.tensor([False])


def test_an_observed_yes_or_no_is_certain_and_an_unobserved_one_is_the_ensembles() -> None:
    node = BernoulliNode("phase", BernoulliPrior(probability=0.3))
    logits = torch.tensor([[[0.0]], [[2.0]]])
    yes = node.posterior(logits, torch.tensor([1.0]), torch.tensor([True])).mean
    no = node.posterior(logits, torch.tensor([0.0]), torch.tensor([True])).mean
    assert (float(yes), float(no)) == pytest.approx((1.0, 0.0), abs=1e-6)
    unseen = node.posterior(logits, torch.tensor([0.0]), UNSEEN).mean
    assert float(unseen) == pytest.approx((0.5 + 1 / (1 + math.exp(-2))) / 2)
    assert float(node.prior().mean) == pytest.approx(0.3)


def test_each_member_of_a_bernoulli_head_has_its_own_likelihood() -> None:
    node = BernoulliNode("phase", BernoulliPrior())
    likelihood = node.log_likelihood(torch.tensor([[[0.0]], [[2.0]]]), torch.tensor([1.0]))
    assert likelihood[:, 0].tolist() == pytest.approx([math.log(0.5), -math.log1p(math.exp(-2))])


def test_a_normal_node_works_on_standardised_labels() -> None:
    node = NormalNode("energy", NormalPrior())
    node.adapt(np.array([1.0, 3.0, np.nan, 5.0]))
    assert node.location == pytest.approx(3.0)
    values = torch.tensor([1.0, 3.0])
    assert node.external(node.internal(values)).tolist() == pytest.approx([1.0, 3.0])
    assert float(node.internal(torch.tensor(3.0))) == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("node", "label"),
    [
        (BernoulliNode("phase", BernoulliPrior()), 0.5),
        (BetaNode("share", BetaPrior()), 1.5),
        (NormalNode("energy", NormalPrior()), math.inf),
    ],
)
def test_a_label_that_cannot_be_is_refused_by_row(
    node: BernoulliNode | BetaNode | NormalNode, label: float
) -> None:
    with pytest.raises(ModelError, match="row 1"):
        node.check(np.array([np.nan, label]))
