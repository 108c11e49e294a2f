"""What is known of the elements: from pymatgen and matminer, never from tables of our own."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
from matminer.featurizers.composition import Miedema
from matminer.utils.data import MagpieData, MixingEnthalpy
from pymatgen.core import Element

from alloop.errors import MaterialError


@dataclass(frozen=True)
class ElementTable:
    """Elemental data, one entry per element in the order of ``symbols``."""

    symbols: tuple[str, ...]
    bulk_modulus: np.ndarray
    """Bulk moduli, GPa, shape (e,): pymatgen's, or else those of matminer's Miedema table."""
    molar_volume: np.ndarray
    """Molar volumes, cm³/mol, shape (e,): pymatgen's."""
    melting_point: np.ndarray
    """Melting points, K, shape (e,): pymatgen's."""
    valence_electrons: np.ndarray
    """Electrons outside the noble-gas core and filled 4f or, in the p block, d shells, shape (e,).

    By group, as in S. Guo et al., J. Appl. Phys. 109 (2011) 103505.
    """
    radius: np.ndarray
    """Atomic radii (Slater's), Å, shape (e,): pymatgen's."""
    electronegativity: np.ndarray
    """Pauling electronegativities, shape (e,): pymatgen's."""
    mixing_enthalpy: np.ndarray
    """Mixing enthalpies of equimolar binary liquids, kJ/mol, shape (e, e), zero on the diagonal:
    matminer's table of A. Takeuchi and A. Inoue, Mater. Trans. 46 (2005) 2817."""
    atomic_volume: np.ndarray
    """Volumes per atom of the elements' ground states, Å³, shape (e,): Magpie's, from OQMD."""
    space_group: np.ndarray
    """Number, of the element's ground state, shape (e,): Magpie's."""


def element_table(symbols: Sequence[str]) -> ElementTable:
    """Return the data of some elements.

    Raises:
        MaterialError: if one of them has no entry in one of the tables.
    """
    return _cached_table(tuple(symbols))


@lru_cache(maxsize=8)
def _cached_table(symbols: tuple[str, ...]) -> ElementTable:
    elements = [Element(symbol) for symbol in symbols]
    columns = {
        "bulk_modulus": [_bulk_modulus(element) for element in elements],
        "molar_volume": [_of_pymatgen(element, "molar_volume") for element in elements],
        "melting_point": [_of_pymatgen(element, "melting_point") for element in elements],
        "valence_electrons": [_valence_electrons(element) for element in elements],
        "radius": [_of_pymatgen(element, "atomic_radius") for element in elements],
        "electronegativity": [_of_pymatgen(element, "X") for element in elements],
        "atomic_volume": [_of_magpie(element, "GSvolume_pa") for element in elements],
        "space_group": [_of_magpie(element, "SpaceGroupNumber") for element in elements],
    }
    for quantity, values in columns.items():
        for element, value in zip(elements, values, strict=True):
            if not np.isfinite(value):
                raise _unknown(element.symbol, quantity.replace("_", " "))
    return ElementTable(
        symbols=symbols,
        **{quantity: np.array(values, dtype=float) for quantity, values in columns.items()},
        mixing_enthalpy=_mixing_enthalpies(elements),
    )


def _of_pymatgen(element: Element, name: str) -> float:
    with warnings.catch_warnings():  # pymatgen warns where it has no value; we raise or look on
        warnings.simplefilter("ignore", UserWarning)
        value = getattr(element, name)
    return float("nan") if value is None else float(value)


def _of_magpie(element: Element, name: str) -> float:
    return float(MagpieData(impute_nan=False).get_elemental_property(element, name))


def _bulk_modulus(element: Element) -> float:
    value = _of_pymatgen(element, "bulk_modulus")
    if np.isfinite(value):
        return value
    # The column is called compressibility and holds its inverse, in GPa (Os: 418, Fe: 168).
    table = Miedema(impute_nan=False).df_dataset["compressibility"]
    return float(table.get(element.symbol, float("nan")))


def _valence_electrons(element: Element) -> float:
    if element.is_lanthanoid or element.is_actinoid:
        return 3.0
    return float(element.group if element.group <= 12 else element.group - 10)


def _mixing_enthalpies(elements: Sequence[Element]) -> np.ndarray:
    table = MixingEnthalpy(impute_nan=False)
    matrix = np.zeros((len(elements), len(elements)))
    for (i, a), (j, b) in combinations(enumerate(elements), 2):
        value = float(table.get_mixing_enthalpy(a, b))
        if not np.isfinite(value):
            raise _unknown(f"{a.symbol}–{b.symbol}", "mixing enthalpy")
        matrix[i, j] = matrix[j, i] = value
    return matrix


def _unknown(what: str, quantity: str) -> MaterialError:
    return MaterialError(
        f"no {quantity} is known for {what}",
        remedy="Leave the element out of the space, or use a model without descriptors.",
    )
