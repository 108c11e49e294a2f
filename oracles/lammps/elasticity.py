"""Elastic moduli from the pressure under small strains."""

import numpy as np

from oracles.lammps.options import LammpsOptions
from oracles.lammps.relaxation import Relaxed, relax_atoms
from oracles.lammps.session import Session


def bulk_modulus(session: Session, crystal: Relaxed, options: LammpsOptions) -> float:
    """Return −V dP/dV of a relaxed crystal in GPa, its atoms relaxed at either volume.

    The cell shrinks and grows by the same strain of every length; the pressure is the mean over
    the three directions. For small strains this is the Voigt average (C11 + C22 + C33 +
    2 (C12 + C13 + C23)) / 9 of the published procedure, from 2 strained cells instead of 12.

    Raises:
        Unmeasurable: if the atoms of a strained cell do not relax.
    """
    smaller, larger = 1 - options.strain, 1 + options.strain
    shrunk = relax_atoms(
        session, crystal.box * smaller, crystal.positions * smaller, crystal.pairs, options
    )
    # To first order the atoms move as far one way under tension as the other way under pressure.
    mirrored = 2 * crystal.positions - shrunk.positions
    grown = relax_atoms(session, crystal.box * larger, mirrored, shrunk.pairs, options)
    rise = np.trace(grown.evaluation.pressure - shrunk.evaluation.pressure) / 3
    return float(-rise * crystal.volume / (grown.volume - shrunk.volume))
