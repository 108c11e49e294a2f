"""The choices of a campaign, by candidate, decoded one by one."""

from collections.abc import Iterator, Mapping, Sequence

from alloop.loop.record.events import Decision, Proposed
from alloop.loop.record.stored_events import outline_of


class Choices(Mapping[str, Decision]):
    """The first choice of each chosen candidate, by candidate id, in their order."""

    def __init__(self, proposals: Sequence[Proposed]) -> None:
        self._proposals = proposals
        self._places: dict[str, tuple[int, int]] = {}
        for p, proposal in enumerate(proposals):
            for d, decision in enumerate(outline_of(proposal)):
                if decision["chosen"]:
                    self._places.setdefault(decision["candidate"], (p, d))

    def __getitem__(self, candidate: str) -> Decision:
        proposal, decision = self._places[candidate]
        return self._proposals[proposal].decisions[decision]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, candidate: object) -> bool:
        return candidate in self._places
