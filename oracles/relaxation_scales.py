"""Scales by which relaxations that ASE steers take few steps."""

import math

CURVATURE = 15.0
"""Curvature assumed before any is known, eV/Å²: about that of an atom in a metal. ASE's own guess,
70, takes twice the steps."""


def cell_scale(n_atoms: int) -> float:
    """Return the factor of a cell's logarithmic strain among the coordinates of a relaxation, Å.

    With √n a strain is about as stiff as an atom is, whatever the number of atoms: n V C / √n² is
    15 eV/Å² for a volume of 12 Å³ per atom and an elastic constant of 200 GPa. ASE's own choice,
    n, leaves large cells soft: a random bcc Ni18Fe18Cr18 took 114 evaluations, with √n 58, of
    CHGNet; of SevenNet 14.
    """
    return math.sqrt(n_atoms)
