"""The self-test of an oracle: what it measures of an element that is known, before a campaign."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from alloop.oracles.base import Measurement, Oracle


@runtime_checkable
class CanSelfTest(Oracle, Protocol):
    """An oracle that can test itself, in about a second where its calculations take less."""

    def self_test(self) -> Measurement:
        """Return what the test found, failed with a sentence where the oracle is not to be used.

        Properties are of one element in its stable crystal: ``energy_per_atom`` and
        ``bulk_modulus`` where the oracle gives them, the latter with its doubts and remarks, and
        ``pressure_error`` in GPa, the largest difference of the stress from finite differences of
        the energy. The cost has the wall time; the document is an ``identity``.
        """


def identity(element: str, seconds_per_call: float, parts: Mapping[str, str]) -> dict[str, object]:
    """Return the document of a self-test.

    Args:
        element: that was calculated.
        seconds_per_call: of one force evaluation or job, s.
        parts: versions and SHA-256 of files that make the oracle what it is, by name.
    """
    return {"element": element, "seconds_per_call": seconds_per_call, "identity": dict(parts)}
