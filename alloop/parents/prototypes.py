"""Prototypes of parent lattices by name: space group, orbits of sites, and ideal axial ratios.

Sites are labelled as in the general formula: A, B for metals, X for anions. Positions are those of
the *Strukturbericht* and of the AFLOW prototypes (Mehl et al., Comput. Mater. Sci. 136, S1 (2017));
free parameters have the value of the named compound.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

IDEAL_HCP = 1.632993161855452
"""Ratio c/a of touching spheres, √(8/3)."""


@dataclass(frozen=True)
class Prototype:
    """A structure type: orbits of sites under a space group, in its conventional cell."""

    space_group: str
    """Symbol that pymatgen knows, with the origin choice where there are two."""
    orbits: tuple[tuple[str, tuple[float, float, float]], ...]
    """Label and one position of each orbit."""
    n_sites: int
    """Number of sites of the conventional cell, to check the orbits by."""
    system: str = "cubic"
    """Crystal system of the cell: cubic, tetragonal or hexagonal."""
    c_over_a: float = 1.0
    """Ideal ratio, where c is not given."""
    after: str = ""
    """The compound or element that it is named after."""


_O, _H = (0.0, 0.0, 0.0), (0.5, 0.5, 0.5)
_THIRD = 1 / 3

PROTOTYPES: Mapping[str, Prototype] = MappingProxyType(
    {
        "fcc": Prototype("Fm-3m", (("A", _O),), 4, after="Cu"),
        "bcc": Prototype("Im-3m", (("A", _O),), 2, after="W"),
        "sc": Prototype("Pm-3m", (("A", _O),), 1, after="Po"),
        "hcp": Prototype(
            "P6_3/mmc", (("A", (_THIRD, 2 / 3, 0.25)),), 2, "hexagonal", IDEAL_HCP, "Mg"
        ),
        "diamond": Prototype("Fd-3m:2", (("A", (0.125,) * 3),), 8, after="C"),
        "B2": Prototype("Pm-3m", (("A", _O), ("B", _H)), 2, after="CsCl"),
        "L1_0": Prototype(
            "P4/mmm", (("A", _O), ("B", _H)), 2, "tetragonal", 1.4142135623730951, "CuAu"
        ),
        "L1_2": Prototype("Pm-3m", (("B", _O), ("A", (0.0, 0.5, 0.5))), 4, after="Cu3Au"),
        "L2_1": Prototype("Fm-3m", (("A", (0.25,) * 3), ("B", _O), ("C", _H)), 16, after="Cu2MnAl"),
        "rocksalt": Prototype("Fm-3m", (("A", _O), ("X", _H)), 8, after="NaCl"),
        "zincblende": Prototype("F-43m", (("A", _O), ("X", (0.25,) * 3)), 8, after="ZnS"),
        "wurtzite": Prototype(
            "P6_3mc",
            (("A", (_THIRD, 2 / 3, 0.0)), ("X", (_THIRD, 2 / 3, 0.375))),
            4,
            "hexagonal",
            IDEAL_HCP,
            "ZnS",
        ),
        "fluorite": Prototype("Fm-3m", (("A", _O), ("X", (0.25,) * 3)), 12, after="CaF2"),
        "rutile": Prototype(
            "P4_2/mnm", (("A", _O), ("X", (0.305, 0.305, 0.0))), 6, "tetragonal", 0.644, "TiO2"
        ),
        "perovskite": Prototype(
            "Pm-3m", (("A", _O), ("B", _H), ("X", (0.5, 0.5, 0.0))), 5, after="CaTiO3"
        ),
        "spinel": Prototype(
            "Fd-3m:2",
            (("A", (0.125,) * 3), ("B", _H), ("X", (0.2624,) * 3)),
            56,
            after="MgAl2O4",
        ),
        "layered-oxide": Prototype(
            "R-3m:H",
            (("A", (0.0, 0.0, 0.5)), ("B", _O), ("X", (0.0, 0.0, 0.2605))),
            12,
            "hexagonal",
            4.99,
            "LiCoO2 (α-NaFeO2)",
        ),
    }
)
"""Structure types, by the name that a spec has for them."""

SAME_AS: Mapping[str, str] = MappingProxyType(
    {
        "L12": "L1_2",
        "L10": "L1_0",
        "L21": "L2_1",
        "CsCl": "B2",
        "NaCl": "rocksalt",
        "B1": "rocksalt",
        "heusler": "L2_1",
        "A1": "fcc",
        "A2": "bcc",
        "A3": "hcp",
        "A4": "diamond",
        "L1₂": "L1_2",
        "L1₀": "L1_0",
        "L2₁": "L2_1",
    }
)
"""Other spellings."""
