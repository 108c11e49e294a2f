"""The floor every room stands on: errors, materials, canonical JSON and seeds."""

import os

__version__ = "0.2.0"

# OpenMP's threads spin while they wait for each other, and a core that spins does not measure.
# On two cores shared with workers, training took 70 s with spinning threads and 8 s without.
# Read when a numerical library starts its threads, hence here, before any is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
