"""Initial magnetic moments, from which the search for the spin density begins."""

from collections.abc import Mapping

import numpy as np
from pymatgen.core import Structure

from alloop.oracles.base import FailureKind
from alloop.oracles.failure import MeasurementFailed

MOMENTS = {"Cr": 1.5, "Mn": 3.0, "Fe": 3.0, "Co": 2.0, "Ni": 1.0}
"""Initial moments, µB. Somewhat more than the moments of the pure metals (Fe 2.2, Co 1.7, Ni
0.6, antiferromagnetic Cr about 1 in PBE), since a calculation that begins too low may lose its
moment."""

DEFAULT_MOMENT = 0.6
"""Initial moment of all other elements, µB: the default of the Materials Project's input sets."""

FERROMAGNETIC = frozenset({"Fe", "Co", "Ni"})

NEIGHBOUR_RATIO = 1.1
"""Largest distance of nearest neighbours, as a multiple of the shortest: the bcc lattice has its
second shell at 1.155, the fcc lattice at 1.414."""


def initial_moments(structure: Structure, given: Mapping[str, float]) -> list[float]:
    """Return a moment in µB for every site.

    Moments are parallel, but for chromium in a bcc crystal: there it stands against its
    neighbours, alternating in pure chromium and antiparallel to iron, cobalt and nickel.

    Args:
        structure: the crystal.
        given: moments that are known better, by element.

    Raises:
        MeasurementFailed: for an element whose f shell allows no guess, unless it is given.
    """
    symbols = [site.specie.symbol for site in structure]
    moments = np.array([_initial_moment(site.specie, given) for site in structure])
    if "Cr" in symbols and _is_bcc(structure):
        chromium = np.array([symbol == "Cr" for symbol in symbols])
        if FERROMAGNETIC & set(symbols):
            moments[chromium] *= -1
        else:
            moments[chromium] *= _alternating(structure)[chromium]
    return [float(moment) for moment in moments]


def _initial_moment(element: object, given: Mapping[str, float]) -> float:
    symbol = str(getattr(element, "symbol", element))
    if symbol in given:
        return given[symbol]
    if getattr(element, "block", "") == "f":
        raise MeasurementFailed(
            FailureKind.UNSUPPORTED,
            f"no initial moment is known for {symbol}; write magmoms: {{{symbol}: ...}}",
        )
    return MOMENTS.get(symbol, DEFAULT_MOMENT)


def _neighbours(structure: Structure) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs (i, j) of nearest neighbours, periodic images included."""
    reach = 2.5 * (structure.volume / len(structure)) ** (1 / 3)
    centres, neighbours, _, distances = structure.get_neighbor_list(reach)
    nearest = np.full(len(structure), np.inf)
    np.minimum.at(nearest, centres, distances)
    close = distances < NEIGHBOUR_RATIO * nearest[centres]
    return centres[close], neighbours[close]


def _is_bcc(structure: Structure) -> bool:
    centres, _ = _neighbours(structure)
    counts = np.bincount(centres, minlength=len(structure))
    return bool(np.median(counts) <= 9)  # bcc has 8 nearest neighbours, fcc and hcp have 12


def _alternating(structure: Structure) -> np.ndarray:
    """Return ±1 per site so that neighbours differ, as far as the cell allows."""
    centres, neighbours = _neighbours(structure)
    signs = np.zeros(len(structure))
    for start in range(len(structure)):
        if signs[start]:
            continue
        signs[start], waiting = 1.0, [start]
        while waiting:
            site = waiting.pop()
            for other in neighbours[centres == site]:
                if not signs[other]:
                    signs[other] = -signs[site]
                    waiting.append(int(other))
    return signs
