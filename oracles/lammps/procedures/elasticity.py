"""Elastic moduli from the pressure under small strains, each checked at wider ones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from alloop.oracles.base import FailureKind
from alloop.oracles.elastic_tensor import elastic_properties, in_crystal_frame, tensor_of
from alloop.oracles.failure import MeasurementFailed
from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.simulation.cell import Array, LammpsCell
from alloop.oracles.lammps.simulation.minimiser import CurvaturePair
from alloop.oracles.lammps.simulation.relaxation import RelaxedCrystal, relax_atoms
from alloop.oracles.lammps.simulation.screening import elements_of
from alloop.oracles.lammps.simulation.session import LammpsSession
from alloop.oracles.strain_checks import (
    FIT_STRAINS,
    MAX_DISAGREEMENT,
    MAX_FIT_ERROR,
    SHEAR_FIT_STRAINS,
    CheckedProperties,
    Fit,
    SeveralStrains,
    birch_murnaghan,
    check_strains,
    slope,
)

if TYPE_CHECKING:
    from pymatgen.analysis.elasticity.elastic import ElasticTensor

VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
"""Rows and columns of the Voigt components, in the order 11, 22, 33, 23, 13, 12."""

FIT_FORCE_TOLERANCE = 1e-4
"""Largest force left in the cells of a fit, eV/Å: small against those that strains of half a
percent bring about."""


MAX_EXTRAPOLATION = 0.3
"""Largest extrapolated shift of an atom, Å; atoms of soft bcc alloys shift by 0.1 Å under 1 %."""
MAX_RESPONSE = 0.02
"""Largest shift of an atom under a strain, Å, besides ten times the strain: softer than that no
crystal is that rests in a minimum."""


class LeftSaddle(MeasurementFailed):
    """Raised where a strain lets the atoms leave a saddle that they rested on; they may be relaxed
    from where they are now.

    Args:
        positions: Cartesian positions in the cell without the strain, Å, shape (n, 3).
    """

    def __init__(self, positions: Array) -> None:
        super().__init__(FailureKind.NOT_CONVERGED, "the atoms rest on a saddle, not in a minimum")
        self.positions = positions


@dataclass(frozen=True)
class StrainedPair:
    """A relaxed crystal under minus and plus a displacement gradient, its atoms relaxed."""

    crystal: RelaxedCrystal
    low: RelaxedCrystal
    high: RelaxedCrystal
    gradient: Array
    """Displacement gradient, shape (3, 3)."""

    def extrapolated_pressure(self, session: LammpsSession, factor: float) -> Array:
        """Return the pressure tensor under a multiple of the gradient, GPa, the atoms moved in
        proportion; NaN where that is farther than an extrapolation reaches.

        What they move by beyond that is of second order and the same both ways, so that it cancels
        in a central difference, up to third order.
        """
        moved = _undone(self.high.positions, self.gradient) - _undone(
            self.low.positions, -self.gradient
        )
        shift = factor * moved / 2
        if np.abs(shift).max() > MAX_EXTRAPOLATION:
            return np.full((3, 3), np.nan)
        deformed = np.eye(3) + factor * self.gradient
        positions = (self.crystal.positions + shift) @ deformed.T
        return session.evaluate(self.crystal.box @ deformed.T, positions).pressure


def bulk_modulus(
    session: LammpsSession,
    crystal: RelaxedCrystal,
    options: LammpsOptions,
    inverse: Array | None = None,
) -> CheckedProperties:
    """Return ``bulk_modulus``, −V dP/dV of a relaxed crystal in GPa, its atoms relaxed at either
    volume.

    The cell shrinks and grows by the same strain of every length; the pressure is the mean over
    the three directions. For small strains this is the Voigt average (C11 + C22 + C33 +
    2 (C12 + C13 + C23)) / 9 of the published procedure, from 2 strained cells instead of 12.

    The check takes four more evaluations. Where it fails, since the potential is not smooth there,
    Birch and Murnaghan's equation over ± 6 % of volume decides.

    Args:
        session: with the crystal's atoms loaded.
        crystal: at rest.
        options: the strain, tolerance and limits.
        inverse: of the second derivatives by the atoms' coordinates, if known; it saves time.

    Raises:
        MeasurementFailed: if the atoms of a strained cell do not relax.
    """
    strain = options.strain
    fitted = f"Birch and Murnaghan's equation over strains of ± {FIT_STRAINS[-1]:g}"
    try:
        pair = _strained_both_ways(session, crystal, strain * np.eye(3), options, inverse)
    except LeftSaddle:
        raise
    except MeasurementFailed as failure:
        fit = _equation_of_state(session, crystal, options)
        if failure.kind is not FailureKind.NOT_CONVERGED or not fit.is_certain:
            raise
        return SeveralStrains(strain, np.nan, {}).decided("bulk_modulus", fit, fitted)
    rise = np.trace(pair.high.evaluation.pressure - pair.low.evaluation.pressure) / 3
    usual = float(-rise * crystal.volume / (pair.high.volume - pair.low.volume))
    wider = {}
    for each in check_strains(strain):
        low, high = (
            float(np.trace(pair.extrapolated_pressure(session, factor))) / 3
            for factor in (-each / strain, each / strain)
        )
        wider[each] = (low - high) / ((1 + each) ** 3 - (1 - each) ** 3)
    moduli = SeveralStrains(strain, usual, wider)
    if moduli.agree:
        return CheckedProperties({"bulk_modulus": usual})
    return moduli.decided("bulk_modulus", _equation_of_state(session, crystal, options), fitted)


def measure_elasticity(
    session: LammpsSession, cell: LammpsCell, crystal: RelaxedCrystal, options: LammpsOptions
) -> CheckedProperties:
    """Return the elastic constants in the crystal's axes, and what follows from them.

    Raises:
        MeasurementFailed: if the atoms of a strained cell do not relax.
    """
    session.load(elements_of(cell.structure))
    structure = crystal.structure(cell)
    usual, *wider = elastic_tensors(session, crystal, options)
    scale = float(np.abs(usual.voigt).max())
    differences = [float(np.abs(each.voigt - usual.voigt).max()) for each in wider]
    values = elastic_properties(in_crystal_frame(usual, structure))
    if all(each <= MAX_DISAGREEMENT * scale for each in differences):  # not so of NaN
        return CheckedProperties(values)
    found = ", ".join(
        f"{difference:.1f} GPa at {strain:g}"
        for difference, strain in zip(differences, check_strains(options.strain), strict=True)
    )
    found = f"from a strain of {options.strain:g} elastic constants differ by up to {found}"
    fitted, error = _fitted_tensor(session, crystal, options)
    outcome = f"parabolas over ± {SHEAR_FIT_STRAINS[-1]:g} are good to {error:.1f}"
    if error <= MAX_FIT_ERROR * scale:
        values = elastic_properties(in_crystal_frame(fitted, structure))
        remark = f"artefact of one strain: {found}; {outcome}, and give the values"
        return CheckedProperties(values, remarks=dict.fromkeys(values, remark))
    return CheckedProperties(values, dict.fromkeys(values, f"unreliable: {found}; {outcome}"))


def elastic_tensor(
    session: LammpsSession, crystal: RelaxedCrystal, options: LammpsOptions
) -> "ElasticTensor":
    """Return the elastic constants of a relaxed crystal in GPa, in LAMMPS's frame, at the usual
    strain; see ``elastic_tensors``."""
    return elastic_tensors(session, crystal, options)[0]


def elastic_tensors(
    session: LammpsSession, crystal: RelaxedCrystal, options: LammpsOptions
) -> "list[ElasticTensor]":
    """Return the elastic constants of a relaxed crystal in GPa, in LAMMPS's frame, at the usual
    strain and at those that it is checked at.

    Each of the six strains is applied both ways and the atoms are relaxed; what the stress
    changes by is divided by what the strain does. The box is never turned: where LAMMPS's
    triangular form turns it, the stress is turned back.

    Raises:
        MeasurementFailed: if the atoms of a strained cell do not relax.
    """
    strain, wider = options.strain, check_strains(options.strain)
    columns: list[list[list[float]]] = [[] for _ in range(1 + len(wider))]
    for direction in strain_directions():
        pair = _strained_both_ways(session, crystal, strain * direction, options)
        ends = [(strain, pair.low.evaluation.pressure, pair.high.evaluation.pressure)]
        for each in wider:
            low, high = (
                pair.extrapolated_pressure(session, factor)
                for factor in (-each / strain, each / strain)
            )
            ends.append((each, low, high))
        for column, (size, low, high) in zip(columns, ends, strict=True):
            fall = turned_back(low, -size * direction) - turned_back(high, size * direction)
            column.append([float(fall[k, m]) / (2 * size) for k, m in VOIGT])
    return [symmetric_tensor(column) for column in columns]


def strain_directions() -> Iterator[Array]:
    """Yield the displacement gradients of the six strains, shape (3, 3).

    Upper triangular, so that the box stays as LAMMPS wants it; a shear strain, in Voigt's
    notation, is the whole change of the angle.
    """
    for i, j in VOIGT:
        direction = np.zeros((3, 3))
        direction[i, j] = 1.0
        yield direction


def symmetric_tensor(columns: Sequence[Sequence[float]]) -> "ElasticTensor":
    """Return the tensor whose columns are the stresses of ``strain_directions``, made symmetric."""
    constants = np.array(columns).T
    return tensor_of((constants + constants.T) / 2)


def _equation_of_state(
    session: LammpsSession, crystal: RelaxedCrystal, options: LammpsOptions
) -> Fit:
    try:
        cells = _series(session, crystal, np.eye(3), FIT_STRAINS, options)
    except MeasurementFailed:
        return Fit(np.nan, np.nan)
    pressures = [float(np.trace(each.evaluation.pressure)) / 3 for each in cells]
    return birch_murnaghan([each.volume for each in cells], pressures, crystal.volume)


def _fitted_tensor(
    session: LammpsSession, crystal: RelaxedCrystal, options: LammpsOptions
) -> "tuple[ElasticTensor, float]":
    """Return the elastic constants by fits, and the largest standard error in GPa."""
    columns, errors = [], []
    for direction in strain_directions():
        try:
            cells = _series(session, crystal, direction, SHEAR_FIT_STRAINS, options)
        except MeasurementFailed:
            return tensor_of(np.full((6, 6), np.nan)), np.inf
        stresses = np.array(
            [
                -turned_back(cell.evaluation.pressure, strain * direction)
                for strain, cell in zip(SHEAR_FIT_STRAINS, cells, strict=True)
            ]
        )
        fits = [slope(SHEAR_FIT_STRAINS, stresses[:, k, m]) for k, m in VOIGT]
        columns.append([fit.value for fit in fits])
        errors += [fit.error for fit in fits]
    return symmetric_tensor(columns), max(errors)


def _series(
    session: LammpsSession,
    crystal: RelaxedCrystal,
    direction: Array,
    strains: Sequence[float],
    options: LammpsOptions,
) -> list[RelaxedCrystal]:
    """Return the crystal under multiples of a displacement gradient, its atoms relaxed, in order.

    Each way the atoms set out from where they came to rest under the strain before.

    Raises:
        MeasurementFailed: if those of one of the cells do not relax.
    """
    tolerance = max(options.force_tolerance, FIT_FORCE_TOLERANCE)
    options = options.model_copy(update={"force_tolerance": tolerance})
    found: dict[float, RelaxedCrystal] = {}
    for sign in (-1, 1):
        resting, pairs = crystal.positions, crystal.atom_pairs
        for strain in sorted((each for each in strains if each * sign > 0), key=abs):
            gradient = strain * direction
            deformed = np.eye(3) + gradient
            start = resting @ deformed.T
            box = crystal.box @ deformed.T
            here = found[strain] = relax_atoms(session, box, start, options, pairs=pairs)
            resting, pairs = _undone(here.positions, gradient), here.pairs
    return [found[strain] for strain in strains]


def _strained_both_ways(
    session: LammpsSession,
    crystal: RelaxedCrystal,
    strain: Array,
    options: LammpsOptions,
    inverse: Array | None = None,
) -> StrainedPair:
    """Return the crystal under minus and plus a displacement gradient, its atoms relaxed."""

    def strained(
        gradient: Array, positions: Array, pairs: tuple[CurvaturePair, ...]
    ) -> RelaxedCrystal:
        box = crystal.box @ gradient.T
        return relax_atoms(session, box, positions, options, pairs=pairs, inverse=inverse)

    low, high = np.eye(3) - strain, np.eye(3) + strain
    first = strained(low, crystal.positions @ low.T, crystal.atom_pairs)
    # To first order the atoms move as far one way under tension as the other way under pressure.
    second = strained(high, 2 * crystal.positions - first.positions, first.pairs)
    largest = MAX_RESPONSE + 10 * float(np.abs(strain).max())
    for gradient, relaxed in ((-strain, first), (strain, second)):
        resting = _undone(relaxed.positions, gradient)
        if float(np.abs(resting - crystal.positions).max()) > largest:
            raise LeftSaddle(resting)
    return StrainedPair(crystal, first, second, strain)


def _undone(positions: Array, gradient: Array) -> Array:
    """Return positions in the cell before a displacement gradient, shape (n, 3)."""
    return np.asarray(np.linalg.solve(np.eye(3) + gradient, positions.T).T)


def turned_back(pressure: Array, gradient: Array) -> Array:
    """Return a pressure tensor in the axes before the strain turned the crystal."""
    from scipy.linalg import polar  # noqa: PLC0415 (elastic constants alone need it)

    rotation, _ = polar(np.eye(3) + gradient)
    return np.asarray(rotation.T @ pressure @ rotation)
