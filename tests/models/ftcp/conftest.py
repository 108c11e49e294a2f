from collections.abc import Callable

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure


@pytest.fixture(scope="session")
def perovskite() -> Callable[..., Structure]:
    """Return a maker of ideal cubic cells: A at the corner, B at the centre, X at the faces."""

    def make(a: str = "Sr", b: str = "Ti", x: str = "O", length: float = 3.9) -> Structure:
        coords = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
        return Structure(Lattice.cubic(length), [a, b, x, x, x], coords)

    return make


@pytest.fixture(scope="session")
def perovskites(perovskite: Callable[..., Structure]) -> Callable[..., list[Structure]]:
    """Return a maker of random perovskites, their B atoms a little off the centre."""

    def make(n: int, seed: int = 0) -> list[Structure]:
        rng = np.random.default_rng(seed)
        cells = []
        for _ in range(n):
            a, b, x = (
                str(rng.choice(symbols))
                for symbols in (["Ca", "Sr", "Ba", "La"], ["Ti", "Zr", "Fe", "Co"], ["O", "F"])
            )
            cell = perovskite(a, b, x, float(rng.uniform(3.7, 4.3)))
            cell.translate_sites([1], rng.normal(0, 0.01, 3).tolist(), to_unit_cell=False)
            cells.append(cell)
        return cells

    return make
