"""Symbols of the chemical elements, known without importing pymatgen.

A campaign's spec is read by commands that take a tenth of a second; pymatgen's ``Element`` takes
twice as long as such a command has. The symbols are IUPAC's, in the order of atomic numbers
(Periodic Table of the Elements, 4 May 2022), and those of hydrogen's heavy isotopes, which
pymatgen takes for elements too.
"""

_PERIODS = (
    "H He",
    "Li Be B C N O F Ne",
    "Na Mg Al Si P S Cl Ar",
    "K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr",
    "Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe",
    "Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po "
    "At Rn",
    "Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv "
    "Ts Og",
)

ELEMENTS: tuple[str, ...] = tuple(" ".join(_PERIODS).split())
"""Symbols of all 118 elements, by atomic number from 1."""

ISOTOPES = ("D", "T")
"""Symbols of deuterium and tritium."""

_KNOWN = frozenset((*ELEMENTS, *ISOTOPES))


def is_element(symbol: str) -> bool:
    """Return whether a text is the symbol of an element or of a heavy isotope of hydrogen."""
    return symbol in _KNOWN


def checked_symbol(symbol: str) -> str:
    """Return a symbol that is one; for the fields of pydantic models.

    Raises:
        ValueError: if it is none.
    """
    if not is_element(symbol):
        raise ValueError(f"{symbol!r} is not a chemical element; write its symbol, such as Ni")
    return symbol
