"""A tier that people measure: the campaign writes down what it wants and waits for labels."""

from alloop.canonical import canonical_json, sha256
from alloop.materials import Material
from alloop.oracles.base import Cost, FailureKind, Measurement
from alloop.oracles.person.options import PersonOptions


class PersonOracle:
    """Placeholder for the people of a tier: it has their protocol's fingerprint and cannot measure.

    The loop does not ask it; answers come by ``alloop label``.
    """

    name = "person"

    def __init__(self, options: PersonOptions) -> None:
        asked = {"properties": sorted(options.properties), "protocol": options.protocol}
        self._fingerprint = sha256(canonical_json({"person": asked}))

    def fingerprint(self) -> str:
        """Return the hash of what is asked for and of the protocol."""
        return self._fingerprint

    def measure(self, material: Material) -> Measurement:
        """Return a failed measurement that says who has to be asked."""
        del material
        return Measurement.failed(
            FailureKind.UNSUPPORTED,
            "people measure this tier; record their results with `alloop label`",
            oracle=self.name,
            fingerprint=self._fingerprint,
            cost=Cost(calls=1),
        )
