"""Energies of surfaces and of the stacking fault, from relaxed slabs.

A slab is a whole number of the crystal's periods, so that it has the crystal's composition. In
an alloy it matters between which two planes it is cut: the mean over all of them is taken.
"""

import itertools
from collections.abc import Callable

import numpy as np
from pymatgen.core import Lattice, Structure

from alloop.lattices import LatticeName
from alloop.oracles.base import FailureKind
from alloop.oracles.crystal_frame import CrystalFrame, parent_frame
from alloop.oracles.failure import MeasurementFailed
from alloop.oracles.lammps.options import LammpsOptions
from alloop.oracles.lammps.simulation.cell import Array, LammpsCell
from alloop.oracles.lammps.simulation.layers import LayerStack, stack_along
from alloop.oracles.lammps.simulation.relaxation import RelaxedCrystal, relax_atoms
from alloop.oracles.lammps.simulation.session import LammpsSession

FACES = ((1, 0, 0), (1, 1, 0), (1, 1, 1))
VACUUM = 15.0
"""Vacuum between a slab and its image, Å; farther than two atoms of any of the potentials
interact."""
MIN_THICKNESS = 10.0
"""Thickness of the first slab, Å."""
MAX_THICKNESS = 80.0
"""Thickness at which a slab that has not converged is given up, Å."""
CONVERGED_WITHIN = 0.002
"""Convergence threshold, J/m²: a slab is thick enough when one more period changes the energy by
less."""
FORCE_TOLERANCE = 1e-4
"""Largest force left after relaxation, eV/Å; it leaves some 1e-6 J/m² of energy."""
JOULE_PER_SQUARE_METRE = 16.021766
"""Energy of 1 eV/Å² in J/m² (CODATA 2018)."""


def measure_surfaces(
    session: LammpsSession, cell: LammpsCell, crystal: RelaxedCrystal, options: LammpsOptions
) -> dict[str, float]:
    """Return the energies of the low-index faces in J/m², and the lowest of them.

    Raises:
        MeasurementFailed: if the sites form no fcc or bcc lattice, or a slab does not relax.
    """
    bulk = crystal.structure(cell)
    frame = _frame_on(bulk, "fcc", "bcc")
    slabs = _SlabRelaxation(session, crystal.evaluation.energy / len(bulk), options)
    energies = {
        f"surface_energy_{''.join(map(str, face))}": _surface(slabs, stack_along(bulk, frame, face))
        for face in FACES
    }
    return energies | {"surface_energy": min(energies.values())}


def measure_stacking_fault(
    session: LammpsSession, cell: LammpsCell, crystal: RelaxedCrystal, options: LammpsOptions
) -> dict[str, float]:
    """Return the energy of the intrinsic stacking fault of fcc in mJ/m².

    Every repetition of the cell is shifted by a/6 ⟨112⟩ against the one below, which makes one
    fault per cell and no surface; the mean over the three equivalent shifts is taken.

    Raises:
        MeasurementFailed: if the sites form no fcc lattice, or a cell does not relax.
    """
    bulk = crystal.structure(cell)
    frame = _frame_on(bulk, "fcc")
    slabs = _SlabRelaxation(session, crystal.evaluation.energy / len(bulk), options)
    stack = stack_along(bulk, frame, (1, 1, 1))
    shifts = _fault_shifts(stack, frame)

    def excess(n_periods: int, plane: int, shift: Array) -> float:
        return slabs.excess(stack.repeated(n_periods, first=plane, shift=shift)) / stack.area

    n_periods = _converged_periods(stack, lambda n: excess(n, 0, shifts[0]))
    every = [excess(n_periods, plane, s) for plane in range(stack.n_layers) for s in shifts]
    return {"stacking_fault_energy": 1000 * JOULE_PER_SQUARE_METRE * float(np.mean(every))}


class _SlabRelaxation:
    """Relaxation of slabs, compared with the crystal they are made of."""

    def __init__(
        self, session: LammpsSession, energy_per_atom: float, options: LammpsOptions
    ) -> None:
        self._session = session
        self._energy_per_atom = energy_per_atom
        self._options = options.model_copy(update={"force_tolerance": FORCE_TOLERANCE})

    def excess(self, structure: Structure) -> float:
        """Return the energy of relaxed atoms in a fixed cell above that of the crystal, eV."""
        cell = LammpsCell.of(structure)
        self._session.load([site.specie.symbol for site in structure])
        found = relax_atoms(self._session, cell.box, cell.positions, self._options)
        return found.evaluation.energy - len(structure) * self._energy_per_atom


def _surface(slabs: _SlabRelaxation, stack: LayerStack) -> float:
    def energy(n_periods: int, plane: int) -> float:
        slab = _with_vacuum(stack.repeated(n_periods, first=plane), stack.normal)
        return slabs.excess(slab) / (2 * stack.area)

    n_periods = _converged_periods(stack, lambda n: energy(n, 0))
    every = [energy(n_periods, plane) for plane in range(stack.n_layers)]
    return JOULE_PER_SQUARE_METRE * float(np.mean(every))


def _converged_periods(stack: LayerStack, energy: Callable[[int], float]) -> int:
    """Return the number of periods at which an energy in eV/Å² has converged.

    Raises:
        MeasurementFailed: if it changes still in the thickest slab.
    """
    n_periods = int(np.ceil(MIN_THICKNESS / stack.period))
    before = energy(n_periods)
    while (n_periods + 1) * stack.period <= MAX_THICKNESS:
        after = energy(n_periods + 1)
        if abs(after - before) * JOULE_PER_SQUARE_METRE < CONVERGED_WITHIN:
            return n_periods
        n_periods, before = n_periods + 1, after
    raise MeasurementFailed(
        FailureKind.NOT_CONVERGED,
        f"the energy of a slab {MAX_THICKNESS:g} Å thick still changes by more than "
        f"{CONVERGED_WITHIN:g} J/m² per period",
    )


def _with_vacuum(slab: Structure, normal: Array) -> Structure:
    matrix = slab.lattice.matrix.copy()
    matrix[2] += VACUUM * normal
    return Structure(Lattice(matrix), slab.species, slab.cart_coords, coords_are_cartesian=True)


def _fault_shifts(stack: LayerStack, frame: CrystalFrame) -> list[Array]:
    """Return the three vectors a/6 ⟨112⟩ that bring a plane over the other hollows below it."""
    normal = np.round(frame.rotation @ stack.normal * np.sqrt(3))
    edge = frame.crystal.lattice.a
    whole = np.array(list(itertools.product(range(-2, 3), repeat=3)))
    steps = [v for v in whole if v @ v == 6 and v @ normal == 0]
    up = [v / 2 for v in whole if v @ v == 2 and v @ normal > 0]
    # The opposite three bring atoms over atoms, closer than neighbours are.
    good = [v / 6 for v in steps if min(np.linalg.norm(u + v / 6) for u in up) > 0.7]
    return [edge * (v @ frame.rotation) for v in good]


def _frame_on(bulk: Structure, *names: LatticeName) -> CrystalFrame:
    frame = parent_frame(bulk)
    if frame is None or frame.parent not in names:
        raise MeasurementFailed(
            FailureKind.UNSUPPORTED,
            f"after relaxation its sites form no {' or '.join(names)} lattice, "
            "on which this defect is defined",
        )
    return frame
