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


LONGEST_STEP = 0.2
"""Longest step of an atom, Å; ASE's own choice."""
LARGEST_STRAIN = 0.05
"""Largest strain of one step. In a cell of two atoms the longest step alone would be one of 14 %,
which takes a soft crystal out of its minimum."""


def max_step(n_atoms: int) -> float:
    """Return the longest step of a relaxation of cell and atoms in its scaled coordinates, Å."""
    return min(LONGEST_STEP, LARGEST_STRAIN * cell_scale(n_atoms))
