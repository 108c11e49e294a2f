"""Matching of structures by pymatgen's ``StructureMatcher``."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure

from alloop.materials import formula_of

MATCHER = StructureMatcher(stol=0.5, angle_tol=10, ltol=0.3)
"""Matcher with the tolerances of CDVAE (section 5.1) and AlloGen (section 4.1)."""


@dataclass(frozen=True)
class Match:
    """Share of reconstructions that match their originals, and their displacements."""

    rate: float
    """Share of all pairs that match."""
    rmse: float
    """Mean over the matching pairs of the root mean square displacement, in units of the cube
    root of the volume per atom; NaN where none matches."""
    displacements: tuple[float | None, ...]
    """Displacement of each pair, in the unit of ``rmse``; None where the pair does not match."""


def match(pairs: Iterable[tuple[Structure, Structure]]) -> Match:
    """Compare originals with their reconstructions."""
    found = [_displacement(original, copy) for original, copy in pairs]
    good = [displacement for displacement in found if displacement is not None]
    return Match(
        rate=len(good) / len(found) if found else float("nan"),
        rmse=float(np.mean(good)) if good else float("nan"),
        displacements=tuple(found),
    )


def uniqueness(structures: Sequence[Structure]) -> float:
    """Return the share of structures that match none before them; NaN for no structures."""
    return _unmatched_share(structures, known=(), among_themselves=True)


def novelty(structures: Sequence[Structure], known: Iterable[Structure]) -> float:
    """Return the share of structures that match none of the known ones; NaN for no structures."""
    return _unmatched_share(structures, known=known, among_themselves=False)


def _unmatched_share(
    structures: Sequence[Structure], *, known: Iterable[Structure], among_themselves: bool
) -> float:
    by_formula = defaultdict(list)
    for structure in known:
        by_formula[_reduced_formula(structure)].append(structure)
    n_without = 0
    for structure in structures:
        others = by_formula[_reduced_formula(structure)]
        if not any(MATCHER.fit(structure, other) for other in others):
            n_without += 1
            if among_themselves:
                others.append(structure)
    return n_without / len(structures) if structures else float("nan")


def _reduced_formula(structure: Structure) -> str:
    return formula_of(structure.composition.reduced_composition)


def _displacement(one: Structure, other: Structure) -> float | None:
    found = MATCHER.get_rms_dist(one, other)
    return None if found is None else float(found[0])
