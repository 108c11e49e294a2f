"""Alloys drawn at random: unlabelled rows that show the decoder what else there is."""

import torch
from torch import Tensor

_MOST_ELEMENTS = 6
_SPREAD = 2.0
"""Shape of the gamma draws that fractions are made of; 1 would be uniform on the simplex."""


def random_alloys(known: Tensor, n: int, generator: torch.Generator) -> Tensor:
    """Return element fractions (n, e) of random alloys of 2 to 6 elements.

    Elements are drawn without replacement, as often as they occur in the known alloys (m, e),
    and each at least as often as if it were in one alloy of ten.
    """
    e = known.shape[1]
    occurrence = (known > 0).float().mean(0) + 0.1
    # Gumbel's trick: the k largest of log p + noise are k draws without replacement.
    noise = -torch.log(-torch.log(torch.rand(n, e, generator=generator)))
    rank = (occurrence.log() + noise).argsort(1, descending=True).argsort(1)
    count = torch.randint(min(2, e), min(_MOST_ELEMENTS, e) + 1, (n, 1), generator=generator)
    parts = torch._standard_gamma(torch.full((n, e), _SPREAD), generator=generator)
    parts = parts * (rank < count)
    return parts / parts.sum(1, keepdim=True)
