import numpy as np
import pytest
import torch
from scipy.special import spherical_jn

from alloop.models.pcdvae.networks.basis import RadialBasis, bessel_roots


def test_roots_are_those_in_the_tables() -> None:
    """Abramowitz and Stegun, table 10.6."""
    assert bessel_roots(1, 3) == pytest.approx([4.493409, 7.725252, 10.904122], abs=1e-6)
    assert bessel_roots(2, 2) == pytest.approx([5.763459, 9.095011], abs=1e-6)
    assert np.abs(spherical_jn(6, bessel_roots(6, 6))).max() < 1e-12


def test_functions_are_those_of_the_formulas() -> None:
    basis = RadialBasis(6, 7, cutoff=7.0)
    distance = torch.linspace(0.01, 7.0, 401, dtype=torch.float64)
    sines, bessels = basis(distance)
    x = distance.numpy()[:, None] / 7.0
    envelope = 1 - 28 * x**6 + 48 * x**7 - 21 * x**8
    n = np.arange(1, 7)
    assert np.allclose(sines, np.sqrt(2) * np.sin(n * np.pi * x) / x * envelope, atol=1e-7)
    for order in range(7):
        roots = bessel_roots(order, 6)
        expected = spherical_jn(order, roots * x) / np.abs(spherical_jn(order + 1, roots))
        assert np.allclose(bessels[:, order], np.sqrt(2) * expected * envelope, atol=1e-7)


def test_functions_are_orthonormal_before_the_envelope() -> None:
    """On the unit ball, with the weight x²: the norm of DimeNet's Eq. 6, in units of the cutoff."""
    x = np.linspace(1e-6, 1, 20_001)[:, None]
    roots = bessel_roots(3, 5)
    values = np.sqrt(2) * spherical_jn(3, roots * x) / np.abs(spherical_jn(4, roots))
    overlap = np.trapezoid(
        values[:, :, None] * values[:, None] * x[:, :, None] ** 2, x[:, 0], axis=0
    )
    assert np.allclose(overlap, np.eye(5), atol=1e-6)


def test_functions_vanish_smoothly_at_the_cutoff_and_stay_zero() -> None:
    basis = RadialBasis(4, 3, cutoff=5.0)
    distance = torch.tensor([4.999, 5.0, 9.0], dtype=torch.float64)
    for values in basis(distance):
        assert values[0].abs().max() < 1e-7
        assert values[1:].abs().max() < 1e-12


def test_single_precision_is_close_to_double() -> None:
    basis = RadialBasis(6, 7, cutoff=7.0)
    distance = torch.rand(100, dtype=torch.float64) * 7
    for single, double in zip(basis(distance.float()), basis(distance), strict=True):
        assert torch.allclose(single.double(), double, atol=3e-5)
