"""Elastic moduli from the pressure under small strains."""

import numpy as np
from pymatgen.analysis.elasticity.elastic import ElasticTensor
from pymatgen.core import Structure
from scipy.linalg import polar

from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.simulation.cell import Array, LammpsCell
from alloop.oracles.lammps.simulation.crystal_frame import crystal_frame
from alloop.oracles.lammps.simulation.minimiser import CurvaturePair
from alloop.oracles.lammps.simulation.relaxation import RelaxedCrystal, relax_atoms
from alloop.oracles.lammps.simulation.screening import elements_of
from alloop.oracles.lammps.simulation.session import LammpsSession

_VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
"""Rows and columns of the Voigt components, in the order 11, 22, 33, 23, 13, 12."""


def bulk_modulus(
    session: LammpsSession,
    crystal: RelaxedCrystal,
    options: LammpsOptions,
    inverse: Array | None = None,
) -> float:
    """Return −V dP/dV of a relaxed crystal in GPa, its atoms relaxed at either volume.

    The cell shrinks and grows by the same strain of every length; the pressure is the mean over
    the three directions. For small strains this is the Voigt average (C11 + C22 + C33 +
    2 (C12 + C13 + C23)) / 9 of the published procedure, from 2 strained cells instead of 12.

    Args:
        session: with the crystal's atoms loaded.
        crystal: at rest.
        options: the strain, tolerance and limits.
        inverse: of the second derivatives by the atoms' coordinates, if known; it saves time.

    Raises:
        MeasurementFailed: if the atoms of a strained cell do not relax.
    """
    strain = options.strain * np.eye(3)
    shrunk, grown = _strained_both_ways(session, crystal, strain, options, inverse)
    rise = np.trace(grown.evaluation.pressure - shrunk.evaluation.pressure) / 3
    return float(-rise * crystal.volume / (grown.volume - shrunk.volume))


def measure_elasticity(
    session: LammpsSession, cell: LammpsCell, crystal: RelaxedCrystal, options: LammpsOptions
) -> dict[str, float]:
    """Return the elastic constants in the crystal's axes, and what follows from them.

    Raises:
        MeasurementFailed: if the atoms of a strained cell do not relax.
    """
    session.load(elements_of(cell.structure))
    tensor = elastic_tensor(session, crystal, options)
    return elastic_properties(in_crystal_frame(tensor, crystal.structure(cell)))


def elastic_tensor(
    session: LammpsSession, crystal: RelaxedCrystal, options: LammpsOptions
) -> ElasticTensor:
    """Return the elastic constants of a relaxed crystal in GPa, in LAMMPS's frame.

    Each of the six strains is applied both ways and the atoms are relaxed; what the stress
    changes by is divided by what the strain does. The box is never turned: where LAMMPS's
    triangular form turns it, the stress is turned back.

    Raises:
        MeasurementFailed: if the atoms of a strained cell do not relax.
    """
    constants = np.empty((6, 6))
    for column, (i, j) in enumerate(_VOIGT):
        # Upper triangular, so that the box stays as LAMMPS wants it; a shear strain, in Voigt's
        # notation, is the whole change of the angle.
        gradient = np.zeros((3, 3))
        gradient[i, j] = options.strain
        low, high = _strained_both_ways(session, crystal, gradient, options)
        fall = _rotated_back(low, -gradient) - _rotated_back(high, gradient)
        constants[:, column] = [fall[k, m] / (2 * options.strain) for k, m in _VOIGT]
    return ElasticTensor.from_voigt((constants + constants.T) / 2)


def in_crystal_frame(tensor: ElasticTensor, structure: Structure) -> ElasticTensor:
    """Return a tensor turned into the conventional axes of the crystal, averaged over its class.

    Axes are those of the IEEE standard on piezoelectricity (1987), as pymatgen has them: for
    cubic crystals the cube's. The crystal is ``crystal_frame(structure)``.

    Args:
        tensor: in the Cartesian axes of the structure.
        structure: what the tensor belongs to.
    """
    frame = crystal_frame(structure)
    return tensor.rotate(frame.rotation, tol=1e-6).convert_to_ieee(frame.crystal)


def elastic_properties(tensor: ElasticTensor) -> dict[str, float]:
    """Return constants and moduli in GPa by property name, for an isotropic polycrystal where
    there is one value: Voigt's and Reuss's bounds and Hill's mean of both.

    ``born_stability`` is the smallest eigenvalue of the constants in Mandel's notation: the
    crystal resists every strain where it is positive (Born and Huang; Mouhat and Coudert, Phys.
    Rev. B 90 (2014) 224104).
    """
    voigt = np.asarray(tensor.voigt)
    bulk, shear = float(tensor.k_vrh), float(tensor.g_vrh)
    mandel = np.diag([1.0, 1.0, 1.0, *[np.sqrt(2.0)] * 3])
    constants = {f"c{i + 1}{j + 1}": float(voigt[i, j]) for i in range(6) for j in range(i, 6)}
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


def _strained_both_ways(
    session: LammpsSession,
    crystal: RelaxedCrystal,
    strain: Array,
    options: LammpsOptions,
    inverse: Array | None = None,
) -> tuple[RelaxedCrystal, RelaxedCrystal]:
    """Return the crystal under minus and plus a displacement gradient, its atoms relaxed."""

    def strained(
        gradient: Array, positions: Array, pairs: tuple[CurvaturePair, ...]
    ) -> RelaxedCrystal:
        box = crystal.box @ gradient.T
        return relax_atoms(session, box, positions, options, pairs=pairs, inverse=inverse)

    low, high = np.eye(3) - strain, np.eye(3) + strain
    first = strained(low, crystal.positions @ low.T, crystal.atom_pairs)
    # To first order the atoms move as far one way under tension as the other way under pressure.
    return first, strained(high, 2 * crystal.positions - first.positions, first.pairs)


def _rotated_back(strained: RelaxedCrystal, gradient: Array) -> Array:
    """Return the pressure tensor in the axes before the strain turned the crystal."""
    rotation, _ = polar(np.eye(3) + gradient)
    return np.asarray(rotation.T @ strained.evaluation.pressure @ rotation)
