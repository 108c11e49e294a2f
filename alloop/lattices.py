"""The two cubic lattices of alloys, fcc and bcc: sites, neighbours, space groups."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

LatticeName = Literal["fcc", "bcc"]

_CORNER = (0.0, 0.0, 0.0)
CUBIC_SITES: Mapping[LatticeName, tuple[tuple[float, float, float], ...]] = MappingProxyType(
    {
        "fcc": (_CORNER, (0.0, 0.5, 0.5), (0.5, 0.0, 0.5), (0.5, 0.5, 0.0)),
        "bcc": (_CORNER, (0.5, 0.5, 0.5)),
    }
)
"""Fractional coordinates in the conventional cubic cell."""

SPACE_GROUPS: Mapping[LatticeName, str] = MappingProxyType({"fcc": "Fm-3m", "bcc": "Im-3m"})
"""Short international symbols of the lattices' symmetry."""

TWO_ATOM_C_OVER_A: Mapping[LatticeName, float] = MappingProxyType(
    {"fcc": math.sqrt(2.0), "bcc": 1.0}
)
"""Ratio of the edges of the body-centred two-atom cell, which is tetragonal for fcc: the Bain
correspondence (Bain, Trans. AIME 70 (1924) 25)."""

SHELLS: Mapping[LatticeName, tuple[int, ...]] = MappingProxyType(
    {"fcc": (12, 6, 24), "bcc": (8, 6, 12)}
)
"""Neighbours in the first three shells."""

OTHER_LATTICE: Mapping[LatticeName, LatticeName] = MappingProxyType({"fcc": "bcc", "bcc": "fcc"})
"""The lattice that competes with each."""


def cells_per_edge(atoms: int) -> int:
    """Return the n of the cube of n × n × n two-atom cells that so many atoms nearly fill; 2 n³ of
    them fill it."""
    return round((atoms / 2) ** (1 / 3))
