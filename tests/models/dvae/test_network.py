"""Model and guide are Eqs. 1–4: their densities are those written out by hand."""

import pytest
import torch
from pyro.distributions import Bernoulli, Multinomial, Normal
from pyro.infer import TraceEnum_ELBO

from alloop.models.dvae.network import TOTAL, AlloyRows, DisentangledVae, tidy
from alloop.models.dvae.nodes import BernoulliNode
from alloop.models.dvae.options import BernoulliPrior

PRIOR = 0.3


@pytest.fixture
def network() -> DisentangledVae:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        node = BernoulliNode("phase", BernoulliPrior(probability=PRIOR))
        return DisentangledVae(3, [node], latents=2, width=8)


def rows(observed: bool, n: int = 4) -> AlloyRows:
    generator = torch.Generator().manual_seed(1)
    fractions = torch._sample_dirichlet(torch.ones(n, 3), generator=generator)
    labels = torch.tensor([[1.0], [0.0], [1.0], [1.0]])[:n] * observed
    return AlloyRows(fractions, labels, torch.full((n, 1), observed), torch.ones(n))


def elbo(network: DisentangledVae, data: AlloyRows, outputs: torch.Tensor) -> float:
    """Pyro's exact sum over φ, averaged over draws of u."""
    estimate = TraceEnum_ELBO(max_plate_nesting=1, num_particles=4000, vectorize_particles=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return -estimate.loss(network.model, network.guide, data, [outputs])


def by_hand(network: DisentangledVae, data: AlloyRows, phase: float) -> torch.Tensor:
    """E over q(u|x,φ) of log p(x|φ,u) + log p(u) + log p(φ) − log q(u|x,φ), shape (n,)."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(4)
        value = [torch.full((len(data),), phase)]
        guide = Normal(*network.encode(data.fractions, value))
        u = guide.sample((4000,))
        logits = network.decode(u, value)
        likelihood = Multinomial(logits=logits, validate_args=False).log_prob(
            TOTAL * data.fractions
        )
        normal = Normal(0.0, 1.0).log_prob(u).sum(-1) - guide.log_prob(u).sum(-1)
        return (likelihood + normal).mean(0) + Bernoulli(PRIOR).log_prob(torch.tensor(phase))


def test_an_unlabelled_alloys_elbo_sums_over_both_phases(network: DisentangledVae) -> None:
    data, logits = rows(observed=False), torch.tensor([-2.0, 0.0, 1.0, 3.0])
    q = torch.sigmoid(logits)
    expected = q * by_hand(network, data, 1.0) + (1 - q) * by_hand(network, data, 0.0)
    expected = expected + Bernoulli(q).entropy()
    found = elbo(network, data, logits[None, :, None])
    assert found == pytest.approx(float(expected.sum()), rel=2e-3)


def test_a_labelled_alloys_elbo_is_that_of_its_label(network: DisentangledVae) -> None:
    data = rows(observed=True)
    ones, noughts = by_hand(network, data, 1.0), by_hand(network, data, 0.0)
    expected = torch.where(data.labels[:, 0] == 1, ones, noughts).sum()
    found = elbo(network, data, torch.full((1, 4, 1), -1.0))
    assert found == pytest.approx(float(expected), rel=2e-3)


def test_rows_count_by_their_weights(network: DisentangledVae) -> None:
    data, outputs = rows(observed=True), torch.zeros(1, 4, 1)
    heavy = AlloyRows(data.fractions, data.labels, data.observed, 3 * data.weights)
    assert elbo(network, heavy, outputs) == pytest.approx(3 * elbo(network, data, outputs))


def test_a_tidy_alloy_has_no_traces_and_sums_to_one() -> None:
    fractions = tidy(torch.log(torch.tensor([[0.7, 0.297, 0.003]])))
    assert fractions[0, 2] == 0
    assert float(fractions.sum()) == pytest.approx(1.0)
