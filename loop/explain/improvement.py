"""The expected improvement of a normal value, as a logarithm, and the mean that it takes."""

import math

FAR = -8.0
"""Standardised distance below which the asymptotic series stands for the difference of two equal
numbers."""
WIDEST = 1e6
"""Largest standardised distance that is looked at."""
HALVINGS = 200


def log_improvement(u: float) -> float:
    """Return the logarithm of φ(u) + u Φ(u): the expected improvement of a normal value, in its
    standard deviations.

    Args:
        u: mean minus the best so far, in standard deviations.
    """
    density = -0.5 * u * u - 0.5 * math.log(2 * math.pi)
    if u > FAR:
        return math.log(math.exp(density) + u * 0.5 * math.erfc(-u / math.sqrt(2)))
    # φ(u) (1/u² − 3/u⁴ + 15/u⁶ − 105/u⁸ + …)
    square = u * u
    series = (1 - 3 / square + 15 / square**2 - 105 / square**3) / square
    return density + math.log(series)


def mean_for_gain(mean: float, std: float, best: float, gain: float) -> float | None:
    """Return the mean at which the logarithm of the expected improvement is larger by a gain.

    Args:
        mean: of the utility now, more is better.
        std: its standard deviation, which stays; positive.
        best: utility to improve on.
        gain: positive.
    """
    u = (mean - best) / std
    if not abs(u) < WIDEST:
        return None
    wanted = log_improvement(u) + gain
    low, high = u, u + 1.0
    while log_improvement(high) < wanted:
        if high > WIDEST:
            return None
        low, high = high, high + 2 * (high - u)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if log_improvement(middle) < wanted else (low, middle)
    return best + std * high
