"""Oracles: LAMMPS, DFT, learned potentials, tables of known results, people.

Importing this imports no simulator.
"""

from alloop.oracles.base import (
    Cost,
    Failure,
    FailureKind,
    Measurement,
    Oracle,
    fingerprint_of,
)
from alloop.oracles.mlip.potentials.definition import LearnedPotential, Weights
from alloop.oracles.options import OracleOptions

__all__ = [
    "Cost",
    "Failure",
    "FailureKind",
    "LearnedPotential",
    "Measurement",
    "Oracle",
    "OracleOptions",
    "Weights",
    "fingerprint_of",
]
