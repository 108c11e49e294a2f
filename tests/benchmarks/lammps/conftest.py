"""The oracle and the alloys of the LAMMPS oracle's own tests."""

from tests.oracles.lammps.conftest import alloy, large, options, oracle

__all__ = ["alloy", "large", "options", "oracle"]
