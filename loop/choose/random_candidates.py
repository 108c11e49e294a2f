"""Materials drawn at random from a space: the first labels, and the baseline to beat."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
from pymatgen.core import Composition

from alloop.campaigns.spec import CampaignSpec
from alloop.errors import MaterialError, SpecError
from alloop.loop.choose.moves.base import IntArray
from alloop.loop.choose.moves.sampling import MAX_DRAWS
from alloop.loop.choose.moves.structures import StructureMoves
from alloop.loop.choose.screening import (
    CandidateRejection,
    Seen,
    has_enough_distance,
    screen,
)
from alloop.materials import Material
from alloop.models.lattice.decorations import DecorationSpace
from alloop.oracles.options import ListsMaterials
from alloop.parents.rules import PRICE_SLACK
from alloop.space import AnySpace, Compositions, Decorations, Structures

TRIED = 64
"""Number of random draws by which a space is told to be empty."""
BLOCK = 64
"""Number of crystals that are drawn at a time."""


def random_materials(space: AnySpace, seed: int, n: int) -> Iterator[Material]:
    """Yield n unrelaxed materials of a space.

    Decorations have parent lattice, composition and ordering each uniform; compositions have the
    number of elements, which ones, and their fractions uniform. Structures are AFLOW's prototypes
    filled with the space's elements, number of elements, prototype and elements each uniform;
    fewer than n where there are fewer.

    Raises:
        MaterialError: if no prototype can be made of the elements, or none of many compositions
            drawn lies within the fractions.
    """
    rng = np.random.default_rng(seed)
    match space:
        case Decorations():
            return _decorations(space, rng, n)
        case Structures():
            return islice(_crystals(space, rng), n)
        case Compositions():
            return (_composition(space, rng) for _ in range(n))


def _crystals(space: Structures, rng: np.random.Generator) -> Iterator[Material]:
    """Return different prototypes filled with elements, whose atoms are far enough apart, until a
    whole ``BLOCK`` of draws brings nothing new."""
    moves = StructureMoves(space, {})
    return _different(moves, moves.draw(BLOCK, rng), space, rng)


def _different(
    moves: StructureMoves, drawn: IntArray, space: Structures, rng: np.random.Generator
) -> Iterator[Material]:
    seen: set[bytes] = set()
    while new := {key: code for code in drawn if (key := code.tobytes()) not in seen}:
        seen.update(new)
        for crystal in moves.decode(np.array(list(new.values()))):
            if has_enough_distance(crystal, space) is None:
                yield crystal
        drawn = moves.draw(BLOCK, rng)


def check_not_empty(spec: CampaignSpec) -> None:
    """Check that candidates can be made, before anything is measured.

    Of a table every row is looked at, of a space ``TRIED`` random draws.

    Raises:
        SpecError: naming the rule that refused the most, with an example.
        MaterialError: if nothing can be drawn.
    """
    first = spec.tiers[0]
    if spec.draws_rows and isinstance(first, ListsMaterials):
        materials: Iterable[Material] = first.list_materials()
    else:
        materials = random_materials(spec.space, spec.seed, TRIED)
    refused: list[CandidateRejection] = []
    for material in materials:
        if (rejection := screen(material, spec.space, Seen(space=spec.space))) is None:
            return
        refused.append(rejection)
    if not refused:
        raise SpecError(
            "no candidate can be made: in no known structure type of these elements are the atoms "
            "far enough apart",
            where="space.min_distance",
            remedy="Lower it, allow more atoms, or take more elements.",
        )
    (rule, n), *_ = Counter(one.rule for one in refused).most_common(1)
    example = next(one.reason for one in refused if one.rule == rule)
    raise SpecError(
        f"none of {len(refused)} candidates is allowed: {rule} refuses {n}, for example as "
        f"{example}",
        where="space",
        remedy=f"Loosen what the space says of {rule}.",
    )


def _decorations(space: Decorations, rng: np.random.Generator, n: int) -> Iterator[Material]:
    decorations = DecorationSpace.of_space(space)
    for _ in range(n):
        codes, lattices = decorations.draw(1, rng)
        yield decorations.structure(codes[0], int(lattices[0]))


def _composition(space: Compositions, rng: np.random.Generator) -> Composition:
    n_parts = space.n_parts
    low, high = np.array([space.part_bounds(el) for el in space.elements], dtype=float).T
    excess = space.price_excess
    prices = np.array([excess.get(el, 0.0) for el in space.elements])
    fewest, most = space.element_numbers()
    for _ in range(MAX_DRAWS):
        others = rng.permutation(np.flatnonzero(low == 0))
        needed = np.flatnonzero(low > 0)
        number = int(rng.integers(fewest, most + 1))
        chosen = np.concatenate([needed, others[: number - len(needed)]])
        free = n_parts - low[chosen].sum()
        parts = low.copy()
        parts[chosen] += np.floor(free * rng.dirichlet(np.ones(len(chosen))))
        parts[rng.choice(chosen)] += n_parts - parts.sum()
        if parts @ prices > PRICE_SLACK * n_parts:
            continue
        if free >= 0 and (parts <= high).all() and np.count_nonzero(parts) == number:
            named = zip(space.elements, parts, strict=True)
            return Composition({symbol: part / n_parts for symbol, part in named if part})
    raise MaterialError(
        f"none of {MAX_DRAWS} compositions drawn at random lies within the fractions",
        remedy="Widen the space's fractions.",
    )
