"""Elastic tensors in the crystal's axes, and the moduli that follow: one convention for every
oracle.

``c11`` … ``c66`` are GPa in Voigt's notation, in the conventional axes of the crystal by the IEEE
standard on piezoelectricity (ANSI/IEEE 176-1987) as pymatgen has them: for cubic crystals the
cube's. They do not depend on the cell that the crystal is given in, nor on how it is turned.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from pymatgen.core import Structure

from alloop.oracles.crystal_frame import crystal_frame
from alloop.oracles.strain_checks import MAX_DISAGREEMENT, CheckedProperties
from alloop.properties import ELASTIC_CONSTANTS

if TYPE_CHECKING:
    from pymatgen.analysis.elasticity.elastic import ElasticTensor

MAX_TENSOR_DIFFERENCE = 0.1
"""Largest difference of elastic tensors at the usual strain and at half of it that are believed, as
a share of the largest constant. CHGNet's moduli vary by 10 % between strains of 0.1 and 2 %, DFT's
by less than one."""


def tensor_of(constants: np.ndarray) -> "ElasticTensor":
    """Return the elastic tensor of constants in Voigt's notation, shape (6, 6)."""
    # As long as everything else that a worker imports, and most campaigns want no tensor.
    from pymatgen.analysis.elasticity.elastic import ElasticTensor  # noqa: PLC0415

    return ElasticTensor.from_voigt(constants)


def in_crystal_frame(tensor: "ElasticTensor", structure: Structure) -> "ElasticTensor":
    """Return a tensor turned into the conventional axes of the crystal, averaged over its class.

    Axes are those of the IEEE standard on piezoelectricity (1987), as pymatgen has them: for
    cubic crystals the cube's. The crystal is ``crystal_frame(structure)``.

    Args:
        tensor: in the Cartesian axes of the structure.
        structure: what the tensor belongs to.
    """
    frame = crystal_frame(structure)
    return tensor.rotate(frame.rotation, tol=1e-6).convert_to_ieee(frame.crystal)


def elastic_properties(tensor: "ElasticTensor") -> dict[str, float]:
    """Return constants and moduli in GPa by property name, for an isotropic polycrystal where
    there is one value: Voigt's and Reuss's bounds and Hill's mean of both.

    ``born_stability`` is the smallest eigenvalue of the constants in Mandel's notation: the
    crystal resists every strain where it is positive (Born and Huang; Mouhat and Coudert, Phys.
    Rev. B 90 (2014) 224104).
    """
    voigt = np.asarray(tensor.voigt)
    bulk, shear = float(tensor.k_vrh), float(tensor.g_vrh)
    mandel = np.diag([1.0, 1.0, 1.0, *[np.sqrt(2.0)] * 3])
    places = zip(*np.triu_indices(6), strict=True)
    constants = {
        name: float(voigt[i, j]) for name, (i, j) in zip(ELASTIC_CONSTANTS, places, strict=True)
    }
    return constants | {
        "shear_modulus": shear,
        "shear_modulus_voigt": float(tensor.g_voigt),
        "shear_modulus_reuss": float(tensor.g_reuss),
        "bulk_modulus_hill": bulk,
        "bulk_modulus_reuss": float(tensor.k_reuss),
        "youngs_modulus": 9 * bulk * shear / (3 * bulk + shear),
        "poisson_ratio": (3 * bulk - 2 * shear) / (6 * bulk + 2 * shear),
        "born_stability": float(np.linalg.eigvalsh(mandel @ voigt @ mandel).min()),
    }


def checked_tensor_properties(values: Mapping[str, float], difference: float) -> CheckedProperties:
    """Return properties of an elastic tensor with what its check at half the strain found.

    Args:
        values: by name, from a fit to both strains.
        difference: of the tensors at both, as a share of the largest constant; may be NaN.
    """
    if difference <= MAX_DISAGREEMENT:
        return CheckedProperties(values)
    note = f"elastic constants at half the strain differ by {100 * difference:.1f} %"
    if difference <= MAX_TENSOR_DIFFERENCE:
        note += "; a fit to both strains is the value given"
        return CheckedProperties(values, remarks=dict.fromkeys(values, note))
    return CheckedProperties(values, doubts=dict.fromkeys(values, f"unreliable: {note}"))
