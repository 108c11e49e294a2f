"""One attempt at a measurement in the worker: a simulation, and the measurement it becomes."""

from collections.abc import Callable
from time import perf_counter

from pymatgen.core import Structure

from alloop.oracles.base import FailureKind, Measurement, NotFinite
from alloop.oracles.failure import MeasurementFailed
from alloop.oracles.options import OracleOptions
from alloop.oracles.strain_checks import CheckedProperties

Summary = tuple[CheckedProperties, Structure | None]
"""Properties, and the relaxed structure where there is one."""


def attempt(
    simulation: Callable[[], Summary],
    options: OracleOptions,
    *,
    oracle: str,
    fingerprint: str,
    cores: int = 1,
    kind_of: Callable[[Exception], FailureKind],
) -> Measurement:
    """Run a simulation and return a measurement, a failed one where it fails.

    Args:
        simulation: gives the properties.
        options: of the oracle, for the price of its time.
        oracle: name of the oracle.
        fingerprint: of its settings.
        cores: cores that the simulation uses.
        kind_of: gives the kind of failure that an exception of the software stands for, or raises
            it where the material is not to blame.
    """
    start = perf_counter()
    try:
        properties, relaxed = simulation()
        return Measurement.succeeded(
            properties.values,
            oracle=oracle,
            fingerprint=fingerprint,
            material=relaxed,
            cost=options.cost_of(perf_counter() - start, cores),
            doubts=properties.doubts,
            remarks=properties.remarks,
        )
    except MeasurementFailed as failure:
        kind, message = failure.kind, failure.message
    except NotFinite as error:
        kind, message = FailureKind.UNPHYSICAL, str(error)
    except Exception as error:  # a bad material must not stop a campaign; the kind says so
        kind, message = kind_of(error), f"{type(error).__name__}: {error}"
    return Measurement.failed(
        kind,
        message,
        oracle=oracle,
        fingerprint=fingerprint,
        cost=options.cost_of(perf_counter() - start, cores),
    )
