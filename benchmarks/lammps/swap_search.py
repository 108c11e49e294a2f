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
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from pymatgen.core import Structure

from alloop.exchanges import Exchange, exchanged
from alloop.oracles.base import Measurement, Status, exchange_fingerprint
from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.oracle import LammpsOracle
from alloop.oracles.lammps.procedures.elasticity import bulk_modulus
from alloop.oracles.lammps.simulation.cell import Array, LammpsCell
from alloop.oracles.lammps.simulation.relaxation import RelaxedCrystal
from alloop.oracles.lammps.simulation.screening import elements_of
from alloop.oracles.lammps.simulation.session import GPA_PER_EV_PER_CUBIC_ANGSTROM, LammpsSession
from alloop.oracles.lammps.simulator import Summary
from alloop.oracles.lammps.swap_relaxation import (
    Centre,
    Neighbour,
    centre_at_rest,
    require_small,
)
from alloop.oracles.strain_checks import CheckedProperties

Score = Callable[[Mapping[str, float]], float]
"""Function from properties to a score; higher is better."""


ESTIMATE_FORCE_TOLERANCE = 0.01
"""Force tolerance of an estimate, eV/Å; what is left changes the modulus by 0.01 GPa."""


class SwapSearchOptions(BaseModel):
    """Local search among orderings; the defaults are the AlloGen paper's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    procedure: Literal["best-of-neighbours", "annealing"] = "best-of-neighbours"
    iterations: int = Field(default=20, ge=1)
    swaps: int = Field(
        default=20, ge=1, description="neighbours per iteration; annealing takes the product"
    )
    temperatures: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]] = Field(
        default=(1.0, 0.05), description="of annealing, first and last, in units of the score"
    )
    early_rejection: float | None = Field(
        default=None,
        gt=0,
        description="GPa; neighbours whose estimated bulk modulus is not good enough by this "
        "much are not measured (0.2 is six times the estimate's usual error)",
    )


@dataclass(frozen=True)
class SearchStep:
    """Ordering that the search visited, with its measurement or estimate."""

    symbols: tuple[str, ...]
    """Element on each of the start's sites."""
    parent: int | None
    """Index of the step whose atoms were exchanged; None for the start."""
    swap: Exchange | None
    measurement: Measurement | None
    """Measurement of the ordering; None where an estimate was enough to reject it."""
    estimate: float | None = None
    """Estimated bulk modulus, GPa, where there is no measurement."""
    score: float = -np.inf


@dataclass(frozen=True)
class SearchResult:
    """Orderings that a search visited, in order; the start is step 0."""

    start: Structure
    steps: tuple[SearchStep, ...]

    def material(self, step: SearchStep) -> Structure:
        """Return a step's ordering as proposed, unrelaxed: on the sites of the start."""
        return Structure(self.start.lattice, step.symbols, self.start.frac_coords)

    @property
    def best(self) -> SearchStep:
        """The measured step with the highest score, of equals the first."""
        return max(self.steps, key=lambda step: step.score)


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
class _Visited:
    """Measured ordering whose neighbours are visited."""

    step: int
    score: float
    at: Centre


class _Search:
    """State of a search: the orderings visited so far."""

    def __init__(
        self, oracle: LammpsOracle, score: Score, options: SwapSearchOptions, seed: int
    ) -> None:
        self.options = options
        self.rng = np.random.default_rng(seed)
        self.steps: list[SearchStep] = []
        self._oracle, self._simulator = oracle, oracle.simulator
        self._score = score
        self._fingerprint = exchange_fingerprint(oracle.fingerprint())
        self._seen: set[tuple[str, ...]] = set()

    def begin(self, start: Structure) -> _Visited | None:
        """Measure the start from scratch; None if that fails."""
        found: list[tuple[LammpsCell, RelaxedCrystal]] = []

        def simulate() -> Summary:
            require_small(start)
            cell, crystal = self._simulator.relax(start)
            found.append((cell, crystal))
            modulus = bulk_modulus(self._simulator.session(), crystal, self._simulator.options)
            properties = self._simulator.properties(elements_of(start), crystal, modulus)
            return properties, cell.deformed(crystal.gradient, crystal.positions)

        measurement = self._oracle.attempt(simulate)
        symbols = tuple(elements_of(start)) if found else ()
        score = self._record(symbols, None, None, measurement)
        if score == -np.inf:
            return None
        self._seen.add(symbols)
        return _Visited(0, score, centre_at_rest(self._simulator, *found[0]))

    def swaps(self, centre: _Visited) -> Iterator[Exchange]:
        """Yield exchanges of unlike atoms in random order, none that leads to a known ordering."""
        first, second = np.triu_indices(len(centre.at.symbols), k=1)
        for k in self.rng.permutation(len(first)):
            swap = int(first[k]), int(second[k])
            ordering = exchanged(centre.at.symbols, swap)
            if ordering not in self._seen:
                self._seen.add(ordering)
                yield swap

    def visit(self, centre: _Visited, swap: Exchange, threshold: float) -> _Visited | None:
        """Measure a neighbour; return it if its score is above the threshold.

        Where rejection is early, a neighbour whose estimate lies clearly below is not measured.
        """
        symbols = exchanged(centre.at.symbols, swap)
        neighbour = Neighbour(self._simulator, centre.at, symbols)
        if self.options.early_rejection is not None:
            rough = self._oracle.attempt(lambda: self._estimate(neighbour, centre.at))
            if rough.status is Status.OK and self._is_hopeless(rough, threshold):
                estimate = rough.properties["bulk_modulus"]
                self.steps.append(SearchStep(symbols, centre.step, swap, None, estimate))
                return None
        score = self._record(symbols, centre.step, swap, self._oracle.attempt(neighbour.measure))
        if not score > threshold:
            return None
        return _Visited(len(self.steps) - 1, score, neighbour.as_centre())

    def _estimate(self, neighbour: Neighbour, centre: Centre) -> Summary:
        """Return a neighbour's properties with its atoms roughly relaxed and the modulus
        estimated; the structure is the unrelaxed one.
        """
        neighbour.relax(ESTIMATE_FORCE_TOLERANCE)
        simulator, inverse = self._simulator, centre.curvature.atoms
        modulus = estimated_bulk_modulus(
            simulator.session(), neighbour.crystal, simulator.options, inverse
        )
        properties = simulator.properties(
            neighbour.symbols, neighbour.crystal, CheckedProperties({"bulk_modulus": modulus})
        )
        return properties, centre.cell.structure

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
        swap: Exchange | None,
        found: Measurement,
    ) -> float:
        measurement = replace(found, fingerprint=self._fingerprint)
        score = -np.inf if found.status is Status.FAILED else self._score(found.properties)
        self.steps.append(SearchStep(symbols, parent, swap, measurement, score=score))
        return score


def _move_to_the_best(search: _Search, centre: _Visited) -> None:
    """Run the AlloGen paper's procedure: measure some neighbours, go to the best if it is
    better."""
    for _ in range(search.options.iterations):
        best = centre
        for swap in itertools.islice(search.swaps(centre), search.options.swaps):
            best = search.visit(centre, swap, best.score) or best
        centre = best


def _anneal(search: _Search, centre: _Visited) -> None:
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


def estimated_bulk_modulus(
    session: LammpsSession, crystal: RelaxedCrystal, options: LammpsOptions, inverse: Array
) -> float:
    """Estimate the bulk modulus in GPa from a single evaluation and roughly relaxed atoms.

    The forces that a strain of every length brings about, and how the atoms would answer them,
    take off g·C g / (9 V) from the modulus of the cell whose atoms only follow the strain; g is
    the change of the forces per strain, C the inverse of the second derivatives.

    Args:
        session: with the crystal's atoms loaded.
        crystal: nearly at rest.
        options: the strain.
        inverse: of the second derivatives by the atoms' coordinates, of this or a similar crystal.
    """
    larger = 1 + options.strain
    grown = session.evaluate(crystal.box * larger, crystal.positions * larger)
    fall = np.trace(crystal.evaluation.pressure - grown.pressure) / 3
    unrelaxed = fall / (larger**3 - 1)
    answer = (grown.forces - crystal.evaluation.forces).ravel() / options.strain
    softening = float(answer @ inverse @ answer) / (9 * crystal.volume)
    return float(unrelaxed - softening * GPA_PER_EV_PER_CUBIC_ANGSTROM)
