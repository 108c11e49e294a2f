"""Fitting atoms to the sites of a parent: which atom sits where, however the whole is shifted."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.integer[Any]]
FloatArray = npt.NDArray[np.float64]

REFINEMENTS = 3
"""Number of times that the common shift is taken from the atoms' sites, and these again from it."""
CONVERGED = 1e-6
"""Change of the common shift that changes nothing any more, Å."""


@dataclass(frozen=True)
class Fit:
    """Atoms on sites."""

    site_of_atom: IntArray
    """Site of each atom, shape (atoms,)."""
    farthest: float
    """Largest distance of an atom from its site, Å."""
    is_one_to_one: bool
    """Whether no two atoms share a site."""


def fit(coords: FloatArray, sites: FloatArray, lattice: FloatArray, *, limit: float) -> Fit:
    """Return the atoms' sites, with the common shift nearest to none under which they all fit;
    where none is such, the fit without a shift.

    Args:
        coords: fractional coordinates of the atoms, shape (atoms, 3).
        sites: of the sites, shape (sites, 3).
        lattice: vectors of the cell as rows, Å, shape (3, 3).
        limit: largest distance of an atom from its site, Å.
    """
    first, shift = _assigned(coords, sites, lattice, np.zeros(3))
    if first.farthest <= limit:
        first = _refined(coords, sites, lattice, shift)
        if first.is_one_to_one and first.farthest <= limit:
            return first
    shifts = coords[0] - sites
    shifts -= np.round(shifts)
    for place in np.argsort(np.linalg.norm(shifts @ lattice, axis=1), kind="stable"):
        found, shift = _assigned(coords, sites, lattice, shifts[place])
        if found.farthest > limit:
            continue
        found = _refined(coords, sites, lattice, shift)
        if found.is_one_to_one and found.farthest <= limit:
            return found
    return first


def _refined(coords: FloatArray, sites: FloatArray, lattice: FloatArray, shift: FloatArray) -> Fit:
    for _ in range(REFINEMENTS):
        found, refined = _assigned(coords, sites, lattice, shift)
        if np.abs((refined - shift) @ lattice).max() < CONVERGED:
            break
        shift = refined
    return found


def _assigned(
    coords: FloatArray, sites: FloatArray, lattice: FloatArray, shift: FloatArray
) -> tuple[Fit, FloatArray]:
    """Return the nearest sites under a shift, and the shift that these call for."""
    apart = (coords - shift)[:, None] - sites[None]  # (atoms, sites, 3)
    apart -= np.round(apart)
    distances = np.linalg.norm(apart @ lattice, axis=-1)
    site_of_atom = distances.argmin(axis=1)
    atoms = np.arange(len(coords))
    farthest = float(distances[atoms, site_of_atom].max())
    is_one_to_one = len(np.unique(site_of_atom)) == len(coords)
    offset: FloatArray = apart[atoms, site_of_atom].mean(axis=0)
    return Fit(site_of_atom, farthest, is_one_to_one), shift + offset
