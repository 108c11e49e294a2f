"""Published values that the LAMMPS oracle is compared with, and how sure their sources are."""

from dataclasses import dataclass

FACES: list[list[float]] = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
BODY: list[list[float]] = [[0, 0, 0], [0.5, 0.5, 0.5]]
POTENTIAL = "NiFeCr-Wu2017"


@dataclass(frozen=True)
class Crystal:
    """A cubic element under a potential, and what is published of it."""

    potential: str
    element: str
    sites: list[list[float]]
    edge: float
    """Approximate edge of the cubic cell, Å."""
    constants: tuple[float, float, float] | None
    """C11, C12 and C44, GPa; None where none were found."""
    source: str
    is_confirmed: bool
    """Whether the numbers were seen in a text that cites the source, or stand from memory."""


CRYSTALS = {
    # The potential's elements are fitted to experimental constants near 0 K. The table of
    # Calphad 57 (2017) 98 itself was not to be had.
    "ni": Crystal(
        POTENTIAL,
        "Ni",
        FACES,
        3.52,
        (261.2, 150.8, 131.7),
        "G. Simmons, H. Wang, Single Crystal Elastic Constants (1971)",
        is_confirmed=False,
    ),
    # Seen as B = 173.1, C' = 52.5 and C44 = 121.9 GPa, which are these three.
    "fe": Crystal(
        POTENTIAL,
        "Fe",
        BODY,
        2.86,
        (243.1, 138.1, 121.9),
        "J. A. Rayne, B. S. Chandrasekhar, Phys. Rev. 122 (1961) 1714",
        is_confirmed=True,
    ),
    "cr": Crystal(POTENTIAL, "Cr", BODY, 2.88, None, "none found", is_confirmed=False),
    "cu": Crystal(
        "Cu_mishin1.eam.alloy",
        "Cu",
        FACES,
        3.615,
        (169.9, 122.6, 76.2),
        "Y. Mishin et al., Phys. Rev. B 63 (2001) 224106, EAM1",
        is_confirmed=True,
    ),
}

CHROMIUM_NEAR_0_K = (391.0, 89.6, 103.2)
"""Elastic constants C11, C12 and C44 by experiment, GPa, from memory of Simmons and Wang. Not
what this potential gives: see the note."""

ROSE = {
    # Ec (eV), alpha, alat (Å), atoms in the cube: lines "esub", "alpha" and "alat" of library.meam
    "ni": (4.450, 5.0842175782, 3.5213917703, 4),
    "fe": (4.290, 5.1571615396, 2.8636573352, 2),
    "cr": (4.100, 5.5800716432, 2.8809778433, 2),
}
"""The published parameters that fix the bulk modulus of each element exactly: B = Ec α² / 9Ω."""

DEFECTS = {
    # Table 1 of Y. Lysogorskiy et al., npj Comput. Mater. 7 (2021) 97, column EAM: J/m², mJ/m²
    "cu": (1.35, 1.48, 1.24, 45.0),
    # B.-J. Lee, J.-H. Shim, M. I. Baskes, Phys. Rev. B 68 (2003) 144112, from memory
    "ni": (1.943, 2.057, 1.606, 125.0),
}
"""Surface energies of {100}, {110} and {111}, and the intrinsic stacking-fault energy."""
