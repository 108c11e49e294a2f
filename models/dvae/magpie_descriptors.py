"""Magpie's statistics of elemental properties, on tensors, beside the descriptors of our own."""

from collections.abc import Sequence

import numpy as np
import torch
from matminer.utils.data import MagpieData
from pymatgen.core import Element
from torch import Tensor, nn

from alloop.errors import MaterialError
from alloop.models.dvae.descriptors import EIGHT, tensor_of
from alloop.models.dvae.rich_descriptors import RichDescriptors
from alloop.models.dvae.views import Views

MAGPIE_PROPERTIES = (
    "Number",
    "MendeleevNumber",
    "AtomicWeight",
    "MeltingT",
    "Column",
    "Row",
    "CovalentRadius",
    "Electronegativity",
    "NsValence",
    "NpValence",
    "NdValence",
    "NfValence",
    "NValence",
    "NsUnfilled",
    "NpUnfilled",
    "NdUnfilled",
    "NfUnfilled",
    "NUnfilled",
    "GSvolume_pa",
    "GSbandgap",
    "GSmagmom",
    "SpaceGroupNumber",
)
"""Of the elements: L. Ward et al., npj Comput. Mater. 2 (2016) 16028, as matminer has them."""
STATISTICS = ("minimum", "maximum", "range", "mean", "avg_dev", "mode")
_ALIKE = 1e-4
"""Fractions closer than this share the place of the most common element."""


class MagpieDescriptors(nn.Module):
    """Minimum, maximum, range, mean, mean deviation and mode of 22 properties of the elements.

    The mode is the property of the most common element, the smallest where several are.
    """

    def __init__(self, elements: Sequence[str]) -> None:
        super().__init__()
        self.names = tuple(f"{s} {name}" for name in MAGPIE_PROPERTIES for s in STATISTICS)
        self.register_buffer("table", tensor_of(_table(elements)), persistent=False)

    table: Tensor
    """Shape (e, 22)."""

    def forward(self, fractions: Tensor) -> Tensor:
        """Return descriptors (n, 132) of element fractions (n, e) that sum to one."""
        mean = fractions @ self.table  # (n, 22)
        deviation = (self.table - mean[:, None]).abs()
        low, high = self._least(fractions > 0), -self._least(fractions > 0, -1.0)
        largest = fractions.amax(-1, keepdim=True)
        columns = [
            low,
            high,
            high - low,
            mean,
            (fractions[..., None] * deviation).sum(1),
            self._least(fractions >= largest - _ALIKE),
        ]
        return torch.stack(columns, -1).flatten(1)

    def _least(self, chosen: Tensor, sign: float = 1.0) -> Tensor:
        return torch.where(chosen[..., None], sign * self.table, torch.inf).amin(1)


class RichAndMagpie(nn.Module):
    """Our own descriptors, which the networks see, and then Magpie's, for trees."""

    def __init__(self, elements: Sequence[str]) -> None:
        super().__init__()
        self.rich, self.magpie = RichDescriptors(elements), MagpieDescriptors(elements)
        self.names = (*self.rich.names, *self.magpie.names)

    @property
    def views(self) -> Views:
        """Return who sees what: forests Magpie's beside the eight, as is usual."""
        everything = tuple(range(len(self.names)))
        own = everything[: len(self.rich.names)]
        magpie = everything[: len(EIGHT)] + everything[len(own) :]
        return Views(networks=own, randomised=own, forests=magpie, boosted=(own, everything))

    def seen_by_networks(self, fractions: Tensor) -> Tensor:
        """Return the descriptors that networks see: our own."""
        described: Tensor = self.rich(fractions)
        return described

    def forward(self, fractions: Tensor) -> Tensor:
        """Return descriptors (n, m) of element fractions (n, e) that sum to one."""
        return torch.cat([self.rich(fractions), self.magpie(fractions)], -1)


def _table(elements: Sequence[str]) -> np.ndarray:
    data = MagpieData(impute_nan=False)
    table = np.array(
        [
            [data.get_elemental_property(Element(symbol), name) for name in MAGPIE_PROPERTIES]
            for symbol in elements
        ],
        dtype=float,
    )
    for symbol, row in zip(elements, table, strict=True):
        if not np.isfinite(row).all():
            missing = MAGPIE_PROPERTIES[int(np.argmin(np.isfinite(row)))]
            raise MaterialError(
                f"no {missing} is known for {symbol}",
                remedy="Leave the element out of the space, or choose descriptors: rich.",
            )
    return table
