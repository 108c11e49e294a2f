"""Molecular dynamics at a temperature and zero pressure."""

from dataclasses import dataclass

import numpy as np
from pymatgen.core import Lattice, Structure

from alloop.materials import material_id
from alloop.oracles.base import FailureKind
from alloop.oracles.failure import MeasurementFailed
from alloop.oracles.lammps.options import DynamicsOptions, LammpsOptions
from alloop.oracles.lammps.potentials.definition import Potential
from alloop.oracles.lammps.simulation.cell import Array, LammpsCell
from alloop.oracles.lammps.simulation.neighbourhood import (
    bond_length,
    neighbourhoods,
    share_unchanged,
)
from alloop.oracles.lammps.simulation.relaxation import RelaxedCrystal
from alloop.oracles.lammps.simulation.session import (
    LammpsSession,
    create_atoms,
    open_lammps,
    set_box,
)
from alloop.seeds import derive_seed

SKIN = 1.0
"""Skin of the neighbour list, Å: beyond the potential's reach, listed anew when needed."""
THERMOSTAT, BAROSTAT = 100, 1000
"""Damping times in time steps, as LAMMPS's page on fix npt advises."""
SAMPLED_EVERY = 10
"""Number of time steps between samples."""
MAX_EXPANSION = 1.5
"""Largest growth of the volume, as a factor; a crystal that grows more has evaporated."""

_BOX = ("lx", "ly", "lz", "xy", "xz", "yz")


@dataclass(frozen=True)
class TrajectoryAverages:
    """Averages over a trajectory, with the crystal it began from."""

    start: Structure
    """Relaxed crystal, repeated as it was simulated."""
    mean: Structure
    """Mean cell and mean positions of the same atoms."""
    temperature: float
    """Mean temperature over the samples, K."""

    @property
    def volume_per_atom(self) -> float:
        """Volume per atom of the mean cell, Å³."""
        return float(self.mean.volume / len(self.mean))

    @property
    def thermal_expansion(self) -> float:
        """Mean coefficient of linear expansion from rest to this temperature, 10⁻⁶/K."""
        growth = np.cbrt(self.mean.volume / self.start.volume) - 1
        return float(1e6 * growth / self.temperature)

    @property
    def crystal_fraction(self) -> float:
        """Share of atoms whose neighbours surround them, on average, as in the crystal at rest."""
        length = bond_length(self.start)
        longer = length * float(np.cbrt(self.mean.volume / self.start.volume))
        before = neighbourhoods(self.start, length)
        return share_unchanged(before, neighbourhoods(self.mean, longer))


def measure_dynamics(
    session: LammpsSession, cell: LammpsCell, crystal: RelaxedCrystal, options: LammpsOptions
) -> dict[str, float]:
    """Return volume, expansion and remaining order at the temperature of ``options.dynamics``.

    Atoms move by classical mechanics, so that there is no zero-point motion and the expansion
    below the Debye temperature is larger than nature's. The random velocities at the start
    depend on the material alone.

    Raises:
        MeasurementFailed: if the crystal evaporates.
    """
    seed = derive_seed("molecular dynamics", material_id(cell.structure))
    sampled = sample(
        session.potential, crystal.structure(cell), options.dynamics, seed, threads=options.threads
    )
    return {
        "volume_per_atom_at_temperature": sampled.volume_per_atom,
        "thermal_expansion": sampled.thermal_expansion,
        "crystal_fraction": sampled.crystal_fraction,
    }


def sample(
    potential: Potential,
    crystal: Structure,
    options: DynamicsOptions,
    seed: int,
    *,
    threads: int = 1,
) -> TrajectoryAverages:
    """Simulate a relaxed crystal at constant temperature and zero pressure.

    A rectangular cell keeps its angles.

    Raises:
        MeasurementFailed: if it evaporates.
    """
    start = _repeated(crystal, options.atoms)
    cell = LammpsCell.of(start)
    lammps = open_lammps(potential, skin=SKIN, threads=threads)
    try:
        set_box(lammps, cell.box)
        create_atoms(lammps, potential, [site.specie.symbol for site in start], cell.positions)
        for command in _commands(cell, options, seed):
            lammps.command(command)
        box = _lower([lammps.extract_fix("box", 0, 1, i) for i in range(len(_BOX))])
        temperature = lammps.extract_fix("box", 0, 1, len(_BOX))
        positions = np.array(lammps.gather("f_positions", 1, 3)).reshape(-1, 3)
    finally:
        lammps.close()
    mean = Structure(Lattice(box), start.species, positions, coords_are_cartesian=True)
    if not np.isfinite(box).all() or mean.volume > MAX_EXPANSION * start.volume:
        raise MeasurementFailed(
            FailureKind.UNPHYSICAL, f"the crystal evaporated at {options.temperature:g} K"
        )
    return TrajectoryAverages(start, mean, float(temperature))


def _commands(cell: LammpsCell, options: DynamicsOptions, seed: int) -> list[str]:
    step = options.time_step / 1000  # ps
    temperature, shape = options.temperature, "aniso" if cell.is_orthogonal else "flip no tri"
    equilibrate = round(options.equilibrate / step)
    n_samples = max(1, round(options.sample / step / SAMPLED_EVERY))
    every = f"{SAMPLED_EVERY} {n_samples} {SAMPLED_EVERY * n_samples}"
    return [
        f"timestep {step!r}",
        # From rest, half of the heat goes into the potential energy.
        f"velocity all create {2 * temperature!r} {seed + 1} mom yes rot no dist gaussian",
        f"fix motion all npt temp {temperature!r} {temperature!r} {THERMOSTAT * step!r} "
        f"{shape} 0.0 0.0 {BAROSTAT * step!r}",
        f"run {equilibrate} post no",
        # Averages count from step 0, at which nothing must be sampled.
        "reset_timestep 0",
        "compute unwrapped all property/atom xu yu zu",
        f"fix positions all ave/atom {every} c_unwrapped[1] c_unwrapped[2] c_unwrapped[3]",
        *(f"variable {name} equal {name}" for name in _BOX),
        f"fix box all ave/time {every} {' '.join(f'v_{name}' for name in _BOX)} c_thermo_temp",
        f"run {SAMPLED_EVERY * n_samples} post no",
    ]


def _lower(box: list[float]) -> Array:
    lx, ly, lz, xy, xz, yz = box
    return np.array([[lx, 0.0, 0.0], [xy, ly, 0.0], [xz, yz, lz]])


def _repeated(crystal: Structure, atoms: int) -> Structure:
    """Return the crystal repeated to at least a number of atoms, about as long as it is wide."""
    repeats = np.ones(3, dtype=int)
    widths = 1 / np.linalg.norm(np.linalg.inv(crystal.lattice.matrix), axis=0)
    while len(crystal) * repeats.prod() < atoms:
        repeats[np.argmin(np.round(repeats * widths, 6))] += 1
    return crystal * tuple(int(n) for n in repeats)
