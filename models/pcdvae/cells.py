"""Codes of cells: six numbers that describe any cell, whatever its orientation in space.

CDVAE predicts three lengths and three angles of the reduced cell, which need not fit together.
Here it is the logarithm of the symmetric stretch that makes the cell from a cube of the same
number of atoms: S = ½ log(L Lᵀ / N^(2/3)), with the cell's vectors as the rows of L. Its
eigenvalues are logarithms of lengths, so errors are relative, as with CDVAE's scaled lengths.
"""

import numpy as np

from alloop.models.pcdvae.networks.crystal import FloatArray, IntArray

_ROWS, _COLUMNS = np.triu_indices(3)
_WEIGHTS = np.where(_ROWS == _COLUMNS, 1.0, np.sqrt(2.0))
"""Weights that make the Euclidean distance of codes that of the matrices."""


def codes_from_cells(cells: FloatArray, n_atoms: IntArray) -> FloatArray:
    """Encode cells of shape (b, 3, 3), rows in Å, as codes of shape (b, 6)."""
    metric = cells @ cells.transpose(0, 2, 1)
    stretch = 0.5 * _of_eigenvalues(metric, np.log)
    stretch -= np.log(n_atoms)[:, None, None] / 3 * np.eye(3)
    return stretch[:, _ROWS, _COLUMNS] * _WEIGHTS


def cells_from_codes(codes: FloatArray, n_atoms: IntArray) -> FloatArray:
    """Decode codes of shape (b, 6) into symmetric cells of shape (b, 3, 3), rows in Å."""
    stretch = np.zeros((len(codes), 3, 3))
    stretch[:, _ROWS, _COLUMNS] = codes / _WEIGHTS
    stretch[:, _COLUMNS, _ROWS] = codes / _WEIGHTS
    return _of_eigenvalues(stretch, np.exp) * np.cbrt(n_atoms)[:, None, None]


def _of_eigenvalues(matrices: FloatArray, function: np.ufunc) -> FloatArray:
    values, vectors = np.linalg.eigh(matrices)
    return (vectors * function(values)[:, None]) @ vectors.transpose(0, 2, 1)
