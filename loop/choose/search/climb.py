"""Chains of moves that climb an acquisition: many at once, cooled from bold to greedy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from alloop.loop.choose.moves.base import FloatArray, IntArray, Moves
from alloop.loop.choose.moves.equivalents import IsKnown

Score = Callable[[IntArray], FloatArray]
"""Acquisition of codes (n, k), shape (n,), in logarithms."""

Mutate = Callable[[IntArray, IntArray, np.random.Generator], IntArray]
"""One random move of every row: codes (n, k) and the chain of each row (n,), to codes (n, k)."""

HOT, COLD = 1.0, 0.05
"""First and last temperature, in units of the logarithm of the acquisition."""
KEPT_PER_STEP = 256
"""Number of the best scored candidates that are kept from every step."""
SAME = 6
"""Decimals to which the scores of equivalent candidates agree; one of them is enough."""
P_SECOND_MOVE = 0.3
"""Probability that a step makes two moves at once."""
REDRAWN = 3
"""Number of times that a move to something known is drawn anew."""


@dataclass(frozen=True)
class ChainGroup:
    """Chains that begin alike and move alike."""

    name: str
    """Where they begin, for the ledger."""
    starts: IntArray
    """Places where the chains begin, shape (chains, k)."""
    mutate: Mutate


@dataclass(frozen=True)
class Climbed:
    """Candidates that were met in a climb, the best first."""

    codes: IntArray
    scores: FloatArray
    group: IntArray
    """Group of the chain that each was met by, shape (n,)."""
    chain: IntArray
    """Chain within its group, shape (n,)."""
    n_scored: int


def plain_moves(moves: Moves) -> Mutate:
    """Return the moves of a space, the same for every chain."""
    return lambda codes, chains, rng: moves.mutate(codes, rng)


def climb(
    score: Score,
    groups: Sequence[ChainGroup],
    rng: np.random.Generator,
    *,
    steps: int,
    neighbours: int,
    most: int,
    is_known: IsKnown | None = None,
) -> Climbed:
    """Climb from every start; return the best that was met, one of those that score the same.

    In every step a chain looks at some neighbours, draws one of them in proportion to their
    acquisition to the power of one over the temperature, and goes there by Metropolis' rule.

    Args:
        score: of codes; whatever is out of bounds is not asked for.
        groups: of chains.
        rng: the only source of chance.
        steps: of every chain.
        neighbours: that a chain looks at in a step.
        most: candidates to return.
        is_known: what need not be looked at once more, where that can be told.
    """
    groups = [group for group in groups if len(group.starts)]
    starts = np.concatenate([group.starts for group in groups])
    sizes = [len(group.starts) for group in groups]
    group_of = np.repeat(np.arange(len(groups)), sizes)
    chain_of = np.concatenate([np.arange(size) for size in sizes])
    current, values = starts.copy(), score(starts)
    kept: dict[bytes, tuple[float, int]] = {}
    _keep(kept, current, values, np.arange(len(starts)))
    everybody, n_scored = np.arange(len(starts)), len(starts)
    for step in range(steps):
        temperature = HOT * (COLD / HOT) ** (step / max(1, steps - 1))
        rows = np.repeat(everybody, neighbours)
        near = _neighbours(groups, current, group_of, chain_of, rows, rng)
        if is_known is not None:
            again = np.flatnonzero(is_known(near))
            for _ in range(REDRAWN):
                near[again] = _neighbours(groups, current, group_of, chain_of, rows[again], rng)
                again = again[is_known(near[again])]
        found = score(near)
        n_scored += len(near)
        _keep(kept, near, found, rows)
        table = found.reshape(len(starts), neighbours)
        drawn = (table + temperature * rng.gumbel(size=table.shape)).argmax(axis=1)
        chosen = everybody * neighbours + drawn
        rise = found[chosen] - values
        goes = np.log(rng.random(len(starts))) < rise / temperature
        current[goes], values[goes] = near[chosen[goes]], found[chosen[goes]]
    ordered = sorted(kept.items(), key=lambda item: (-item[1][0], item[0]))
    first = np.unique([round(-value, SAME) for _, (value, _) in ordered], return_index=True)[1]
    best = [ordered[place] for place in first[:most]]
    codes = np.array([np.frombuffer(key, dtype=starts.dtype) for key, _ in best])
    rows = np.array([row for _, (_, row) in best])
    return Climbed(
        codes, np.array([value for _, (value, _) in best]), group_of[rows], chain_of[rows], n_scored
    )


def _neighbours(
    groups: Sequence[ChainGroup],
    current: IntArray,
    group_of: IntArray,
    chain_of: IntArray,
    rows: IntArray,
    rng: np.random.Generator,
) -> IntArray:
    """Return a neighbour of the chain in each of these rows, which are in the groups' order."""
    parts = [
        _moved(group, current, chain_of, rows[group_of[rows] == g], rng)
        for g, group in enumerate(groups)
    ]
    return np.concatenate(parts)


def _moved(
    group: ChainGroup,
    current: IntArray,
    chain_of: IntArray,
    rows: IntArray,
    rng: np.random.Generator,
) -> IntArray:
    chains = chain_of[rows]
    near = group.mutate(current[rows], chains, rng)
    again = rng.random(len(near)) < P_SECOND_MOVE
    if again.any():
        near[again] = group.mutate(near[again], chains[again], rng)
    return near


def _keep(
    kept: dict[bytes, tuple[float, int]], codes: IntArray, values: FloatArray, rows: IntArray
) -> None:
    order = np.argsort(-values, kind="stable")
    first = np.unique(np.round(-values[order], SAME), return_index=True)[1]
    for place in order[first[:KEPT_PER_STEP]]:
        if np.isfinite(values[place]):
            kept.setdefault(codes[place].tobytes(), (float(values[place]), int(rows[place])))
