"""Warm-started relaxation of atom-swap neighbours: each ordering is relaxed from the one before.

Second derivatives are found once, where the first ordering is at rest, and corrected by every
exchange since. So a neighbour takes a third of the force evaluations of a measurement from
scratch. Its value depends on the start and on the exchanges that led to it, bit for bit, and not
on what else was measured: what is kept here saves time only.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pymatgen.core import Structure

from alloop.exchanges import Exchange, exchanged
from alloop.materials import Material, material_id
from alloop.oracles.base import FailureKind
from alloop.oracles.failure import MeasurementFailed
from alloop.oracles.lammps.options import MAX_WARM_START_ATOMS
from alloop.oracles.lammps.procedures.elasticity import bulk_modulus
from alloop.oracles.lammps.simulation.cell import LammpsCell
from alloop.oracles.lammps.simulation.curvature import InverseHessians
from alloop.oracles.lammps.simulation.relaxation import (
    RelaxedCrystal,
    StrainedCellEnergy,
    relax_cell,
)
from alloop.oracles.lammps.simulation.screening import elements_of
from alloop.oracles.lammps.simulator import Simulator, Summary

CACHE_SIZE = 8
"""Size of the cache of relaxed orderings with their second derivatives; as many searches can go on
side by side."""


@dataclass(frozen=True)
class Centre:
    """Relaxed ordering from which swap neighbours are relaxed."""

    symbols: tuple[str, ...]
    cell: LammpsCell
    """Cell of the start, whatever its sites are decorated with now."""
    crystal: RelaxedCrystal
    """Relaxed crystal; its gradient is the whole deformation since the start."""
    curvature: InverseHessians


def centre_at_rest(simulator: Simulator, cell: LammpsCell, crystal: RelaxedCrystal) -> Centre:
    """Return a relaxed structure as a centre of swaps; takes one force evaluation per
    coordinate."""
    symbols = tuple(elements_of(cell.structure))
    session = simulator.session()
    session.load(symbols)
    here = replace(cell, box=crystal.box, positions=crystal.positions)
    return Centre(
        symbols,
        cell,
        crystal,
        InverseHessians.by_finite_differences(StrainedCellEnergy(session, here)),
    )


def require_small(start: Material) -> None:
    """Check that the second derivatives of a structure are not too many to keep.

    Raises:
        MeasurementFailed: if they are.
    """
    if isinstance(start, Structure) and len(start) > MAX_WARM_START_ATOMS:
        raise MeasurementFailed(
            FailureKind.UNSUPPORTED,
            f"the second derivatives of {len(start)} atoms would fill the memory; a search that "
            f"starts warm takes up to {MAX_WARM_START_ATOMS}",
        )


class Neighbour:
    """Ordering that is relaxed from a relaxed neighbour."""

    def __init__(self, simulator: Simulator, centre: Centre, symbols: tuple[str, ...]) -> None:
        self.symbols = symbols
        self.crystal = replace(centre.crystal, pairs=())
        self._simulator = simulator
        self._centre = centre

    def measure(self) -> Summary:
        """Return its properties and the relaxed structure."""
        self.relax()
        session, options = self._simulator.session(), self._simulator.options
        modulus = bulk_modulus(session, self.crystal, options, self._centre.curvature.atoms)
        properties = self._simulator.properties(self.symbols, self.crystal, modulus)
        return properties, self.cell().deformed(self.crystal.gradient, self.crystal.positions)

    def relax(self, force_tolerance: float | None = None) -> None:
        """Relax the atoms and the cell, to the options' force tolerance or another in eV/Å.

        Raises:
            MeasurementFailed: if it does not converge, breaks down, or the volume changes absurdly.
        """
        options, before = self._simulator.options, self.crystal
        if force_tolerance is not None:
            options = options.model_copy(update={"force_tolerance": force_tolerance})
        session = self._simulator.session()
        session.load(self.symbols)
        start = replace(self._centre.cell, box=before.box, positions=before.positions)
        inverse = self._centre.curvature.cell
        found = relax_cell(session, start, options, pairs=before.pairs, inverse=inverse)
        self.crystal = replace(found, gradient=found.gradient @ before.gradient)

    def cell(self) -> LammpsCell:
        """Return the start's cell, decorated with this ordering."""
        start = self._centre.cell.structure
        decorated = Structure(start.lattice, self.symbols, start.frac_coords)
        return replace(self._centre.cell, structure=decorated)

    def as_centre(self) -> Centre:
        """Return the relaxed ordering as a centre of swaps."""
        curvature = self._centre.curvature.updated(self.crystal)
        return Centre(self.symbols, self._centre.cell, self.crystal, curvature)


class CentreCache:
    """LRU cache of ``CACHE_SIZE`` relaxed orderings, keyed by start id and swap path."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._kept: OrderedDict[tuple[str, tuple[Exchange, ...]], Centre] = OrderedDict()

    def find(self, start: Material, exchanges: Sequence[Exchange]) -> Centre:
        """Return the ordering that exchanges lead to, relaxed one after the other.

        Raises:
            MeasurementFailed: if the start cannot be measured, or one of them does not relax.
        """
        path = material_id(start), tuple(exchanges)
        if path not in self._kept:
            self._kept[path] = self._make(start, exchanges)
        self._kept.move_to_end(path)
        while len(self._kept) > CACHE_SIZE:
            self._kept.popitem(last=False)
        return self._kept[path]

    def _make(self, start: Material, exchanges: Sequence[Exchange]) -> Centre:
        if not exchanges:
            require_small(start)
            return centre_at_rest(self._simulator, *self._simulator.relax(start))
        *before, last = exchanges
        centre = self.find(start, before)
        neighbour = Neighbour(self._simulator, centre, exchanged(centre.symbols, last))
        neighbour.relax()
        return neighbour.as_centre()
