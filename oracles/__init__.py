"""Oracles: LAMMPS, DFT, tables of known results, people.

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
from alloop.oracles.options import OracleOptions

__all__ = [
    "Cost",
    "Failure",
    "FailureKind",
    "Measurement",
    "Oracle",
    "OracleOptions",
    "fingerprint_of",
]
