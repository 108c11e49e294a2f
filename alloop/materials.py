"""Materials and their plain-JSON form.

A material is a pymatgen ``Structure`` or ``Composition``; nothing else crosses a room's
door. Its id is the SHA-256 of its canonical JSON, which is also its address in the artifact
store. The JSON is our own and tiny: reading it can build a material and do nothing else.
"""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from alloop.canonical import canonical_json, sha256
from alloop.errors import MaterialError

# pymatgen takes as long as everything else that `alloop status` does: each function below that
# needs it imports it when it is called.
if TYPE_CHECKING:
    import numpy as np
    from pymatgen.core import Composition, Structure

Material: TypeAlias = Union["Structure", "Composition"]

DECIMALS = 8
"""Number of decimals kept for Å and fractions: far below any physical difference."""


def material_to_json(material: Material) -> dict[str, Any]:
    """Return the plain form of a material: lattice vectors as rows in Å, fractional
    coordinates as given (not wrapped), or element fractions.

    Raises:
        MaterialError: if sites are disordered, or species are not plain elements.
    """
    from pymatgen.core import Composition  # noqa: PLC0415

    if isinstance(material, Composition):
        fractions = material.fractional_composition.get_el_amt_dict()
        return {
            "kind": "composition",
            "fractions": {el: round(float(x), DECIMALS) for el, x in sorted(fractions.items())},
        }
    if not material.is_ordered:
        raise MaterialError("the structure has partly occupied sites", remedy="Order it first.")
    species = [getattr(site.specie, "element", site.specie).symbol for site in material]
    return {
        "kind": "structure",
        "lattice": _rounded(material.lattice.matrix),
        "species": species,
        "frac_coords": _rounded(material.frac_coords),
    }


def material_from_json(data: dict[str, Any]) -> Material:
    """Rebuild a material from its plain form.

    Raises:
        MaterialError: if the form is not one that ``material_to_json`` writes.
    """
    import numpy as np  # noqa: PLC0415
    from pymatgen.core import Composition, Element  # noqa: PLC0415

    try:
        if data["kind"] == "composition":
            return Composition({Element(el): float(x) for el, x in data["fractions"].items()})
        if data["kind"] == "structure":
            symbols = data["species"]
            positions = np.array(data["frac_coords"], dtype=float).reshape(-1, 3)
            if len(symbols) != len(positions):
                raise ValueError(f"{len(symbols)} species on {len(positions)} positions")
            return crystal_of(np.array(data["lattice"], dtype=float), symbols, positions)
    except (KeyError, TypeError, ValueError) as error:
        raise MaterialError(f"this is not a material's JSON ({error})") from error
    raise MaterialError(f"unknown kind of material {data['kind']!r}")


def crystal_of(
    matrix: "np.ndarray", symbols: Sequence[str], frac_coords: "np.ndarray"
) -> "Structure":
    """Return a structure of plain elements, in half the time that pymatgen takes for symbols.

    Args:
        matrix: lattice vectors as rows, Å.
        symbols: element of each site.
        frac_coords: fractional coordinates, shape (sites, 3).

    Raises:
        ValueError: if a symbol is no element's.
    """
    from pymatgen.core import Lattice, Structure  # noqa: PLC0415

    return Structure(Lattice(matrix), [_alone(symbol) for symbol in symbols], frac_coords)


@lru_cache(maxsize=256)
def _alone(symbol: str) -> "Composition":
    """Return the occupancy of a site by one element: of a symbol, pymatgen makes one a site."""
    from pymatgen.core import Composition, Element  # noqa: PLC0415

    return Composition({Element(symbol): 1})


def fractions_in(data: dict[str, Any]) -> dict[str, float]:
    """Return the element fractions of a material's plain form, which sum to one, without building
    the material: a hundred times faster.

    Raises:
        MaterialError: if the form is not one that ``material_to_json`` writes.
    """
    try:
        species = data["fractions"] if data["kind"] == "composition" else Counter(data["species"])
        amounts = {str(symbol): float(x) for symbol, x in species.items()}
        total = sum(amounts.values())
        return {symbol: x / total for symbol, x in amounts.items()}
    except (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError) as error:
        raise MaterialError(f"this is not a material's JSON ({error})") from error


def material_id(material: Material) -> str:
    """Return the material's id: the hash of its canonical JSON (64 hexadecimal digits)."""
    return sha256(canonical_json(material_to_json(material)))


def composition_of(material: Material) -> "Composition":
    """Return element fractions that sum to one."""
    from pymatgen.core import Composition  # noqa: PLC0415

    composition = material if isinstance(material, Composition) else material.composition
    return composition.fractional_composition


def formula_of(material: Material) -> str:
    """Return a formula for people: ``Cr18Fe18Ni18`` for a cell, ``Cr0.3Ni0.7`` otherwise."""
    from pymatgen.core import Composition  # noqa: PLC0415

    if isinstance(material, Composition):
        return "".join(f"{el}{x:.3g}" for el, x in sorted(material.get_el_amt_dict().items()))
    return material.composition.alphabetical_formula.replace(" ", "")


def _rounded(array: "np.ndarray") -> list[list[float]]:
    import numpy as np  # noqa: PLC0415

    # Adding 0.0 turns -0.0, which prints differently, into 0.0.
    return (np.round(np.asarray(array, dtype=float), DECIMALS) + 0.0).tolist()
