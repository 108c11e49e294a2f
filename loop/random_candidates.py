"""Materials drawn at random from a space: the first labels, and the baseline to beat."""

from collections.abc import Iterator

import numpy as np

from alloop.materials import Material
from campaigns.space import Space
from models.lattice.decorations import DecorationSpace


def random_materials(space: Space, seed: int, n: int) -> Iterator[Material]:
    """Yield n unrelaxed decorations: parent lattice, composition and ordering each uniform."""
    decorations = DecorationSpace.of(
        space.elements, space.lattices, space.atoms, space.count_bounds()
    )
    rng = np.random.default_rng(seed)
    for _ in range(n):
        codes, lattices = decorations.draw(1, rng)
        yield decorations.structure(codes[0], int(lattices[0]))
