"""The script to beat: a short search over orderings of fcc Ni18Cr18Fe18, with nothing of the loop.

Random orderings first. Then, until the labels are spent, Bayesian ridge regression on correlations
of pairs and triangles; expected improvement climbed by exchanges from the best orderings measured;
and a batch of the best that differ from one another. It knows this one cell and nothing else.

    python -m benchmarks.search.baselines.ordering_script SEED [LABELS]
"""

import itertools
import sys
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from pymatgen.core import Lattice, Structure
from scipy.stats import norm
from sklearn.linear_model import BayesianRidge

from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.oracle import LammpsOracle

EDGE = 3.55
"""Edge of the cubic fcc cell before relaxation, Å."""
REPEATS = 3
"""Number of two-atom tetragonal cells along each axis: 54 sites."""
ELEMENTS = ("Ni", "Cr", "Fe")
PAIR_SHELLS, TRIANGLE_SHELLS = 6, 4
"""Numbers of shells that pairs reach to, and that the third side of a triangle reaches to; the
other two sides are nearest neighbours."""
INITIAL, BATCH = 64, 16
CENTRES, NEIGHBOURS, STEPS = 16, 200, 6
"""Climb of a round: orderings that it starts from, exchanges tried at each, and steps."""
KEPT = 400
"""Number of the best orderings of a step that may be chosen."""
APART = 4
"""Least number of sites in which the orderings of a batch differ."""

Orderings = npt.NDArray[np.int64]
"""Element on each site, as its place in ``ELEMENTS``, shape (n, 54)."""
Values = npt.NDArray[np.float64]
Measure = Callable[[Orderings], Values]
"""Returns a bulk modulus in GPa for each ordering; NaN for a failure."""


class Cell:
    """The fcc cell: its sites and their neighbours."""

    def __init__(self) -> None:
        self.matrix: Values = np.diag([EDGE / 2**0.5, EDGE / 2**0.5, EDGE]) * REPEATS
        """Lattice vectors as rows, Å."""
        corners = np.array(list(itertools.product(range(REPEATS), repeat=3)), dtype=float)
        self.sites: Values = np.concatenate([corners, corners + 0.5]) / REPEATS
        """Fractional coordinates, shape (54, 3)."""
        images = np.array(list(itertools.product((-1, 0, 1), repeat=3)))
        # from each site to each image of each other one: (site, other, image, 3)
        steps = (self.sites[None, :, None] - self.sites[:, None, None] + images) @ self.matrix
        lengths = np.linalg.norm(steps, axis=-1).round(4)
        shells = np.unique(lengths)[1:]
        around = [[np.argwhere(each == r) for each in lengths] for r in shells[:PAIR_SHELLS]]
        self.pairs = [np.array([each[:, 0] for each in shell]) for shell in around]
        """Neighbours of each site by shell, shape (54, number in the shell)."""
        self.triangles = _triangles(around[0], steps, shells)
        """Two nearest neighbours of each site, by the shell of their distance, (54, n, 2)."""

    def structure(self, ordering: Orderings) -> Structure:
        """Return one ordering as a structure."""
        return Structure(Lattice(self.matrix), [ELEMENTS[e] for e in ordering], self.sites)

    def correlations(self, orderings: Orderings) -> Values:
        """Return the shares of like pairs in each shell and of each kind of triangle, shape
        (n, 90).
        """
        is_of = np.eye(len(ELEMENTS))[orderings]  # (n, 54, 3)
        like = [
            np.einsum(
                "nse,ns->ne", is_of, (orderings[:, shell] == orderings[:, :, None]).sum(axis=2)
            )
            / shell.size
            for shell in self.pairs
        ]
        kinds = [self._triangle_shares(orderings, triples) for triples in self.triangles]
        return np.concatenate([*like, *kinds], axis=1)

    def _triangle_shares(self, orderings: Orderings, triples: npt.NDArray[np.int64]) -> Values:
        ends = PAIR_INDEX[orderings[:, triples[..., 0]], orderings[:, triples[..., 1]]]
        kind = orderings[:, :, None] * N_PAIRS + ends  # (n, 54, triples of a site)
        n, size = len(orderings), len(ELEMENTS) * N_PAIRS
        counts = np.bincount(
            (kind.reshape(n, -1) + size * np.arange(n)[:, None]).ravel(), minlength=n * size
        )
        return counts.reshape(n, size) / triples[..., 0].size


N_PAIRS = 6
PAIR_INDEX = np.array([[0, 1, 2], [1, 3, 4], [2, 4, 5]])
"""Index of an unordered pair of elements."""


def _triangles(
    nearest: list[npt.NDArray[np.int64]], steps: Values, shells: Values
) -> list[npt.NDArray[np.int64]]:
    found: list[list[list[tuple[int, int]]]] = [[] for _ in range(TRIANGLE_SHELLS)]
    for i, around in enumerate(nearest):
        mine: list[list[tuple[int, int]]] = [[] for _ in range(TRIANGLE_SHELLS)]
        for (j, m), (k, n) in itertools.combinations(around, 2):
            third = np.linalg.norm(steps[i, j, m] - steps[i, k, n])
            shell = int(np.abs(shells - third).argmin())
            if shell < TRIANGLE_SHELLS:
                mine[shell].append((int(j), int(k)))
        for all_of, of_site in zip(found, mine, strict=True):
            all_of.append(of_site)
    return [np.array(triples) for triples in found]


class Surrogate:
    """Bayesian ridge regression on correlations, in standard units."""

    def __init__(self, cell: Cell, orderings: Orderings, values: Values) -> None:
        x = cell.correlations(orderings)
        self._cell = cell
        self._varies = x.std(axis=0) > 1e-9
        self._mean, self._std = x.mean(axis=0)[self._varies], x.std(axis=0)[self._varies]
        y = (values - values.mean()) / values.std()
        self._ridge = BayesianRidge().fit(self._inputs(x), y)
        self._best = float(y.max())

    def _inputs(self, x: Values) -> Values:
        return (x[:, self._varies] - self._mean) / self._std

    def score(self, orderings: Orderings) -> Values:
        """Return expected improvements; where they vanish the mean decides."""
        z = self._inputs(self._cell.correlations(orderings))
        mean = self._ridge.predict(z)
        # The noise of a label is no reason to measure it: the std of the mean alone.
        std = np.sqrt(np.maximum(np.einsum("ni,ij,nj->n", z, self._ridge.sigma_, z), 1e-12))
        u = (mean - self._best) / std
        return std * (u * norm.cdf(u) + norm.pdf(u)) + 1e-6 * mean


def search(seed: int, labels: int, measure: Measure | None = None) -> Iterator[float]:
    """Yield the bulk modulus of each label in turn, in GPa; NaN for a failure.

    Args:
        seed: of every random draw.
        labels: number of measurements, the first ones random.
        measure: LAMMPS with the NiFeCr-Wu2017 potential, if not given.
    """
    rng, cell = np.random.default_rng(seed), Cell()
    measure = measure or lammps(cell)
    equal = np.repeat(np.arange(len(ELEMENTS)), len(cell.sites) // len(ELEMENTS))
    orderings = np.array([rng.permutation(equal) for _ in range(min(INITIAL, labels))])
    values = measure(orderings)
    yield from values.tolist()
    while len(values) < labels:
        known = np.isfinite(values)
        surrogate = Surrogate(cell, orderings[known], values[known])
        seen = {each.tobytes() for each in orderings}
        best = orderings[known][np.argsort(-values[known])[:CENTRES]]
        pool = _climb(surrogate, best, seen, rng)
        chosen = _diverse(pool, min(BATCH, labels - len(values)), rng, equal)
        new = measure(chosen)
        yield from new.tolist()
        orderings, values = np.concatenate([orderings, chosen]), np.concatenate([values, new])


def _climb(
    surrogate: Surrogate, centres: Orderings, seen: set[bytes], rng: np.random.Generator
) -> Orderings:
    """Return unmeasured orderings met on the way up, best first."""
    met: dict[bytes, float] = {}
    for _ in range(STEPS):
        near = _exchanged(np.repeat(centres, NEIGHBOURS, axis=0), rng)
        scores = surrogate.score(near)
        for i in np.argsort(-scores)[:KEPT]:
            if (key := near[i].tobytes()) not in seen:
                met[key] = float(scores[i])
        by_centre = scores.reshape(len(centres), NEIGHBOURS).argmax(axis=1)
        centres = near.reshape(len(centres), NEIGHBOURS, -1)[np.arange(len(centres)), by_centre]
    order = sorted(met, key=lambda key: -met[key])
    return np.array([np.frombuffer(key, dtype=np.int64) for key in order])


def _exchanged(orderings: Orderings, rng: np.random.Generator) -> Orderings:
    """Return each ordering with the elements of two random sites exchanged."""
    rows, new = np.arange(len(orderings)), orderings.copy()
    first, second = rng.integers(orderings.shape[1], size=(2, len(orderings)))
    new[rows, first], new[rows, second] = orderings[rows, second], orderings[rows, first]
    return new


def _diverse(pool: Orderings, size: int, rng: np.random.Generator, equal: Orderings) -> Orderings:
    """Return the best of the pool that differ from one another; random ones once it has no more."""
    chosen: list[Orderings] = []
    for each in pool:
        if len(chosen) == size:
            break
        if all((each != other).sum() >= APART for other in chosen):
            chosen.append(each)
    while len(chosen) < size:
        chosen.append(rng.permutation(equal))
    return np.array(chosen)


def lammps(cell: Cell) -> Measure:
    """Return what measures orderings by LAMMPS, as the ready campaign's first tier does."""
    oracle = LammpsOracle(LammpsOptions(potential="NiFeCr-Wu2017"))

    def measure(orderings: Orderings) -> Values:
        found = [oracle.measure(cell.structure(each)) for each in orderings]
        return np.array([m.properties.get("bulk_modulus", np.nan) for m in found])

    return measure


def main() -> None:
    """Print the best of each batch's labels."""
    seed, labels = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 400
    best = -np.inf
    for n, value in enumerate(search(seed, labels), start=1):
        best = np.fmax(best, value)
        if n == labels or (n >= INITIAL and (n - INITIAL) % BATCH == 0):
            print(f"seed {seed} labels {n} best {best:.2f}", flush=True)


if __name__ == "__main__":
    main()
