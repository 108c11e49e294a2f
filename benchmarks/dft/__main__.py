"""The figures of the DFT tier: `make bench-dft`, or `python -m benchmarks.dft PART …` for some.

Quantum ESPRESSO is needed (`make espresso`). As root, OpenMPI wants OMPI_ALLOW_RUN_AS_ROOT=1 and
OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np
from ase.eos import EquationOfState
from ase.units import GPa
from pymatgen.core import Lattice, Structure

from alloop.oracles.base import Measurement, Oracle, Status
from alloop.oracles.dft.options import DftOptions, EspressoOptions
from alloop.oracles.dft.oracle import DftOracle
from benchmarks.recording import RESULTS, record

NICKEL_EDGE = 3.52
"""Lattice constants of fcc nickel, Å: measured at room temperature, and what PBE gives."""

PBE = EspressoOptions(cutoff=40.0, density_cutoff=320.0, kspacing=0.25)
"""Settings of pw.x in this benchmark."""

RELAXED = DftOptions(engine="espresso", espresso=PBE, force_tolerance=0.01, strain=0.0)
"""Its relaxations."""

PUBLISHED = {"feni3": -0.0935, "feni": -0.0676}
"""Formation energies by PBE in eV/atom, against bcc iron and fcc nickel: the lowest that the
Materials Project has of FeNi₃ and FeNi, in Matbench 0.1's matbench_mp_e_form (Dunn et al., npj
Comput. Mater. 6 (2020) 138). README.md beside says where they were read, and why none is of Fe₃Ni.
"""

T = TypeVar("T")

FACES = [[0.0] * 3, [0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]]
ORDERED = {
    "feni3": Structure(Lattice.cubic(3.55), ["Fe", "Ni", "Ni", "Ni"], FACES),
    "feni": Structure(Lattice.tetragonal(2.52, 3.58), ["Fe", "Ni"], [[0.0] * 3, [0.5] * 3]),
    "fe3ni": Structure(Lattice.cubic(3.57), ["Ni", "Fe", "Fe", "Fe"], FACES),
}
"""L1₂, L1₀ and L1₂, where their relaxations start."""


def main(names: Sequence[str]) -> None:
    """Measure the named parts, or all, and write results/dft.json.

    Figures of parts that are not named stay as they were, so that what takes long can be measured
    part by part.
    """
    with TemporaryDirectory() as name:
        for part in names or PARTS:
            print(f"{part} …", flush=True)
            found, seconds = timed(partial(PARTS[part], Path(name)))
            write(found | {f"{part}_seconds": seconds})


def write(found: dict[str, float]) -> None:
    """Add figures to those that were recorded before."""
    path = RESULTS / "dft.json"
    before = json.loads(path.read_text("utf-8"))["figures"] if path.exists() else {}
    figures = before | found
    print(record("dft", figures | mean_errors(figures), command="make bench-dft"))


def espresso_nickel_figures(folder: Path) -> dict[str, float]:
    """Return the lattice constant of fcc nickel from energies at a few volumes, by pw.x."""
    options = DftOptions(engine="espresso", espresso=PBE, protocol="static", folder=folder)
    oracle = DftOracle(options, elements=("Ni",))
    edges = np.linspace(3.44, 3.60, 5)
    found = [must(oracle.measure(nickel(edge))).properties["energy_per_atom"] for edge in edges]
    volume, _, modulus = EquationOfState(edges**3 / 4, found, eos="birchmurnaghan").fit()
    edge = float(np.cbrt(4 * volume))
    return {
        "espresso_fcc_ni_lattice_angstrom": edge,
        "espresso_fcc_ni_lattice_error": abs(edge / NICKEL_EDGE - 1),
        "espresso_fcc_ni_bulk_modulus_gpa": float(modulus / GPa),
    }


def espresso_feni_figures(folder: Path) -> dict[str, float]:
    """Relax L1₀ FeNi by pw.x; return its cell and moment."""
    options = RELAXED.model_copy(update={"folder": folder, "protocol": "relax"})
    measured = must(DftOracle(options, elements=("Fe", "Ni")).measure(ORDERED["feni"]))
    assert isinstance(measured.material, Structure)
    a, _, c = measured.material.lattice.abc
    return {
        "espresso_feni_a_angstrom": a,
        "espresso_feni_c_angstrom": c,
        "espresso_feni_moment_bohr_magnetons": 2 * measured.properties["magnetisation"],
    }


def espresso_formation_figures(folder: Path) -> dict[str, float]:
    """Return formation energies by pw.x with the PBE functional, what CHGNet was trained on."""
    options = RELAXED.model_copy(update={"folder": folder})
    return formation(DftOracle(options, elements=("Fe", "Ni")), "espresso")


def chgnet_formation_figures(folder: Path) -> dict[str, float]:
    """Return formation energies by CHGNet, a learned potential."""
    options = DftOptions(force_tolerance=0.01, strain=0.0, folder=folder)
    return formation(DftOracle(options, elements=("Fe", "Ni")), "chgnet")


def formation(oracle: Oracle, prefix: str) -> dict[str, float]:
    """Return formation energies and, by spin-polarised DFT, moments of the relaxed compounds."""
    found = {name: must(oracle.measure(cell)).properties for name, cell in ORDERED.items()}
    energies = {
        f"{prefix}_formation_{name}_ev_per_atom": properties["formation_energy_per_atom"]
        for name, properties in found.items()
    }
    moments = {
        f"{prefix}_{name}_moment_bohr_magnetons_per_atom": properties["magnetisation"]
        for name, properties in found.items()
        if "magnetisation" in properties
    }
    return energies | moments


def mean_errors(figures: Mapping[str, float]) -> dict[str, float]:
    """Return mean absolute differences of formation energies, of those that are known."""

    def by(who: str) -> dict[str, float]:
        names = {each: f"{who}_formation_{each}_ev_per_atom" for each in ORDERED}
        return {each: figures[name] for each, name in names.items() if name in figures}

    compared = {
        "chgnet_formation_energy_mae_ev_per_atom": (by("chgnet"), PUBLISHED),
        "espresso_formation_energy_mae_ev_per_atom": (by("espresso"), PUBLISHED),
        "chgnet_minus_espresso_formation_mae_ev_per_atom": (by("chgnet"), by("espresso")),
    }
    return {
        name: float(np.mean([abs(found[each] - expected[each]) for each in both]))
        for name, (found, expected) in compared.items()
        if (both := found.keys() & expected.keys())
    }


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
    """Return the result of some work, and its seconds."""
    began = time.perf_counter()
    return work(), time.perf_counter() - began


PARTS: Mapping[str, Callable[[Path], dict[str, float]]] = {
    "espresso_fcc_ni": espresso_nickel_figures,
    "espresso_feni": espresso_feni_figures,
    "chgnet_formation": chgnet_formation_figures,
    "espresso_formation": espresso_formation_figures,
}
"""Tasks to measure, by the name under which their seconds are recorded."""


if __name__ == "__main__":
    main(sys.argv[1:])
