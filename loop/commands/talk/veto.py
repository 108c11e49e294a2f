"""`alloop veto`: a candidate that is not to be."""

from alloop.loop.commands.arguments import CandidateArgument, ReasonOption, RunArgument
from alloop.loop.commands.printing.text import say


def veto(
    run: RunArgument,
    candidate: CandidateArgument,
    why: ReasonOption,
) -> None:
    """Forbid a candidate, and withdraw it where it waits.

    It is never chosen again, nor is an equivalent of it. What was measured of it stays.
    """
    from alloop.loop.people.requests.writing import refresh_requests
    from alloop.loop.people.vetoes import record_veto
    from alloop.loop.run_folder import RunFolder

    veto = record_veto(run, candidate, why)
    folder = RunFolder.read(run)
    refresh_requests(run, folder.state)
    what = f"{veto.lattice or ''} {veto.formula} {veto.candidate[:12]}".strip()
    say(f"{what}: vetoed by {veto.who}: {veto.why}")
    say(f"head {folder.head}")
