"""Whether a crystal is still on its parent lattice once it is relaxed.

A decoration is proposed on fcc or bcc sites, but relaxation may carry it off them: two in three
random ternary bcc cells of Ni, Fe and Cr do not stay bcc with the Wu-Lee-Su potential.
"""

from pymatgen.core import Structure

from alloop.materials import Material
from alloop.oracles.crystal_frame import parent_frame
from alloop.properties import PARENT_LATTICE_KEPT


def lattice_of_sites(structure: Structure) -> str | None:
    """Return fcc or bcc, whichever lattice the sites form on average, relaxed or not."""
    frame = parent_frame(structure)
    return None if frame is None else frame.parent


def parent_lattice_kept(proposed: Material, relaxed: Material | None) -> dict[str, float]:
    """Return the property of this name: 1 where the relaxed sites form the proposed ones' lattice,
    0 where they do not; nothing where there is no such lattice, or nothing relaxed.
    """
    if not isinstance(proposed, Structure) or not isinstance(relaxed, Structure):
        return {}
    lattice = lattice_of_sites(proposed)
    if lattice is None:
        return {}
    return {PARENT_LATTICE_KEPT: float(lattice_of_sites(relaxed) == lattice)}
