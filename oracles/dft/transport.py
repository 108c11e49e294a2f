"""Thermoelectric power factor of a band structure, by BoltzTraP2 through pymatgen.

BoltzTraP2 is no dependency of Alloop: it has no wheel and is compiled where it is installed, which
is where the jobs of the engine run.
"""

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from jobflow import job

from alloop.errors import DataError, MissingSoftware
from alloop.oracles.dft.engines.espresso_output import OUTPUT, read_bands
from alloop.oracles.dft.options import RELAXATION_TIME, TEMPERATURE

DOPING = tuple(10.0**power for power in range(16, 22))
"""Carrier concentrations that are tried, per cm³, of either sign."""
MICROWATT_PER_CM = 10.0
"""Factor from mW/(m K²) to µW/(cm K²)."""
_MODULE = "pymatgen.electronic_structure.boltztrap2"


@dataclass(frozen=True)
class PowerFactor:
    """Best power factor over the carrier concentrations tried."""

    value: float
    """Power factor, µW/(cm K²), mean over directions."""
    carriers: str
    """Type of the carriers, n or p."""
    doping: float
    """Carrier concentration, per cm³."""


def check_boltztrap() -> None:
    """Check that BoltzTraP2 is installed in this environment, without importing it.

    Raises:
        MissingSoftware: with what to do.
    """
    if find_spec("BoltzTraP2") is None:
        raise _missing()


def power_factor(
    output: Path, *, temperature: float = TEMPERATURE, relaxation_time: float = RELAXATION_TIME
) -> PowerFactor:
    """Return the largest power factor of the bands of a run of VASP or pw.x.

    Args:
        output: vasprun.xml with eigenvalues on a dense mesh, may be gzipped; or pw.x's output.
        temperature: K.
        relaxation_time: s; the same for all carriers.

    Raises:
        MissingSoftware: without BoltzTraP2.
        DataError: if the file cannot be read, or gives no number.
    """
    try:
        boltztrap = import_module(_MODULE)
    except ImportError as error:  # pymatgen's module raises a plain one
        raise _missing() from error
    try:
        if output.name == OUTPUT:
            found = read_bands(output)
            if found is None:
                raise DataError("pw.x printed no bands", where=str(output))
            bands = boltztrap.VasprunBSLoader(found.band_structure(), nelect=found.n_electrons)
        else:
            bands = boltztrap.VasprunBSLoader.from_file(str(output))
        return best_power_factor(bands, temperature=temperature, relaxation_time=relaxation_time)
    except DataError:
        raise
    except Exception as error:  # of whatever the file lacks
        raise DataError(
            f"no power factor could be calculated ({type(error).__name__}: {error})",
            where=str(output),
            remedy="Give the output of a run with bands on a dense mesh.",
        ) from error


def best_power_factor(bands: Any, *, temperature: float, relaxation_time: float) -> PowerFactor:
    """Return the largest power factor over ``DOPING`` and both signs.

    Args:
        bands: loaded by pymatgen for BoltzTraP2, such as a ``VasprunBSLoader``.
        temperature: K.
        relaxation_time: s.

    Raises:
        DataError: if a power factor is not finite.
    """
    boltztrap = import_module(_MODULE)
    transport = boltztrap.BztTransportProperties(
        boltztrap.BztInterpolator(bands),
        temp_r=np.array([temperature]),
        doping=np.array(DOPING),
        CRTA=relaxation_time,
    )
    tensors = transport.Power_Factor_doping  # mW/(m K²), (temperatures, dopings, 3, 3)
    found = [
        PowerFactor(MICROWATT_PER_CM * float(np.trace(tensor)) / 3, carriers, doping)
        for carriers in ("n", "p")
        for doping, tensor in zip(DOPING, tensors[carriers][0], strict=True)
    ]
    if not all(np.isfinite(one.value) for one in found):
        raise DataError("the power factor is not a finite number")
    return max(found, key=lambda one: one.value)


@job  # type: ignore[untyped-decorator]
def summarise_transport(folder: str, temperature: float, relaxation_time: float) -> dict[str, Any]:
    """Return the power factor of the run in a folder, plain JSON: ``power_factor`` in µW/(cm K²),
    ``carriers`` and ``doping`` per cm³.

    Args:
        folder: where the engine ran, as atomate2 has it: a path, VASP's with host and colon
            before it.
        temperature: K.
        relaxation_time: s.
    """
    home = Path(folder.rpartition(":")[2])
    runs = [*sorted(home.glob("vasprun.xml*")), *home.glob(OUTPUT)]
    run = runs[0] if runs else home / "vasprun.xml"
    best = power_factor(run, temperature=temperature, relaxation_time=relaxation_time)
    return {"power_factor": best.value, "carriers": best.carriers, "doping": best.doping}


def _missing() -> MissingSoftware:
    return MissingSoftware(
        "power factors need BoltzTraP2, which is not installed here",
        where="tiers, transport",
        remedy="Run `pip install BoltzTraP2` (it needs a C++ compiler and CMake), or give a table.",
    )
