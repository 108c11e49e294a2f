"""Symmetries of a supercell as permutations of its sites, from spglib's of the unit cell.

An operation of the unit cell that maps the supercell onto itself, followed by a translation by
whole unit cells, permutes the sites. Point operations that a supercell's shape breaks are left out.
"""

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import spglib
from scipy.spatial import KDTree

from alloop.parents.layout import FIXED, Supercell

IntArray = npt.NDArray[np.integer[Any]]
FloatArray = npt.NDArray[np.float64]

PRECISION = 1e-3
"""Distance, in nearest-neighbour distances of a cell of one unit of volume per site, within which
spglib takes sites for images of each other."""
SAME_SITE = 1e-2
"""Largest difference of fractional coordinates of a site and an image of one."""


def site_coords(supercell: Supercell) -> FloatArray:
    """Return the fractional coordinates of all sites, cell by cell, shape (n, 3)."""
    cells = np.array(list(itertools.product(*map(range, supercell.repeats))), dtype=float)
    coords = cells[:, None] + np.array(supercell.cell.coords)
    repeated: FloatArray = coords.reshape(-1, 3) / np.array(supercell.repeats)
    return repeated


def site_permutations(supercell: Supercell, kinds: npt.ArrayLike) -> IntArray:
    """Return the permutations of all sites, cell by cell, by the symmetries that keep their kinds,
    shape (g, n).

    Point operations stand in an order of their matrices (the identity first), translations in the
    order of the sites that the first site goes to.

    Args:
        supercell: of the sites.
        kinds: number of the kind of each site of the unit cell.
    """
    rotations, shifts = _operations(supercell, np.asarray(kinds))
    coords, repeats = site_coords(supercell), np.array(supercell.repeats)
    tree = KDTree(_wrapped(coords), boxsize=1.0)
    inside = rotations * repeats[None, None, :] % repeats[None, :, None] == 0
    keeps = inside.all(axis=(1, 2))
    rotations, shifts = rotations[keeps], shifts[keeps] / repeats
    in_supercell = rotations * repeats[None, None, :] // repeats[None, :, None]
    images = coords @ in_supercell.transpose(0, 2, 1) + shifts[:, None]  # (r, n, 3)
    base = _nearest(tree, images)  # (r, n)
    cells = np.array(list(itertools.product(*map(range, supercell.repeats)))) / repeats
    translations = _nearest(tree, coords + cells[:, None]).astype(np.min_scalar_type(len(coords)))
    permutations = translations[:, base].transpose(1, 0, 2).reshape(-1, len(coords))
    rank = _ranks(in_supercell).repeat(len(cells))
    order = np.lexsort((permutations[:, 0], rank))
    return permutations[order]


def _operations(supercell: Supercell, kinds: IntArray) -> tuple[IntArray, FloatArray]:
    """Return rotations (r, 3, 3) and translations (r, 3) in the unit cell's fractions."""
    cell = supercell.cell
    scale = (len(cell.labels) / cell.volume) ** (1 / 3)
    lattice = (scale * np.array(cell.vectors)).tolist()
    numbers = (np.unique(kinds, return_inverse=True)[1] + 1).tolist()
    found = spglib.get_symmetry_dataset((lattice, list(cell.coords), numbers), symprec=PRECISION)
    if found is None:
        return np.eye(3, dtype=np.int64)[None], np.zeros((1, 3))
    return found.rotations.astype(np.int64), np.asarray(found.translations, dtype=np.float64)


def _nearest(tree: KDTree, images: FloatArray) -> IntArray:
    apart, sites = tree.query(_wrapped(images))
    assert float(np.max(apart)) < SAME_SITE
    found: IntArray = sites
    return found


def _wrapped(coords: FloatArray) -> FloatArray:
    wrapped = coords % 1.0
    return np.where(wrapped >= 1.0, 0.0, wrapped)


def _ranks(rotations: IntArray) -> IntArray:
    """Return the place of each rotation in an order that begins with the identity."""
    keys = [
        (tuple((-np.abs(r)).ravel().tolist()), tuple((-r.sum(axis=0)).tolist()), tuple(r.ravel()))
        for r in rotations
    ]
    order = sorted(range(len(keys)), key=lambda place: keys[place])
    ranks = np.empty(len(keys), dtype=np.int64)
    known: dict[Any, int] = {}
    for place in order:
        ranks[place] = known.setdefault(keys[place], len(known))
    return ranks


def distinct_rows(rows: IntArray) -> IntArray:
    """Return the rows, each once, in their order; told apart by a hash of 63 bits."""
    weights = np.random.default_rng(0).integers(1, 2**62, size=rows.shape[1])
    hashes = np.concatenate([part @ weights for part in np.array_split(rows, 1 + len(rows) // 512)])
    first = np.unique(hashes, return_index=True)[1]
    return rows if len(first) == len(rows) else rows[np.sort(first)]


def pooled_kinds(supercell: Supercell) -> tuple[int, ...]:
    """Return the kind of each site of the unit cell: sublattices that share a species are one, as
    an exchange of the two makes no other material; fixed sites are of their elements' kinds."""
    pool = list(range(len(supercell.species)))
    for i, j in itertools.combinations(range(len(pool)), 2):
        if set(supercell.species[i]) & set(supercell.species[j]):
            pool = [pool[i] if each == pool[j] else each for each in pool]
    symbols = {symbol: k for k, symbol in enumerate(dict.fromkeys(supercell.fixed))}
    return tuple(
        len(pool) + symbols[symbol] if group == FIXED else pool[group]
        for group, symbol in zip(supercell.groups, supercell.fixed, strict=True)
    )
