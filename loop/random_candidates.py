"""Materials drawn at random from a space: the first labels, and the baseline to beat."""

from collections.abc import Iterator, Mapping

import numpy as np

from alloop.materials import Material
from campaigns.space import Space
from models.lattice.parent import ParentLattice


def random_materials(space: Space, seed: int, n: int) -> Iterator[Material]:
    """Yield n unrelaxed decorations: parent lattice, composition and ordering each uniform."""
    rng = np.random.default_rng(seed)
    bounds = space.count_bounds()
    ways = _ways(bounds, space.atoms)
    for _ in range(n):
        name = space.lattices[rng.integers(len(space.lattices))]
        counts = _draw_counts(bounds, ways, space.atoms, rng)
        species = np.repeat(list(counts), list(counts.values()))
        parent = ParentLattice.of_size(name, space.atoms)
        yield parent.structure([str(symbol) for symbol in rng.permutation(species)])


def _ways(bounds: Mapping[str, tuple[int, int]], atoms: int) -> list[np.ndarray]:
    """Return, for each element, in how many ways it and those after it fill k sites.

    Each entry has shape (atoms + 1,); the last stands for no elements left.
    """
    ways = [np.eye(1, atoms + 1)[0]]
    for low, high in reversed(list(bounds.values())):
        window = np.zeros(atoms + 1)
        window[low : high + 1] = 1
        ways.append(np.convolve(window, ways[-1])[: atoms + 1])
    return ways[::-1]


def _draw_counts(
    bounds: Mapping[str, tuple[int, int]],
    ways: list[np.ndarray],
    atoms: int,
    rng: np.random.Generator,
) -> dict[str, int]:
    """Draw the numbers of atoms, every allowed composition being equally likely."""
    counts: dict[str, int] = {}
    left = atoms
    for i, (symbol, (low, high)) in enumerate(bounds.items()):
        choices = np.arange(low, min(high, left) + 1)
        weights = ways[i + 1][left - choices]
        counts[symbol] = int(rng.choice(choices, p=weights / weights.sum()))
        left -= counts[symbol]
    return counts
