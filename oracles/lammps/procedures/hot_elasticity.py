"""Elastic constants at a temperature: mean stresses of strained cells, by molecular dynamics.

Isothermal constants: the temperature is held in every strained cell. What remains of the noise is
told by blocks of the trajectories.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from pymatgen.core import Lattice, Structure

from alloop.materials import material_id
from alloop.oracles.base import FailureKind
from alloop.oracles.elastic_tensor import elastic_properties, in_crystal_frame
from alloop.oracles.failure import MeasurementFailed
from alloop.oracles.lammps.options import DynamicsOptions, LammpsOptions
from alloop.oracles.lammps.potentials.definition import Potential
from alloop.oracles.lammps.procedures.dynamics import (
    SAMPLED_EVERY,
    SKIN,
    THERMOSTAT,
    TrajectoryAverages,
    sample,
)
from alloop.oracles.lammps.procedures.elasticity import (
    VOIGT,
    strain_directions,
    symmetric_tensor,
    turned_back,
)
from alloop.oracles.lammps.simulation.cell import Array, LammpsCell
from alloop.oracles.lammps.simulation.relaxation import RelaxedCrystal
from alloop.oracles.lammps.simulation.session import (
    LammpsSession,
    create_atoms,
    open_lammps,
    set_box,
)
from alloop.oracles.strain_checks import CheckedProperties
from alloop.seeds import derive_seed

if TYPE_CHECKING:
    from pymatgen.analysis.elasticity.elastic import ElasticTensor

STRAIN = 0.01
"""± strain. Under it the stress of a metal changes by some 2 GPa, and its mean over 250 atoms and
10 ps is known to 0.03; what is of third order in the strain cancels."""
BLOCKS = 5
"""Number of parts of each trajectory, each giving a tensor: their spread is the error."""
LEAST_CRYSTAL = 0.9
"""Least share of atoms that are still surrounded as in the crystal."""
BAR_PER_GPA = 1e4

_NAMES = {
    "c11": "c11_at_temperature",
    "c12": "c12_at_temperature",
    "c44": "c44_at_temperature",
    "bulk_modulus_hill": "bulk_modulus_at_temperature",
    "shear_modulus": "shear_modulus_at_temperature",
}


def measure_hot_elasticity(
    session: LammpsSession, cell: LammpsCell, crystal: RelaxedCrystal, options: LammpsOptions
) -> CheckedProperties:
    """Return elastic constants and moduli in GPa at the temperature of ``options.dynamics``, each
    with its standard error as a remark.

    The mean cell of one trajectory at zero pressure is strained in six ways, each both ways; twelve
    trajectories of the same length at constant temperature give the stresses.

    Raises:
        MeasurementFailed: if the crystal evaporates, or is none at that temperature.
    """
    dynamics = options.dynamics
    seed = derive_seed("hot elasticity", material_id(cell.structure))
    sampled = sample(
        session.potential, crystal.structure(cell), dynamics, seed, threads=options.threads
    )
    if sampled.crystal_fraction < LEAST_CRYSTAL:
        raise MeasurementFailed(
            FailureKind.UNPHYSICAL,
            f"at {dynamics.temperature:g} K only {100 * sampled.crystal_fraction:.0f} % of its "
            "atoms are still in the crystal, which has no elastic constants any more",
        )
    tensors = hot_tensors(session.potential, sampled, dynamics, seed, threads=options.threads)
    at_rest = LammpsCell.of(sampled.start)
    frame_of = Structure(
        Lattice(at_rest.box), sampled.start.species, at_rest.positions, coords_are_cartesian=True
    )
    rows = [elastic_properties(in_crystal_frame(each, frame_of)) for each in tensors]
    values, remarks = {}, {}
    for name, hot in _NAMES.items():
        blocks = np.array([row[name] for row in rows])
        values[hot] = float(blocks.mean())
        error = blocks.std(ddof=1) / np.sqrt(len(blocks))
        remarks[hot] = f"± {error:.2g} GPa, standard error of {len(blocks)} blocks"
    return CheckedProperties(values, remarks=remarks)


def hot_tensors(
    potential: Potential,
    sampled: TrajectoryAverages,
    options: DynamicsOptions,
    seed: int,
    *,
    threads: int = 1,
) -> "list[ElasticTensor]":
    """Return the isothermal elastic constants in LAMMPS's frame, GPa, by each block."""
    columns: list[list[list[float]]] = [[] for _ in range(BLOCKS)]
    for number, direction in enumerate(strain_directions()):
        pressures = {}
        for sign in (-1, 1):
            gradient = sign * STRAIN * direction
            found = _pressures(potential, sampled.mean, gradient, options, seed + number, threads)
            pressures[sign] = [turned_back(each, gradient) for each in found]
        for block, column in enumerate(columns):
            fall = pressures[-1][block] - pressures[1][block]
            column.append([float(fall[k, m]) / (2 * STRAIN) for k, m in VOIGT])
    return [symmetric_tensor(column) for column in columns]


def _pressures(
    potential: Potential,
    mean: Structure,
    gradient: Array,
    options: DynamicsOptions,
    seed: int,
    threads: int,
) -> Sequence[Array]:
    """Return the mean pressure tensor of each block, GPa, in a cell deformed by a gradient."""
    deformed = np.eye(3) + gradient
    step = options.time_step / 1000  # ps
    n_samples = max(1, round(options.sample / step / SAMPLED_EVERY / BLOCKS))
    heat = f"temp {options.temperature!r} {options.temperature!r} {THERMOSTAT * step!r}"
    block = f"{SAMPLED_EVERY} {n_samples} {SAMPLED_EVERY * n_samples}"
    lammps = open_lammps(potential, skin=SKIN, threads=threads)
    try:
        set_box(lammps, mean.lattice.matrix @ deformed.T)
        symbols = [site.specie.symbol for site in mean]
        create_atoms(lammps, potential, symbols, mean.cart_coords @ deformed.T)
        for command in (
            f"timestep {step!r}",
            f"velocity all create {2 * options.temperature!r} {seed % 2**30 + 1} mom yes rot no "
            "dist gaussian",
            f"fix motion all nvt {heat}",
            f"run {round(options.equilibrate / step)} post no",
            "reset_timestep 0",
            "compute pressure all pressure thermo_temp",
            f"fix pressure all ave/time {block} "
            + " ".join(f"c_pressure[{component}]" for component in range(1, 7)),
        ):
            lammps.command(command)
        found = []
        for _ in range(BLOCKS):
            lammps.command(f"run {SAMPLED_EVERY * n_samples} post no")
            xx, yy, zz, xy, xz, yz = (lammps.extract_fix("pressure", 0, 1, i) for i in range(6))
            found.append(np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]) / BAR_PER_GPA)
    finally:
        lammps.close()
    return found
