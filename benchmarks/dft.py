"""The figures of the DFT tier: `make bench-dft`.

Quantum ESPRESSO is needed (`make espresso`). As root, OpenMPI wants OMPI_ALLOW_RUN_AS_ROOT=1 and
OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1.
"""

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np
from ase.eos import EquationOfState
from pymatgen.core import Lattice, Structure

from benchmarks.recording import record
from oracles.base import Measurement, Status
from oracles.dft.options import DftOptions, EspressoOptions
from oracles.dft.oracle import DftOracle

NICKEL_EDGE = 3.52
"""Å, of fcc nickel: measured at room temperature, and what PBE gives."""

PBE = EspressoOptions(cutoff=40.0, density_cutoff=320.0, kspacing=0.25)
"""Of this benchmark. Formation energies change by a few meV/atom against denser settings."""

T = TypeVar("T")

FACES = [[0.0] * 3, [0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]]
ORDERED = {
    "feni3": Structure(Lattice.cubic(3.55), ["Fe", "Ni", "Ni", "Ni"], FACES),
    "feni": Structure(Lattice.tetragonal(2.52, 3.58), ["Fe", "Ni"], [[0.0] * 3, [0.5] * 3]),
    "fe3ni": Structure(Lattice.cubic(3.57), ["Ni", "Fe", "Fe", "Fe"], FACES),
}
"""L1₂, L1₀ and L1₂, where their relaxations start."""


def main() -> None:
    """Measure everything and write results/dft.json."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        figures = nickel_figures(folder)
        espresso = DftOptions(
            engine="espresso", espresso=PBE, force_tolerance=0.01, strain=0.0, folder=folder
        )
        chgnet = DftOptions(force_tolerance=0.01, strain=0.0, folder=folder)
        pbe, seconds = timed(lambda: measure_all(DftOracle(espresso, elements=("Fe", "Ni"))))
        learned = measure_all(DftOracle(chgnet, elements=("Fe", "Ni")))
        figures["espresso_fe_ni_seconds"] = seconds
    figures |= feni_figures(pbe["feni"])
    figures |= formation_figures(pbe, learned)
    print(record("dft", figures, command="make bench-dft"))


def nickel_figures(folder: Path) -> dict[str, float]:
    """Return the lattice constant of fcc nickel from energies at a few volumes, by pw.x."""
    options = DftOptions(engine="espresso", espresso=PBE, protocol="static", folder=folder)
    oracle = DftOracle(options, elements=("Ni",))
    edges = np.linspace(3.44, 3.60, 5)

    def energies() -> list[float]:
        return [must(oracle.measure(nickel(edge))).properties["energy_per_atom"] for edge in edges]

    found, seconds = timed(energies)
    volume, _, _ = EquationOfState(edges**3 / 4, found, eos="birchmurnaghan").fit()
    edge = float(np.cbrt(4 * volume))
    return {
        "espresso_fcc_ni_lattice_angstrom": edge,
        "espresso_fcc_ni_lattice_error": abs(edge / NICKEL_EDGE - 1),
        "espresso_fcc_ni_seconds": seconds,
    }


def feni_figures(measured: Measurement) -> dict[str, float]:
    """Return cell and moment of L1₀ FeNi."""
    assert isinstance(measured.material, Structure)
    a, _, c = measured.material.lattice.abc
    return {
        "espresso_feni_a_angstrom": a,
        "espresso_feni_c_angstrom": c,
        "espresso_feni_moment_bohr_magnetons": 2 * measured.properties["magnetisation"],
    }


def formation_figures(
    pbe: dict[str, Measurement], learned: dict[str, Measurement]
) -> dict[str, float]:
    """Return formation energies by CHGNet, a learned potential, and by PBE with the same cells."""
    name = "formation_energy_per_atom"
    figures = {}
    for compound in ORDERED:
        figures[f"pbe_formation_{compound}_ev_per_atom"] = pbe[compound].properties[name]
        figures[f"chgnet_formation_{compound}_ev_per_atom"] = learned[compound].properties[name]
    errors = [learned[each].properties[name] - pbe[each].properties[name] for each in ORDERED]
    return figures | {"chgnet_formation_energy_mae_ev_per_atom": float(np.abs(errors).mean())}


def measure_all(oracle: DftOracle) -> dict[str, Measurement]:
    """Return the relaxed ordered compounds."""
    return {name: must(oracle.measure(structure)) for name, structure in ORDERED.items()}


def nickel(edge: float) -> Structure:
    """Return fcc nickel in its primitive cell."""
    half = edge / 2
    lattice = Lattice([[0.0, half, half], [half, 0.0, half], [half, half, 0.0]])
    return Structure(lattice, ["Ni"], [[0.0] * 3])


def must(measured: Measurement) -> Measurement:
    """Return a measurement that is ok; a benchmark ends at any other."""
    if measured.status is not Status.OK:
        raise RuntimeError(f"{measured.oracle}: {measured.failure}")
    print(dict(measured.properties), flush=True)
    return measured


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """Return what some work gives, and its seconds."""
    began = time.perf_counter()
    return work(), time.perf_counter() - began


if __name__ == "__main__":
    main()
