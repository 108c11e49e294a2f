"""Functions of distance that networks see: Bessel functions under a smooth envelope."""

import itertools

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq
from scipy.special import spherical_jn
from torch import Tensor, nn

ENVELOPE_POWER = 6
"""Exponent p of the envelope (DimeNet, Eq. 8)."""

_INTERVALS = 1024
"""Number of intervals of the table; the error of the cubic pieces is below 1e-8."""


class RadialBasis(nn.Module):
    """Two families of radial functions, zero with two derivatives at the cutoff.

    The first are sin(nπx)/x, n = 1 … N (DimeNet, Eq. 7); the second j_l(z_ln x), l = 0 … L − 1,
    where z_ln is the n-th root of j_l (Eq. 6): the radial part of the joint basis of distance and
    angle. x is the distance over the cutoff, and all are normalised on the unit ball.

    They are looked up in a table of cubic pieces: many times faster than recurrences, which also
    lose all digits at small distances.

    Args:
        n: functions of each family (and order).
        orders: L.
        cutoff: Å.
    """

    coefficients: Tensor

    def __init__(self, n: int, orders: int, cutoff: float) -> None:
        super().__init__()
        self.n, self.orders, self.cutoff = n, orders, cutoff
        x = np.linspace(0, 1, _INTERVALS + 1)
        values = np.concatenate(
            [_sines(x, n), *(_bessels(x, order, n) for order in range(orders))], axis=1
        )
        spline = CubicSpline(x * _INTERVALS, values * _envelope(x)[:, None])
        table = torch.from_numpy(spline.c.transpose(1, 0, 2).copy())  # (intervals, 4, functions)
        self.register_buffer("coefficients", table.float(), persistent=False)
        self._exact = table

    def forward(self, distance: Tensor) -> tuple[Tensor, Tensor]:
        """Return both families, shape (e,) to (e, n) and (e, orders, n)."""
        table = self.coefficients
        if distance.dtype == torch.float64:
            table = self._exact.to(distance.device)
        position = (distance / self.cutoff).clamp(max=1.0) * _INTERVALS
        interval = position.detach().long().clamp(max=_INTERVALS - 1)
        t = (position - interval)[:, None]
        c = table[interval]
        values = ((c[:, 0] * t + c[:, 1]) * t + c[:, 2]) * t + c[:, 3]
        return values[:, : self.n], values[:, self.n :].reshape(-1, self.orders, self.n)


def bessel_roots(order: int, n: int) -> NDArray[np.float64]:
    """Return the first n positive roots of the spherical Bessel function of an order."""
    roots = np.pi * np.arange(1, n + order + 1)
    for lower in range(1, order + 1):
        # Between two roots of one order lies one of the next.
        roots = np.array([_root(lower, a, b) for a, b in itertools.pairwise(roots)])
    return roots[:n].astype(np.float64)


def _root(order: int, a: float, b: float) -> float:
    return float(brentq(lambda x: spherical_jn(order, x), a, b, xtol=1e-13))


def _sines(x: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    order = np.arange(1, n + 1)
    return np.sqrt(2) * np.pi * order * np.sinc(order * x[:, None])


def _bessels(x: NDArray[np.float64], order: int, n: int) -> NDArray[np.float64]:
    roots = bessel_roots(order, n)
    norm = np.sqrt(2) / np.abs(spherical_jn(order + 1, roots))
    return norm * spherical_jn(order, roots * x[:, None])


def _envelope(x: NDArray[np.float64]) -> NDArray[np.float64]:
    p = ENVELOPE_POWER
    return (
        1
        - (p + 1) * (p + 2) / 2 * x**p
        + p * (p + 2) * x ** (p + 1)
        - p * (p + 1) / 2 * x ** (p + 2)
    )
