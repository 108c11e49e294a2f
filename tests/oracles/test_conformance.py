"""The conformance suite notices oracles that break their promises."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from pymatgen.core import Composition

from alloop.materials import Material
from alloop.oracles.base import Cost, Failure, FailureKind, Measurement, Status
from alloop.testing.oracles import check_oracle

GOOD, BAD = Composition("NiFe"), Composition("Xe")


@dataclass
class Toy:
    """Measures always the same, and can break one promise."""

    vice: str = ""
    name: str = "toy"
    calls: list[Material] = field(default_factory=list)

    def fingerprint(self) -> str:
        if self.vice == "fingerprint drifts":
            return f"{len(self.calls):064x}"
        return "short" if self.vice == "fingerprint is no hash" else "0" * 64

    def measure(self, material: Material) -> Measurement:
        self.calls.append(material)
        # A cost that is left out is settled by the worker; one that is given counts calls.
        cost = Cost(calls=0 if self.vice == "calls are free" else 1, wall_seconds=0.5)
        if material == BAD and self.vice != "anything goes":
            if self.vice == "raises":
                raise ValueError("no noble gases")
            failure = Failure(FailureKind.UNSUPPORTED, "noble", self.vice == "asks for retries")
            return Measurement(
                Status.FAILED, {}, None, failure, self.name, self.fingerprint(), cost
            )
        value = 27.0 + (len(self.calls) if self.vice == "remembers" else 0)
        properties: Mapping[str, float] = {"density": value}
        if self.vice == "integers":
            properties = {"density": 27}
        name = "somebody else" if self.vice == "another name" else self.name
        return Measurement(Status.OK, properties, None, None, name, self.fingerprint(), cost)


def test_an_honest_oracle_passes() -> None:
    check_oracle(Toy(), GOOD, [BAD])


@pytest.mark.parametrize(
    ("vice", "complaint"),
    [
        ("fingerprint drifts", "do not depend on what was measured"),
        ("fingerprint is no hash", "SHA-256"),
        ("calls are free", "counts as a call"),
        ("anything goes", "bad material fails"),
        ("asks for retries", "whether to retry"),
        ("remembers", "do not depend on what was measured"),
        ("integers", "plain floats"),
        ("another name", "names its oracle"),
    ],
)
def test_a_broken_promise_is_named(vice: str, complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check_oracle(Toy(vice), GOOD, [BAD])


def test_an_exception_is_not_hidden() -> None:
    with pytest.raises(ValueError, match="noble"):
        check_oracle(Toy("raises"), GOOD, [BAD])


def test_something_that_cannot_be_pickled_is_noticed() -> None:
    toy = Toy()
    toy.fingerprint = lambda: "0" * 64  # type: ignore[method-assign]
    with pytest.raises(Exception, match="pickle"):
        check_oracle(toy, GOOD, [BAD])


def test_not_a_number_cannot_be_measured() -> None:
    with pytest.raises(ValueError, match="finite"):
        Measurement(Status.OK, {"density": math.nan}, None, None, "toy", "0" * 64)
