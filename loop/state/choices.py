"""The candidates of a campaign: choices by candidate, decoded one by one, and ids by their
beginning."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from alloop.errors import DataError
from alloop.loop.record.events import Decision, Proposed
from alloop.loop.record.stored_events import outline_of
from alloop.loop.state.brought import labels_in

if TYPE_CHECKING:
    from alloop.loop.state.campaign_state import CampaignState


class Choices(Mapping[str, Decision]):
    """The first choice of each chosen candidate, by candidate id, in their order."""

    def __init__(self, proposals: Sequence[Proposed]) -> None:
        self._proposals = proposals
        places: dict[str, tuple[int, int]] = {}
        for p, proposal in enumerate(proposals):
            for d, decision in enumerate(outline_of(proposal)):
                if decision["chosen"] and (candidate := decision["candidate"]) not in places:
                    places[candidate] = p, d
        self._places = places

    def __getitem__(self, candidate: str) -> Decision:
        proposal, decision = self._places[candidate]
        return self._proposals[proposal].decisions[decision]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, candidate: object) -> bool:
        return candidate in self._places


def candidate_ids(state: "CampaignState") -> set[str]:
    """Return the ids of everything that was ever considered, brought or added: what a short id must
    be told from."""
    considered = {d["candidate"] for proposal in state.proposals for d in outline_of(proposal)}
    brought = {label.candidate for _, label in labels_in(state.brought)}
    return considered | brought | set(state.by_hand.added)


def find_candidate(state: "CampaignState", prefix: str) -> str:
    """Return the full id that begins with a prefix.

    Raises:
        DataError: if none or several do.
    """
    matches = sorted(id for id in candidate_ids(state) if id.startswith(prefix.lower()))
    if len(matches) == 1:
        return matches[0]
    problem = f"{len(matches)} candidates" if matches else "no candidate"
    raise DataError(
        f"{problem} with an id that begins with {prefix!r}",
        remedy="Give more digits: `alloop audit RUN --format csv` lists all ids."
        if matches
        else "`alloop audit RUN --format csv` lists all ids.",
    )
