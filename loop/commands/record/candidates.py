"""Candidates by the beginning of their id."""

from alloop.errors import AlloopError
from alloop.loop.commands.printing.ids import candidate_ids
from alloop.loop.state.campaign_state import CampaignState


def find_candidate(state: CampaignState, prefix: str) -> str:
    """Return the full id that begins with a prefix.

    Raises:
        AlloopError: if none or several do.
    """
    matches = sorted(id for id in candidate_ids(state) if id.startswith(prefix.lower()))
    if len(matches) == 1:
        return matches[0]
    problem = f"{len(matches)} candidates" if matches else "no candidate"
    raise AlloopError(
        f"{problem} with an id that begins with {prefix!r}",
        remedy="Give more digits: `alloop audit RUN --format csv` lists all ids."
        if matches
        else "`alloop audit RUN --format csv` lists all ids.",
    )
