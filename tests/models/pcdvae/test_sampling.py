import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Structure

from alloop.models.pcdvae import sampling
from alloop.models.pcdvae.cells import cells_from_codes, codes_from_cells
from alloop.models.pcdvae.networks.network import PcdvaeNetwork
from alloop.models.pcdvae.networks.noise import (
    draw,
    element_levels,
    levels,
    nearest_image,
    noisy_elements,
)
from alloop.models.pcdvae.options import PcdvaeOptions
from alloop.models.pcdvae.sampling import (
    DecodingConditions,
    NoisyAtoms,
    langevin,
    schedule,
    whole_counts,
)


def test_levels_are_the_published_ones() -> None:
    assert len(levels()) == len(element_levels()) == 50
    assert (levels()[0], levels()[-1]) == pytest.approx((10, 0.01))
    assert (element_levels()[0], element_levels()[-1]) == pytest.approx((5, 0.01))
    assert np.allclose(np.diff(np.log(levels())), -np.log(1000) / 49)


def test_displacements_have_the_drawn_spread() -> None:
    n_atoms = np.full(200, 500)
    noise = draw(n_atoms, np.random.default_rng(0))
    spread = noise.displacement.reshape(200, 500, 3).std(axis=(1, 2))
    assert np.allclose(spread / noise.sigma, 1, atol=0.08)
    assert len(np.unique(noise.sigma)) > 40


def test_elements_are_drawn_from_the_mixture() -> None:
    """With weight σ of the composition, the true element has (1 + σ p) / (1 + σ)."""
    n, sigma = 40_000, 1.5
    composition = torch.tensor([0.2, 0.3, 0.5]).expand(n, 3)
    generator = torch.Generator().manual_seed(0)
    drawn = noisy_elements(
        torch.ones(n, dtype=torch.long), composition, torch.full((n,), sigma), generator
    )
    shares = torch.bincount(drawn, minlength=3) / n
    expected = torch.tensor([0.2 * sigma, 1 + 0.3 * sigma, 0.5 * sigma]) / (1 + sigma)
    assert torch.allclose(shares, expected, atol=0.01)


def test_the_nearest_image_is_the_shortest_of_many(triclinic: Structure) -> None:
    rng = np.random.default_rng(0)
    cell = triclinic.lattice.matrix
    vectors = rng.normal(scale=6, size=(50, 3))
    steps = np.array([[i, j, k] for i in range(-5, 6) for j in range(-5, 6) for k in range(-5, 6)])
    every = np.linalg.norm(vectors[:, None] + steps @ cell, axis=2)
    found = nearest_image(vectors, np.broadcast_to(cell, (50, 3, 3)))
    assert np.allclose(np.linalg.norm(found, axis=1), every.min(axis=1))
    moved = (found - vectors) @ np.linalg.inv(cell)
    assert np.allclose(moved, np.round(moved))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_cell_s_code_says_its_metric_and_nothing_else(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cells = rng.normal(size=(3, 3, 3)) + 4 * np.eye(3)
    n_atoms = np.array([1, 5, 54])
    codes = codes_from_cells(cells, n_atoms)
    back = cells_from_codes(codes, n_atoms)
    assert np.allclose(back @ back.transpose(0, 2, 1), cells @ cells.transpose(0, 2, 1))
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    assert np.allclose(codes_from_cells(cells @ rotation, n_atoms), codes)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-1.5, 1.5), min_size=6, max_size=6))
def test_any_six_numbers_are_a_cell(code: list[float]) -> None:
    (cell,) = cells_from_codes(np.array([code]), np.array([8]))
    assert np.linalg.det(cell) > 0


def test_a_larger_crystal_of_the_same_shape_has_the_same_code() -> None:
    cells = np.stack([np.eye(3) * 3.0, np.eye(3) * 6.0])
    codes = codes_from_cells(cells, np.array([2, 16]))
    assert np.allclose(codes[0], codes[1])


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(0.01, 1), min_size=3, max_size=3),
    st.lists(st.tuples(st.integers(0, 5), st.integers(6, 16)), min_size=3, max_size=3),
)
def test_whole_counts_are_within_bounds_and_add_up(
    weights: list[float], bounds: list[tuple[int, int]]
) -> None:
    fractions = np.array(weights) / sum(weights)
    counts = whole_counts(fractions, 16, tuple(bounds))
    assert counts.sum() == 16
    assert all(low <= n <= high for n, (low, high) in zip(counts, bounds, strict=True))


def test_whole_counts_round_where_nothing_binds() -> None:
    counts = whole_counts(np.array([0.36, 0.34, 0.30]), 10, ((0, 10),) * 3)
    assert counts.tolist() == [4, 3, 3]


def test_the_fast_schedule_goes_from_the_largest_level_to_the_smallest() -> None:
    sigmas = schedule(20)
    assert (sigmas[0], sigmas[-1]) == pytest.approx((10, 0.01))
    assert (np.diff(sigmas) < 0).all()


def test_langevin_stays_longest_where_crystals_freeze_and_ends_without_noise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of one place the score is known, (place − x) / σ²: the sampler ends there exactly."""
    place = np.array([[0.3, -0.2, 0.1]])

    asked: list[float] = []

    def denoised(
        network: PcdvaeNetwork,
        conditions: DecodingConditions,
        atoms: NoisyAtoms,
        sigma: float,
        options: PcdvaeOptions,
    ) -> np.ndarray:
        asked.append(sigma)
        return (place - atoms.positions) / sigma

    monkeypatch.setattr(sampling, "_denoised", denoised)
    atoms = NoisyAtoms(np.array([[7.0, 3.0, -5.0]]), np.zeros(1, dtype=np.int64))
    conditions = DecodingConditions(
        torch.zeros(1, 2), np.eye(3)[None], np.ones(1, dtype=np.int64), torch.zeros(1), ()
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = PcdvaeNetwork(
            PcdvaeOptions(latent=2, encoder_width=8, decoder_width=8, head_width=8),
            elements=1,
            counts=1,
            properties=0,
            phases=0,
        )
    options = PcdvaeOptions(langevin_steps=2, freezing_steps=3)
    rng = np.random.default_rng(0)
    reached = [
        float(np.abs(atoms.positions - place).max())
        for _ in langevin(network, conditions, atoms, options, rng)
    ]
    assert len(reached) == 50
    assert reached[-2] > 1e-3
    assert reached[-1] < 1e-12
    *walked, _ = asked  # the last step is the one without noise
    assert {sigma: walked.count(sigma) for sigma in walked} == {
        sigma: 3 if 0.1 <= sigma <= 0.5 else 2 for sigma in levels().tolist()
    }
