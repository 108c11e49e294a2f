"""Sizes of cells whose lattice parameters were not given: from molar volumes or ionic radii.

They only set the scale from which an oracle relaxes. Metals and other crystals without anions have
the mean of their elements' molar volumes (Zen's law; within about 1 % of relaxed alloys). Where
there are anions, cations and anions are as far apart, on average over their bonds, as the sum of
their ionic radii (Shannon, Acta Cryst. A 32, 751 (1976), as pymatgen has them, of the commonest
oxidation state); oxides come out within about 5 % of their lattice parameters.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from pymatgen.core import Element

from alloop.errors import MaterialError
from alloop.parents.species import VACANCY

ANIONS = frozenset({"N", "O", "F", "S", "Cl", "Se", "Br", "Te", "I"})
"""Elements whose radii are taken as those of anions, where there are cations beside them."""

AVOGADRO = 6.02214076e23
"""Avogadro's constant, 1/mol, exact since 2019; to import it of SciPy takes a tenth of a second."""

Bond = tuple[int, int, float]
"""Two sites and their distance, in units of a cell of one unit of volume per site."""


@lru_cache(maxsize=128)
def element_volume(symbol: str) -> float:
    """Return an element's volume in Å³/atom, from the molar volume that pymatgen tabulates.

    Mixing these linearly (Zen's law) starts a cell within about 1 % of the relaxed AlloGen
    volumes; it only sets the scale from which an oracle relaxes.

    Raises:
        MaterialError: if the element is unknown or has no tabulated volume.
    """
    if not Element.is_valid_symbol(symbol):
        raise MaterialError(f"{symbol!r} is not a chemical element")
    molar = Element(symbol).molar_volume  # cm³/mol
    if molar is None:
        raise MaterialError(
            f"no molar volume is tabulated for {symbol}",
            remedy="Give volume_per_atom, or the parent's lattice parameters.",
        )
    return float(molar) * 1e24 / AVOGADRO


def volume_per_site(species: Sequence[str], bonds: Sequence[Bond]) -> float:
    """Return the volume per site in Å³ to begin a relaxation from.

    Args:
        species: on every site of the cell; a vacancy takes as much room as the mean of the others.
        bonds: of the nearest sites, to be told apart by the elements they join.

    Raises:
        MaterialError: if neither a volume nor radii are tabulated for what is there.
    """
    present = [symbol for symbol in species if symbol != VACANCY]
    if not present:
        raise MaterialError("every site is vacant", remedy="Bound the fraction of vacancies.")
    scale = _ionic_scale(species, bonds)
    if scale is not None:
        return scale**3
    volumes = {symbol: element_volume(symbol) for symbol in set(present)}
    return math.fsum(volumes[symbol] for symbol in present) / len(present)


def _ionic_scale(species: Sequence[str], bonds: Sequence[Bond]) -> float | None:
    """Return the edge of one site's share of the volume at which ions touch; None without ions."""
    wanted = []
    for i, j, length in bonds:
        cation, anion = species[i], species[j]
        if anion not in ANIONS or cation in ANIONS or cation == VACANCY:
            continue
        radii = _radius(cation), _radius(anion)
        if all(radii):
            wanted.append(sum(radii) / length)
    return float(np.mean(wanted)) if wanted else None


@lru_cache(maxsize=128)
def _radius(symbol: str) -> float:
    """Return the radius in Å of an element's commonest ion; 0 where none is tabulated."""
    element = Element(symbol)
    radii = {int(state): float(radius) for state, radius in element.ionic_radii.items()}
    common = [state for state in element.common_oxidation_states if state in radii]
    if common:
        return radii[min(common) if symbol in ANIONS else max(common)]
    return float(element.average_ionic_radius or 0.0)
