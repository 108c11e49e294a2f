from collections.abc import Callable, Iterator

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from alloop.lattices import CUBIC_SITES
from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.oracle import LammpsOracle

Alloy = Callable[..., Structure]


@pytest.fixture(scope="session")
def options() -> LammpsOptions:
    return LammpsOptions(potential="NiFeCr-Wu2017")


@pytest.fixture(scope="session")
def oracle(options: LammpsOptions) -> Iterator[LammpsOracle]:
    oracle = LammpsOracle(options, elements=["Ni", "Fe", "Cr"])
    yield oracle
    oracle.close()


@pytest.fixture(scope="session")
def alloy() -> Alloy:
    """Return a function that decorates a parent lattice at random."""

    def decorate(
        counts: dict[str, int], lattice: str = "fcc", *, edge: float = 3.55, seed: int = 0
    ) -> Structure:
        a = edge / np.sqrt(2) if lattice == "fcc" else edge
        repeats = round((sum(counts.values()) / 2) ** (1 / 3))
        parent = Structure(
            Lattice.tetragonal(a, edge), ["Ni", "Ni"], [[0, 0, 0], [0.5, 0.5, 0.5]]
        ) * (repeats, repeats, repeats)
        species = [symbol for symbol, n in counts.items() for _ in range(n)]
        np.random.default_rng(seed).shuffle(species)
        return Structure(parent.lattice, species, parent.frac_coords)

    return decorate


@pytest.fixture(scope="session")
def large() -> Structure:
    """500 atoms: more than a search that starts warm takes."""
    sites = CUBIC_SITES["fcc"]
    cube = Structure(Lattice.cubic(3.55), ["Ni", "Ni", "Fe", "Fe"], sites)
    return cube * (5, 5, 5)
