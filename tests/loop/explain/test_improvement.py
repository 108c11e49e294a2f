"""The expected improvement of a normal value, against other codes' numbers."""

import math

import pytest
import torch
from botorch.acquisition.analytic import _log_ei_helper
from scipy import integrate, stats

from alloop.loop.explain.improvement import log_improvement, mean_for_gain


@pytest.mark.parametrize("u", [-30.0, -12.0, -8.001, -7.999, -3.0, -0.5, 0.0, 0.7, 4.0, 20.0])
def test_it_is_botorch_s(u: float) -> None:
    reference = float(_log_ei_helper(torch.tensor(u, dtype=torch.float64)))
    assert log_improvement(u) == pytest.approx(reference, rel=1e-5)


def test_it_is_the_integral() -> None:
    mean, std, best = 180.0, 3.0, 184.0
    expected, _ = integrate.quad(
        lambda y: (y - best) * stats.norm.pdf(y, mean, std), best, best + 40
    )
    assert math.log(std) + log_improvement((mean - best) / std) == pytest.approx(
        math.log(expected), rel=1e-8
    )


@pytest.mark.parametrize("gain", [1e-4, 0.3, 5.0])
@pytest.mark.parametrize("mean", [150.0, 182.0, 184.0, 190.0])
def test_the_mean_gives_the_gain(mean: float, gain: float) -> None:
    needed = mean_for_gain(mean, 3.0, 184.0, gain)
    assert needed is not None
    assert needed > mean
    before, after = (log_improvement((m - 184.0) / 3.0) for m in (mean, needed))
    assert after - before == pytest.approx(gain, rel=1e-6)
