"""Learned potentials against PBE: bulk moduli, formation energies, seconds."""

import gzip
import json
import random
import time
from collections.abc import Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from alloop.oracles.base import Status
from alloop.oracles.dft.options import DftOptions, SevennetOptions
from alloop.oracles.dft.oracle import DftOracle
from alloop.oracles.element_crystals import element_crystal
from alloop.oracles.mlip.options import MlipOptions
from alloop.oracles.mlip.oracle import MlipOracle
from benchmarks.data import data_folder
from benchmarks.dft.__main__ import PUBLISHED, formation, must

ELASTICITY = "mp-binary-pbe-elasticity-2025.1.json.gz"
"""Bulk moduli (Hill) of binaries by PBE, Materials Project as in MatCalc."""
EQUILIBRIUM = "wbm-random-pbe52-equilibrium-2025.1.json.gz"
"""Relaxed crystals and their formation energies by PBE, a random part of WBM as in MatCalc."""

MODELS = {"chgnet": "chgnet", "sevennet-0": "7net_0", "sevennet-l3i5": "7net_l3i5"}
"""What figures are called by the name that a tier of kind mlip takes."""
N_BINARIES = 100
N_ENERGIES = 60
MAX_ATOMS = 4
"""Largest primitive cell of the sample: what counts is the chemistry."""
SEED = 17
HEAVIEST = 83
"""Atomic number up to which elements are taken: bismuth, the last that all three models know."""


def figures(model: str, name: str) -> dict[str, float]:
    """Return a potential's errors.

    Args:
        model: as a tier of kind mlip names it.
        name: as the figures do.
    """
    return bulk_modulus_figures(MlipOracle(MlipOptions(model=model)), name) | energy_figures(
        MlipOracle(MlipOptions(model=model, strain=0)), name
    )


chgnet_figures, sevennet_0_figures, sevennet_l3i5_figures = (
    partial(figures, model, name) for model, name in MODELS.items()
)


def bulk_modulus_figures(oracle: MlipOracle, name: str) -> dict[str, float]:
    """Return errors of the bulk modulus on cubic binaries; a crystal that cannot be measured
    counts with the whole of its modulus."""
    errors, failures, began = [], 0, time.process_time()
    for crystal, published in cubic_binaries():
        measured = oracle.measure(crystal)
        value = measured.properties.get("bulk_modulus", 0.0)
        failures += measured.status is Status.FAILED
        errors.append(value - published)
        print(name, crystal.formula, published, value, measured.failure or "", flush=True)
    seconds = time.process_time() - began
    return {
        f"k_mae_gpa_{name}": float(np.mean(np.abs(errors))),
        f"k_median_error_gpa_{name}": float(np.median(np.abs(errors))),
        f"k_mean_signed_error_gpa_{name}": float(np.mean(errors)),
        f"k_failures_{name}": failures,
        f"k_binaries_{name}": len(errors),
        f"k_processor_seconds_per_binary_{name}": seconds / len(errors),
    }


def energy_figures(oracle: MlipOracle, name: str) -> dict[str, float]:
    """Return errors of formation energies on crystals of WBM."""
    errors, failures = [], 0
    for crystal, published in wbm_crystals():
        measured = oracle.measure(crystal)
        if measured.status is Status.FAILED:
            failures += 1
            continue
        errors.append(measured.properties["formation_energy_per_atom"] - published)
    return {
        f"wbm_formation_mae_ev_per_atom_{name}": float(np.mean(np.abs(errors))),
        f"wbm_crystals_{name}": len(errors),
        f"wbm_failures_{name}": failures,
    }


def seconds_figures() -> dict[str, float]:
    """Return the seconds of one evaluation by each potential, measured one after the other."""
    return {
        f"seconds_per_evaluation_of_54_atoms_{name}": evaluation_seconds(
            MlipOracle(MlipOptions(model=model))
        )
        for model, name in MODELS.items()
    }


def evaluation_seconds(oracle: MlipOracle) -> float:
    """Return the processor seconds of one evaluation of a random fcc Ni18Fe18Cr18."""
    crystal = element_crystal("Ni")
    assert crystal is not None
    crystal.make_supercell((3, 3, 6))
    symbols = ["Ni", "Fe", "Cr"] * 18
    random.Random(SEED).shuffle(symbols)
    atoms = oracle.atoms(Structure(crystal.lattice, symbols, crystal.frac_coords))
    seconds = []
    for k in range(4):
        atoms.rattle(0.01, seed=k)
        began = time.process_time()
        atoms.get_forces()
        seconds.append(time.process_time() - began)
    return float(np.median(seconds))


def iron_nickel_figures() -> dict[str, float]:
    """Return what a tier of kind mlip says of ordered Fe–Ni and of bcc iron, by each potential."""
    found: dict[str, float] = {}
    iron = element_crystal("Fe")
    assert iron is not None
    for model, name in MODELS.items():
        oracle = MlipOracle(MlipOptions(model=model, force_tolerance=0.01))
        found |= formation(oracle, name)
        modulus = must(oracle.measure(iron)).properties["bulk_modulus"]
        found[f"bcc_iron_bulk_modulus_gpa_{name}"] = modulus
    return found


def dear_tier_figures() -> dict[str, float]:
    """Return formation energies by the ready campaign's dear tier, and by its other model, with
    their errors."""
    found: dict[str, float] = {}
    for model, name in (("7net-0", "dear_tier"), ("7net-l3i5", "dear_tier_l3i5")):
        with TemporaryDirectory() as folder:
            options = DftOptions(
                engine="sevennet",
                sevennet=SevennetOptions(model=model),
                force_tolerance=0.01,
                strain=0.0,
                folder=Path(folder),
            )
            found |= formation(DftOracle(options, elements=("Fe", "Ni")), name)
        errors = [abs(found[f"{name}_formation_{k}_ev_per_atom"] - v) for k, v in PUBLISHED.items()]
        found[f"{name}_formation_mae_ev_per_atom"] = float(np.mean(errors))
    return found


def cubic_binaries() -> list[tuple[Structure, float]]:
    """Return a random sample of small cubic binaries with their bulk moduli in GPa. Of cubic
    crystals the moduli of Voigt, Reuss and Hill are the same."""
    found = []
    for row in _shuffled(ELASTICITY):
        crystal = Structure.from_dict(row["structure"])
        if not _is_small(crystal) or row["bulk_modulus_vrh"] <= 0:
            continue
        if SpacegroupAnalyzer(crystal, symprec=0.01).get_crystal_system() == "cubic":
            found.append((crystal, float(row["bulk_modulus_vrh"])))
        if len(found) == N_BINARIES:
            break
    return found


def wbm_crystals() -> list[tuple[Structure, float]]:
    """Return a random sample of small crystals with their formation energies in eV/atom, of
    elements that have a simple crystal to refer to."""
    found = (
        (Structure.from_dict(row["structure"]), float(row["formation_energy_per_atom"]))
        for row in _shuffled(EQUILIBRIUM)
    )
    return list(islice((each for each in found if _has_references(each[0])), N_ENERGIES))


def _shuffled(name: str) -> list[Mapping[str, Any]]:
    with gzip.open(data_folder() / "yardsticks" / "matcalc" / name) as file:
        rows: list[Mapping[str, Any]] = json.load(file)
    random.Random(SEED).shuffle(rows)
    return rows


def _is_small(crystal: Structure) -> bool:
    return len(crystal) <= MAX_ATOMS and all(e.Z <= HEAVIEST for e in crystal.elements)


def _has_references(crystal: Structure) -> bool:
    return _is_small(crystal) and all(
        element_crystal(element.symbol) is not None for element in crystal.elements
    )
