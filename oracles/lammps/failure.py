"""The failure of a measurement, on its way to becoming a failed ``Measurement``."""

from alloop.oracles.base import FailureKind


class MeasurementFailed(Exception):
    """Raised inside the oracle, never out of it, when a material cannot be measured."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
