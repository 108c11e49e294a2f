import numpy as np
import pytest
import torch
from torch.nn import functional as F

from alloop.models.lattice.correlations import correlations, n_correlations, neighbour_averages
from alloop.models.lattice.parent import ParentLattice


def order_of(parent, codes, n_elements=2):
    """Correlations of one hard decoration, past the fractions: shape (shells, pairs)."""
    occupations = F.one_hot(torch.tensor(codes), n_elements).double()
    features = correlations(occupations, neighbour_averages([parent]), torch.ones(1).double())
    assert len(features) == n_correlations(n_elements, 3)
    return features[n_elements - 1 :].reshape(3, -1).numpy()


def test_b2_order_has_its_textbook_warren_cowley_parameters():
    """B2: first neighbours all unlike, second and third all like, so α = −1, +1, +1."""
    parent = ParentLattice.alloy("bcc", 3)
    codes = np.all(np.isclose(parent.sites * 3 % 1, 0), axis=1).astype(int)
    warren_cowley = -order_of(parent, codes)[:, 0] / 0.25
    np.testing.assert_allclose(warren_cowley, [-1, 1, 1], atol=1e-12)


def test_l10_order_has_its_textbook_warren_cowley_parameters():
    """L1₀: 8 of 12 first neighbours are unlike, all 6 second like, 16 of 24 third unlike."""
    parent = ParentLattice.alloy("fcc", 3)  # alternate (001) layers
    codes = np.round(parent.sites[:, 2] * 6).astype(int) % 2
    warren_cowley = -order_of(parent, codes)[:, 0] / 0.25
    np.testing.assert_allclose(warren_cowley, [-1 / 3, 1, -1 / 3], atol=1e-12)


@pytest.mark.parametrize("name", ["fcc", "bcc"])
def test_random_decorations_have_the_finite_cell_s_mean_order(name):
    """Without order P_ab is c_a c_b N / (N − 1): a site is not its own neighbour."""
    parent, rng = ParentLattice.alloy(name, 3), np.random.default_rng(0)
    ordered = np.repeat([0, 1, 2], 18)
    found = np.mean([order_of(parent, rng.permutation(ordered), 3) for _ in range(800)], axis=0)
    np.testing.assert_allclose(found, (1 / 9) * (54 / 53 - 1), atol=1.5e-3)


def test_features_vary_smoothly_in_both_arguments():
    parents = [ParentLattice.alloy("fcc", 2), ParentLattice.alloy("bcc", 2)]
    averages = neighbour_averages(parents)
    torch.manual_seed(0)
    probabilities = torch.rand(2, 16, 3, dtype=torch.float64).softmax(-1).requires_grad_()
    weights = torch.rand(2, 2, dtype=torch.float64).softmax(-1).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda p, w: correlations(p, averages, w), (probabilities, weights)
    )
