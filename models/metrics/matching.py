"""Matching of structures by pymatgen's ``StructureMatcher``."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Composition, Structure

from alloop.materials import Material, formula_of

MATCHER = StructureMatcher(stol=0.5, angle_tol=10, ltol=0.3)
"""Matcher with the tolerances of CDVAE (section 5.1) and AlloGen (section 4.1)."""


Alike = Callable[[Any, Any], bool]
"""Function that tells whether two materials of one kind are the same."""


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


def uniqueness(materials: Sequence[Material], alike: Alike = MATCHER.fit) -> float:
    """Return the share of materials that match none before them; NaN for no materials."""
    return _unmatched_share(materials, (), alike, among_themselves=True)


def novelty(
    materials: Sequence[Material], known: Iterable[Material], alike: Alike = MATCHER.fit
) -> float:
    """Return the share of materials that match none of the known ones; NaN for no materials."""
    return _unmatched_share(materials, known, alike, among_themselves=False)


def _unmatched_share(
    materials: Sequence[Material],
    known: Iterable[Material],
    alike: Alike,
    *,
    among_themselves: bool,
) -> float:
    by_formula = defaultdict(list)
    for material in known:
        by_formula[_group(material)].append(material)
    n_without = 0
    for material in materials:
        others = by_formula[_group(material)]
        if not any(alike(material, other) for other in others):
            n_without += 1
            if among_themselves:
                others.append(material)
    return n_without / len(materials) if materials else float("nan")


def _group(material: Material) -> str:
    """Return what materials that match agree in: crystals their formula, alloys nothing."""
    if isinstance(material, Composition):
        return ""
    return formula_of(material.composition.reduced_composition)


def _displacement(one: Structure, other: Structure) -> float | None:
    found = MATCHER.get_rms_dist(one, other)
    return None if found is None else float(found[0])
