"""Several oracles in a row, as one."""

from alloop.materials import Material
from alloop.oracles.base import Cost, Measurement, Oracle, Status, fingerprint_of


class ChainOracle:
    """Oracle that asks its parts in order, each about what the one before it relaxed.

    The first failure is the chain's; what was measured until then is lost, its cost is not.

    Args:
        parts: in the order of measuring.
    """

    def __init__(self, parts: tuple[Oracle, ...]) -> None:
        self._parts = parts
        self.name = " then ".join(part.name for part in parts)

    def fingerprint(self) -> str:
        """Return the hash of the parts' fingerprints, in order."""
        return fingerprint_of(chain=[part.fingerprint() for part in self._parts])

    def measure(self, material: Material) -> Measurement:
        """Measure by all parts; see ``Oracle``."""
        found: list[Measurement] = []
        current, relaxed = material, None
        for part in self._parts:
            answer = part.measure(current)
            found.append(answer)
            if answer.failure is not None:
                return Measurement.failed(
                    answer.failure.kind,
                    f"{part.name}: {answer.failure.message}",
                    oracle=self.name,
                    fingerprint=self.fingerprint(),
                    cost=_sum(found),
                )
            if answer.material is not None:
                current = relaxed = answer.material
        documents = [answer.document for answer in found]
        return Measurement(
            Status.OK,
            {name: value for answer in found for name, value in answer.properties.items()},
            relaxed,
            None,
            self.name,
            self.fingerprint(),
            _sum(found),
            {"parts": documents} if any(documents) else None,
            {name: doubt for answer in found for name, doubt in answer.doubts.items()},
            {name: remark for answer in found for name, remark in answer.remarks.items()},
        )


def _sum(answers: list[Measurement]) -> Cost:
    """Return what the parts cost together, one call; nothing where no part says it, and the worker
    settles it."""
    costs = [answer.cost for answer in answers]
    total = sum(costs, Cost())
    return (
        Cost(1, *list(vars(total).values())[1:]) if any(cost != Cost() for cost in costs) else total
    )
