"""The FTCP matrix of a crystal, and the crystal of an FTCP matrix.

Rows: 103 element one-hots, 2 of lattice (lengths in Å, angles in degrees), S of fractional
coordinates, S of site occupancies, 1 of k-point distances, 92 of elemental properties; R rows in
all. Columns: max(N_elements, 3) of real space, then 59 of reciprocal space. Everything else is
zero (paper, "Real-space features" and "Reciprocal-space features").

Eq. 1 without the logarithm's branch cut, as printed and published, is linear in hkl:
F_hkl = h F_100 + k F_010 + l F_001. So 59 columns carry what three do, and F changes when an
atom moves by a lattice vector. We keep it as published; see the benchmark's invariance table.
"""

from functools import lru_cache
from itertools import product

import numpy as np

from alloop.errors import MaterialError
from alloop.models.ftcp.representation.crystals import EMPTY, CrystalArrays, Size
from alloop.models.ftcp.representation.elements import N_ELEMENTS, N_PROPERTIES, property_table

N_K_POINTS = 59
"""Number of k-points, out of the 62 with |h| + |k| + |l| ≤ 3; tuned by the paper's authors."""

OCCUPANCY_THRESHOLD = 0.05
"""Threshold of occupancy: a site or element column is empty where all its entries lie below (paper,
"Design from trained model")."""


@lru_cache(maxsize=1)
def k_points() -> np.ndarray:
    """Return hkl of the 59 k-points, shape (59, 3): by |h|+|k|+|l|, then h, k, l descending."""
    cube = product(range(-3, 4), repeat=3)
    ranked = sorted(cube, key=lambda hkl: (sum(map(abs, hkl)), *(-index for index in hkl)))
    return np.array(ranked[1 : N_K_POINTS + 1])


def shape(size: Size) -> tuple[int, int]:
    """Return rows and columns of an FTCP matrix."""
    rows = N_ELEMENTS + 2 + 2 * size.sites + 1 + N_PROPERTIES
    return rows, size.columns + N_K_POINTS


def blocks(size: Size) -> dict[str, slice]:
    """Return the rows of each part of the matrix, by name."""
    lengths = {
        "elements": N_ELEMENTS,
        "lattice": 2,
        "coords": size.sites,
        "occupancy": size.sites,
        "k_distance": 1,
        "properties": N_PROPERTIES,
    }
    ends = np.cumsum(list(lengths.values())).tolist()
    return {
        name: slice(end - length, end)
        for (name, length), end in zip(lengths.items(), ends, strict=True)
    }


def to_matrices(crystals: CrystalArrays, size: Size) -> np.ndarray:
    """Return FTCP matrices, shape (n, R, C), float32.

    Raises:
        MaterialError: if the crystals are arrays of another size.
    """
    n, width = len(crystals), size.columns
    if crystals.elements.shape[1] != width or crystals.occupants.shape[1] != size.sites:
        raise MaterialError(
            f"crystals with {crystals.elements.shape[1]} element columns and "
            f"{crystals.occupants.shape[1]} sites do not fit a representation of {size}"
        )
    matrices = np.zeros((n, *shape(size)), dtype=np.float32)
    rows = blocks(size)
    matrices[:, rows["elements"], :width] = _one_hot(crystals.elements, N_ELEMENTS).swapaxes(1, 2)
    matrices[:, rows["lattice"], :3] = crystals.lattices.reshape(n, 2, 3)
    matrices[:, rows["coords"], :3] = crystals.coords
    occupancy = _one_hot(crystals.occupants, width)  # (n, S, W)
    matrices[:, rows["occupancy"], :width] = occupancy
    is_there = (crystals.elements != EMPTY)[..., None]
    z = np.where(is_there, property_table()[crystals.elements], 0.0)  # (n, W, 92)
    z = z.astype(np.float32).swapaxes(1, 2)
    matrices[:, rows["properties"], :width] = z
    matrices[:, rows["k_distance"], width:] = _k_distances(crystals.lattices)[:, None]
    # Eq. 1, summed over the sites of an element before it is multiplied by that element's Z
    phases = np.pi * np.einsum("nsw,nsx->nwx", occupancy, crystals.coords) @ k_points().T
    matrices[:, rows["properties"], width:] = z @ phases.astype(np.float32)
    return matrices


def from_matrices(
    matrices: np.ndarray, size: Size, *, threshold: float = OCCUPANCY_THRESHOLD
) -> CrystalArrays:
    """Read crystals from the real-space part of matrices, exact or decoded; see ``interpret``.

    Args:
        matrices: shape (n, R, C), unscaled.
        size: of the representation.
        threshold: for "empty".

    Raises:
        MaterialError: if the matrices have another size.
    """
    if matrices.shape[1:] != shape(size):
        raise MaterialError(
            f"matrices of {matrices.shape[1:]} rows and columns are not of a representation "
            f"of {size}, which has {shape(size)}"
        )
    width, rows = size.columns, blocks(size)
    return interpret(
        matrices[:, rows["elements"], :width].swapaxes(1, 2),
        matrices[:, rows["lattice"], :3].astype(float).reshape(-1, 6),
        matrices[:, rows["coords"], :3].astype(float),
        matrices[:, rows["occupancy"], :width],
        threshold=threshold,
    )


def interpret(
    elements: np.ndarray,
    lattices: np.ndarray,
    coords: np.ndarray,
    occupancy: np.ndarray,
    *,
    threshold: float,
) -> CrystalArrays:
    """Turn soft one-hots into crystals (paper, "Design from trained model").

    The largest entry of a site or element column is what it holds; it is empty where all its
    entries lie below the threshold. Beyond the paper, no site takes an empty element column
    (which would make it hydrogen), and a crystal keeps at least its most certain site.

    Args:
        elements: of every element column, shape (n, W, 103).
        lattices: shape (n, 6), Å and degrees.
        coords: fractional, shape (n, S, 3).
        occupancy: of every site, shape (n, S, W).
        threshold: for "empty".
    """
    best = elements.max(axis=2)  # (n, W)
    is_there = (best >= threshold) | (best == best.max(axis=1, keepdims=True))
    of_sites = np.where(is_there[:, None], occupancy, -np.inf)  # (n, S, W)
    best = of_sites.max(axis=2)  # (n, S)
    is_site = (best >= threshold) | (best == best.max(axis=1, keepdims=True))
    return CrystalArrays(
        elements=np.where(is_there, elements.argmax(axis=2), EMPTY),
        lattices=lattices,
        coords=np.where(is_site[..., None], coords, 0.0),
        occupants=np.where(is_site, of_sites.argmax(axis=2), EMPTY),
    )


def _one_hot(codes: np.ndarray, length: int) -> np.ndarray:
    """Return one-hots along a new last axis; all zero for ``EMPTY``."""
    return (codes[..., None] == np.arange(length)).astype(np.float32)


def _k_distances(lattices: np.ndarray) -> np.ndarray:
    """Return the distance of every k-point from 000 in 1/Å, without 2π: 1 / d_hkl, shape (n,
    59)."""
    lengths, cosines = lattices[:, :3], np.cos(np.radians(lattices[:, 3:]))
    gram = np.empty((len(lattices), 3, 3))
    for i in range(3):
        gram[:, i, i] = lengths[:, i] ** 2
        j, k = (i + 1) % 3, (i + 2) % 3
        gram[:, j, k] = gram[:, k, j] = lengths[:, j] * lengths[:, k] * cosines[:, i]
    hkl = k_points()
    return np.sqrt(np.einsum("kx,nxy,ky->nk", hkl, np.linalg.inv(gram), hkl))
