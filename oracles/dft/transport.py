"""Thermoelectric power factor of a band structure, by BoltzTraP2 through pymatgen.

For those who have a VASP run with bands on a dense mesh, and BoltzTraP2, which is no dependency of
Alloop: it has no wheel and is compiled where it is installed. What comes out goes into a table
(``kind: table``) or is entered by a person; no tier of a campaign runs this by itself.
"""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np

from alloop.errors import DataError, MissingSoftware

DOPING = tuple(10.0**power for power in range(16, 22))
"""Carrier concentrations that are tried, per cm³, of either sign."""
TEMPERATURE = 300.0
"""Default temperature, K."""
RELAXATION_TIME = 1e-14
"""Relaxation time, s; the same for all carriers, as in F. Ricci et al., Sci. Data 4 (2017) 170085.
Power factors are proportional to this assumption."""
MICROWATT_PER_CM = 10.0
"""Factor from mW/(m K²) to µW/(cm K²)."""


@dataclass(frozen=True)
class PowerFactor:
    """Best power factor over the carrier concentrations tried."""

    value: float
    """Power factor, µW/(cm K²), mean over directions."""
    carriers: str
    """Type of the carriers, n or p."""
    doping: float
    """Carrier concentration, per cm³."""


def power_factor(vasprun: Path, *, temperature: float = TEMPERATURE) -> PowerFactor:
    """Return the largest power factor of a VASP run's bands.

    Args:
        vasprun: vasprun.xml with eigenvalues on a dense mesh.
        temperature: K.

    Raises:
        MissingSoftware: without BoltzTraP2.
        DataError: if the file cannot be read, or gives no number.
    """
    try:
        boltztrap = import_module("pymatgen.electronic_structure.boltztrap2")
    except ImportError as error:  # pymatgen's module raises a plain one
        raise MissingSoftware(
            "power factors need BoltzTraP2, which is not installed here",
            remedy="Run `pip install BoltzTraP2` (it needs a C++ compiler), or give a table.",
        ) from error
    try:
        bands = boltztrap.VasprunBSLoader.from_file(str(vasprun))
        transport = boltztrap.BztTransportProperties(
            boltztrap.BztInterpolator(bands),
            temp_r=np.array([temperature]),
            doping=np.array(DOPING),
            CRTA=RELAXATION_TIME,
        )
        tensors = transport.Power_Factor_doping  # mW/(m K²), (temperatures, dopings, 3, 3)
    except Exception as error:  # of whatever the file lacks
        raise DataError(
            f"no power factor could be calculated ({type(error).__name__}: {error})",
            where=str(vasprun),
            remedy="Give the vasprun.xml of a run with bands on a dense mesh.",
        ) from error
    found = [
        PowerFactor(MICROWATT_PER_CM * float(np.trace(tensor)) / 3, carriers, doping)
        for carriers in ("n", "p")
        for doping, tensor in zip(DOPING, tensors[carriers][0], strict=True)
    ]
    best = max(found, key=lambda one: one.value)
    if not all(np.isfinite(one.value) for one in found):
        raise DataError("the power factor is not a finite number", where=str(vasprun))
    return best
