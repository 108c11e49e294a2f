"""Cells that stand for a composition."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Composition, Lattice, Structure

from alloop.materials import composition_of, crystal_of, formula_of
from alloop.oracles.alloy_cells.clusters import IntArray, clusters_of, short_range_order
from alloop.oracles.alloy_cells.options import CellOptions
from alloop.oracles.alloy_cells.quasirandom import quasirandom
from alloop.parents.sizes import volume_per_site
from alloop.seeds import derive_seed


@dataclass(frozen=True)
class AlloyCell:
    """One cell of an alloy, unrelaxed."""

    structure: Structure
    seed: int
    """Seed of its ordering."""
    short_range_order: Mapping[str, float]
    """Largest deviation of a share of clusters from the random alloy's, by kind of cluster."""


def site_counts(alloy: Composition, n_sites: int) -> dict[str, int]:
    """Return an alloy's numbers of sites: each fraction rounded down or up, those with the largest
    remainders up; without elements that get none."""
    fractions = dict(sorted(composition_of(alloy).get_el_amt_dict().items()))
    exact = {symbol: n_sites * share for symbol, share in fractions.items()}
    counts = {symbol: int(number + 1e-6) for symbol, number in exact.items()}
    most_left = sorted(exact, key=lambda symbol: counts[symbol] - exact[symbol])
    for symbol in most_left[: n_sites - sum(counts.values())]:
        counts[symbol] += 1
    return {symbol: number for symbol, number in counts.items() if number}


def alloy_cell(alloy: Composition, options: CellOptions, place: int = 0) -> AlloyCell:
    """Return a cell of an alloy, its volume the mean of the elements'.

    The seed of the ordering follows from the cell's formula, so alloys that round to the same
    numbers of sites have the same cell.

    Args:
        alloy: any.
        options: lattice, size and kind.
        place: 0 for the first cell, 1 for the next.

    Raises:
        MaterialError: if an element has no tabulated volume.
    """
    bare = _bare_cell(options)
    counts = site_counts(alloy, len(bare))
    symbols = list(counts)
    species: IntArray = np.repeat(np.arange(len(symbols)), list(counts.values()))
    formula = " ".join(f"{symbol}{number}" for symbol, number in counts.items())
    seed = derive_seed("alloy cell", options.lattice, len(bare), options.kind, formula, place)
    rng = np.random.default_rng(seed)
    clusters = clusters_of(bare)
    if options.kind == "sqs":
        species = quasirandom(clusters, species, rng)
    else:
        species = rng.permutation(species)
    names = [symbols[each] for each in species]
    edge = np.cbrt(volume_per_site(names, ()))
    structure = crystal_of(bare.lattice.matrix * edge, names, bare.frac_coords)
    return AlloyCell(structure, seed, short_range_order(clusters, species, len(symbols)))


def rounding(alloy: Composition, options: CellOptions) -> str:
    """Return in words what rounding to sites made of an alloy; empty where it changed nothing."""
    n_sites = len(_bare_cell(options))
    exact = composition_of(alloy)
    counts = site_counts(alloy, n_sites)
    off = {
        element.symbol: abs(counts.get(element.symbol, 0) / n_sites - exact[element])
        for element in exact.elements
    }
    if max(off.values()) < 1e-6:
        return ""
    lost = [symbol for symbol in sorted(off) if symbol not in counts]
    without = f", without {', '.join(lost)}" if lost else ""
    return (
        f"{formula_of(exact)} rounded to {n_sites} sites{without}, no fraction changed by more "
        f"than {100 * max(off.values()):.2g} at. %"
    )


def _bare_cell(options: CellOptions) -> Structure:
    """Return the sites of a cell, one unit of volume each, with hydrogen on all of them."""
    unit = options.unit_cell()
    edge = (len(unit.labels) / unit.volume) ** (1 / 3)
    lattice = Lattice(edge * np.array(unit.vectors))
    cell = Structure(lattice, ["H"] * len(unit.labels), np.array(unit.coords))
    return cell * options.repeats()
