"""`alloop impact`: what was built on measurements."""

from typing import TYPE_CHECKING, Annotated

import typer

from alloop.loop.commands.arguments import (
    FingerprintOption,
    OfTierOption,
    OptionalCandidateArgument,
    RunArgument,
)
from alloop.loop.commands.printing.formats import Format
from alloop.loop.commands.printing.text import say

if TYPE_CHECKING:
    from alloop.loop.state.campaign_state import CampaignState


def impact(
    run: RunArgument,
    candidate: OptionalCandidateArgument = None,
    fingerprint: FingerprintOption = None,
    tier: OfTierOption = None,
    format: Annotated[Format, typer.Option(help="table or json")] = Format.TABLE,
) -> None:
    """List what depended on measurements, retracted or not.

    Models that learnt from them, decisions and promotions that would have been others without
    them, candidates that were made from theirs, and what was concluded. Decisions of the search
    count as others where they would have been made with other expectations. Nothing is measured
    or written.
    """
    from alloop.loop.commands.printing.formats import print_json
    from alloop.loop.commands.record.impact_text import impact_lines
    from alloop.loop.impact import impact_of, impact_to_json
    from alloop.loop.record.overlay import OverlayStore
    from alloop.loop.run_folder import RunFolder
    from alloop.loop.state.choices import find_candidate

    folder = RunFolder.read(run)
    id = "" if candidate is None else find_candidate(folder.state, candidate)
    measured, brought = _looked_at(folder.state, id, fingerprint or "", tier)
    store = OverlayStore(folder.store.folder)
    found = impact_of(folder.entries, measured, store, brought=brought)
    if format is Format.JSON:
        print_json(impact_to_json(found))
        return
    for line in impact_lines(found, folder.state):
        say(line)


def _looked_at(
    state: "CampaignState", candidate: str, fingerprint: str, tier: int | None
) -> tuple[list[str], list[str]]:
    """Return the evaluations that were measured, and the candidates whose labels were brought."""
    from alloop.errors import AlloopError
    from alloop.loop.state.brought import labels_in

    if bool(candidate) == bool(fingerprint):
        raise AlloopError(
            "say either which candidate or which fingerprint",
            remedy="`alloop impact RUN ID`, or --fingerprint F.",
        )
    taken = [r.measured for r in state.retractions]
    known = [*taken, *state.recorded.values(), *state.partial.values()]
    measured = [
        m.evaluation
        for m in known
        if (m.candidate == candidate if candidate else m.fingerprint.startswith(fingerprint))
        and tier in (None, m.tier)
    ]
    brought = [
        label.candidate
        for event, label in labels_in(state.brought)
        if (
            label.candidate == candidate if candidate else event.fingerprint.startswith(fingerprint)
        )
        and label.properties
        and tier in (None, event.value_of)
    ]
    brought += [r.label.candidate for r in state.retracted_labels if r.label.candidate == candidate]
    if not measured and not brought:
        raise AlloopError(
            "nothing was measured of that, and nothing brought",
            remedy="`alloop audit RUN --format csv` lists what was measured.",
        )
    return list(dict.fromkeys(measured)), list(dict.fromkeys(brought))
