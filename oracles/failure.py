"""The failure of a measurement, on its way to becoming a failed ``Measurement``."""

from alloop.oracles.base import RETRYABLE, Failure, FailureKind


class MeasurementFailed(Exception):
    """Raised inside the oracle, never out of it, when a material cannot be measured."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message

    @property
    def failure(self) -> Failure:
        """The failure as a measurement records it."""
        return Failure(self.kind, self.message, retryable=self.kind in RETRYABLE)
