"""Local search among orderings: exchange two unlike atoms, relax, measure, move on.

All neighbours of an ordering are relaxed from its own relaxed cell, in the same LAMMPS instance,
with the second derivatives of where the search began, corrected by every move since. That takes
a third of the force evaluations. The values are those of a measurement from scratch to within
rounding, as long as both relax to the same minimum; since nothing guarantees that, measurements
made here have a fingerprint of their own.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from pymatgen.core import Structure

from alloop.canonical import canonical_json, sha256
from oracles.base import Measurement, Status
from oracles.lammps.cell import Cell
from oracles.lammps.curvature import Curvature
from oracles.lammps.elasticity import bulk_modulus, estimated_bulk_modulus
from oracles.lammps.options import LammpsOptions, SwapSearchOptions
from oracles.lammps.oracle import LammpsOracle, Summary
from oracles.lammps.relaxation import CellAndAtoms, Relaxed, relax_cell
from oracles.lammps.screening import elements_of

PROCEDURE = 1
"""Counts changes here that change values; part of the fingerprint."""

ROUGHLY = 0.01
"""eV/Å. Forces below which the modulus is estimated; what is left changes it by 0.01 GPa."""

Score = Callable[[Mapping[str, float]], float]
"""From properties to how good they are; more is better."""
Swap = tuple[int, int]


@dataclass(frozen=True)
class SearchStep:
    """An ordering that the search looked at."""

    symbols: tuple[str, ...]
    """The element on each of the start's sites."""
    parent: int | None
    """The step whose atoms were exchanged; None for the start."""
    swap: Swap | None
    measurement: Measurement | None
    """None where an estimate was enough to turn it down."""
    estimate: float | None = None
    """Of the bulk modulus, GPa, where there is no measurement."""
    score: float = -np.inf


@dataclass(frozen=True)
class SearchResult:
    """All that a search looked at, in order; the start is step 0."""

    start: Structure
    steps: tuple[SearchStep, ...]

    def material(self, step: SearchStep) -> Structure:
        """Return a step's ordering as proposed, unrelaxed: on the sites of the start."""
        return Structure(self.start.lattice, step.symbols, self.start.frac_coords)

    @property
    def best(self) -> SearchStep:
        """The measured step with the highest score, of equals the first."""
        return max(self.steps, key=lambda step: step.score)


def warm_fingerprint(oracle: LammpsOracle) -> str:
    """Return the fingerprint of an oracle's measurements that begin at a neighbour's minimum."""
    return sha256(canonical_json({"oracle": oracle.fingerprint(), "warm start": PROCEDURE}))


def local_search(
    oracle: LammpsOracle, start: Structure, score: Score, options: SwapSearchOptions, seed: int
) -> SearchResult:
    """Search the orderings of a structure for a high score.

    Properties are those that every LAMMPS measurement has. With the same start, options and seed
    the same orderings are looked at, and the same values found.

    Args:
        oracle: what measures.
        start: where to begin, relaxed or not.
        score: of a measurement's properties.
        options: which procedure, and for how long.
        seed: of the random choices.
    """
    search = _Search(oracle, score, options, seed)
    if (centre := search.begin(start)) is not None:
        walk = _anneal if options.procedure == "annealing" else _move_to_the_best
        walk(search, centre)
    return SearchResult(start, tuple(search.steps))


@dataclass(frozen=True)
class _Centre:
    """An ordering whose neighbours are looked at."""

    step: int
    symbols: tuple[str, ...]
    cell: Cell
    """Of the start, whatever its sites are decorated with now."""
    crystal: Relaxed
    """Its gradient is the whole deformation since then."""
    curvature: Curvature
    score: float


class _Neighbour:
    """An ordering that is relaxed from where another one is at rest."""

    def __init__(self, oracle: LammpsOracle, centre: _Centre, symbols: tuple[str, ...]) -> None:
        self.symbols = symbols
        self.crystal = replace(centre.crystal, pairs=())
        self._oracle = oracle
        self._centre = centre

    def estimate(self) -> Summary:
        """Return its properties with the atoms roughly relaxed and the modulus estimated; the
        structure is the unrelaxed one.
        """
        session, options = self._oracle.session(), self._oracle.options
        self._relax(options.model_copy(update={"force_tolerance": ROUGHLY}))
        inverse = self._centre.curvature.atoms
        modulus = estimated_bulk_modulus(session, self.crystal, options, inverse)
        properties = self._oracle.properties(self.symbols, self.crystal, modulus)
        return properties, self._centre.cell.structure

    def measure(self) -> Summary:
        """Return its properties and the relaxed structure."""
        session, options = self._oracle.session(), self._oracle.options
        self._relax(options)
        modulus = bulk_modulus(session, self.crystal, options, self._centre.curvature.atoms)
        properties = self._oracle.properties(self.symbols, self.crystal, modulus)
        relaxed = self._centre.cell.deformed(self.crystal.gradient, self.crystal.positions)
        return properties, Structure(relaxed.lattice, self.symbols, relaxed.frac_coords)

    def _relax(self, options: LammpsOptions) -> None:
        session, before = self._oracle.session(), self.crystal
        session.load(self.symbols)
        start = replace(self._centre.cell, box=before.box, positions=before.positions)
        inverse = self._centre.curvature.cell
        found = relax_cell(session, start, options, pairs=before.pairs, inverse=inverse)
        self.crystal = replace(found, gradient=found.gradient @ before.gradient)


class _Search:
    """What has been looked at, and how to look at more."""

    def __init__(
        self, oracle: LammpsOracle, score: Score, options: SwapSearchOptions, seed: int
    ) -> None:
        self.options = options
        self.rng = np.random.default_rng(seed)
        self.steps: list[SearchStep] = []
        self._oracle = oracle
        self._score = score
        self._fingerprint = warm_fingerprint(oracle)
        self._seen: set[tuple[str, ...]] = set()

    def begin(self, start: Structure) -> _Centre | None:
        """Measure the start from scratch; None if that fails."""
        found: list[tuple[Cell, Relaxed]] = []

        def simulate() -> Summary:
            cell, crystal = self._oracle.relax(start)
            found.append((cell, crystal))
            modulus = bulk_modulus(self._oracle.session(), crystal, self._oracle.options)
            properties = self._oracle.properties(elements_of(start), crystal, modulus)
            return properties, cell.deformed(crystal.gradient, crystal.positions)

        measurement = self._oracle.attempt(simulate)
        symbols = tuple(elements_of(start)) if found else ()
        score = self._record(symbols, None, None, measurement)
        if score == -np.inf:
            return None
        self._seen.add(symbols)
        cell, crystal = found[0]
        session = self._oracle.session()
        session.load(symbols)
        here = replace(cell, box=crystal.box, positions=crystal.positions)
        curvature = Curvature.at_rest(CellAndAtoms(session, here))
        return _Centre(0, symbols, cell, crystal, curvature, score)

    def swaps(self, centre: _Centre) -> Iterator[Swap]:
        """Yield exchanges of unlike atoms in random order, none that leads to a known ordering."""
        first, second = np.triu_indices(len(centre.symbols), k=1)
        for k in self.rng.permutation(len(first)):
            swap = int(first[k]), int(second[k])
            ordering = _exchanged(centre.symbols, swap)
            if ordering not in self._seen:
                self._seen.add(ordering)
                yield swap

    def visit(self, centre: _Centre, swap: Swap, threshold: float) -> _Centre | None:
        """Measure a neighbour; return it if its score is above the threshold.

        Where rejection is early, a neighbour whose estimate lies clearly below is not measured.
        """
        symbols = _exchanged(centre.symbols, swap)
        neighbour = _Neighbour(self._oracle, centre, symbols)
        if self.options.early_rejection is not None:
            rough = self._oracle.attempt(neighbour.estimate)
            if rough.status is Status.OK and self._is_hopeless(rough, threshold):
                estimate = rough.properties["bulk_modulus"]
                self.steps.append(SearchStep(symbols, centre.step, swap, None, estimate))
                return None
        score = self._record(symbols, centre.step, swap, self._oracle.attempt(neighbour.measure))
        if not score > threshold:
            return None
        step, curvature = len(self.steps) - 1, centre.curvature.learnt(neighbour.crystal)
        return _Centre(step, symbols, centre.cell, neighbour.crystal, curvature, score)

    def _is_hopeless(self, rough: Measurement, threshold: float) -> bool:
        margin, modulus = self.options.early_rejection, rough.properties["bulk_modulus"]
        assert margin is not None
        return all(
            self._score({**rough.properties, "bulk_modulus": modulus + sign * margin}) < threshold
            for sign in (-1, 1)
        )

    def _record(
        self,
        symbols: tuple[str, ...],
        parent: int | None,
        swap: Swap | None,
        found: Measurement,
    ) -> float:
        measurement = replace(found, fingerprint=self._fingerprint)
        score = -np.inf if found.status is Status.FAILED else self._score(found.properties)
        self.steps.append(SearchStep(symbols, parent, swap, measurement, score=score))
        return score


def _move_to_the_best(search: _Search, centre: _Centre) -> None:
    """The AlloGen paper's procedure: measure some neighbours, go to the best if it is better."""
    for _ in range(search.options.iterations):
        best = centre
        for swap in itertools.islice(search.swaps(centre), search.options.swaps):
            best = search.visit(centre, swap, best.score) or best
        centre = best


def _anneal(search: _Search, centre: _Centre) -> None:
    """Go to a neighbour with the probability that Metropolis gives it, at falling temperature.

    The random number is drawn first, so that what it takes to be accepted is known beforehand.
    """
    n = search.options.iterations * search.options.swaps
    for temperature in np.geomspace(*search.options.temperatures, n):
        swap = next(search.swaps(centre), None)
        if swap is None:
            return
        threshold = centre.score + float(temperature * np.log(search.rng.random()))
        centre = search.visit(centre, swap, threshold) or centre


def _exchanged(symbols: tuple[str, ...], swap: Swap) -> tuple[str, ...]:
    exchanged = list(symbols)
    i, j = swap
    exchanged[i], exchanged[j] = symbols[j], symbols[i]
    return tuple(exchanged)
