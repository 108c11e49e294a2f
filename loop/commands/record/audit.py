"""`alloop audit`: every decision of a run."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from alloop.loop.commands.arguments import FormatOption, RunArgument
from alloop.loop.commands.printing.formats import Format, print_list

if TYPE_CHECKING:
    from alloop.loop.state.campaign_state import CampaignState
    from alloop.loop.state.trials import Trial

SHOWN_ROWS = 60


def audit(
    run: RunArgument,
    round: Annotated[int | None, typer.Option(help="only the decisions of this round")] = None,
    candidate: Annotated[
        str | None, typer.Option(help="only those about one candidate, by its id's beginning")
    ] = None,
    filter: Annotated[
        str, typer.Option(help="only those that pass, such as 'chosen and Cr > 0.5'")
    ] = "",
    format: FormatOption = Format.TABLE,
) -> None:
    """List what was chosen and rejected, and why.

    A filter says the same here as in the report's table, where it is explained. `alloop explain`
    says all about one candidate.
    """
    from alloop.loop.commands.printing.ids import digits_needed
    from alloop.loop.python.decision_rows import flat, shown, veto_rows
    from alloop.loop.report.decisions.fields import filtered
    from alloop.loop.run_folder import RunFolder
    from alloop.loop.state.choices import candidate_ids, find_candidate
    from alloop.properties import ENERGY_ABOVE_HULL

    state = RunFolder.read(run).state
    id = None if candidate is None else find_candidate(state, candidate)
    rows: list[dict[str, Any]] = [
        flat(trial, state, _above_hull(trial, state))
        for trial in filtered(state, filter)
        if round in (None, trial.proposal.round) and id in (None, trial.decision.candidate)
    ]
    if round is None and not filter:  # a veto is no decision of the table's
        rows += [row for row in veto_rows(state) if id in (None, row["candidate"])]
    digits = digits_needed(candidate_ids(state))
    names = tuple(dict.fromkeys((*state.spec.property_names(), ENERGY_ABOVE_HULL)))
    print_list(
        rows,
        format,
        whole=("round", "candidate"),
        shown=lambda row: shown(row, digits, names),
        most=SHOWN_ROWS,
        empty="no decision passes the filter" if filter else _why_nothing(state, round, id),
    )


def _above_hull(trial: "Trial", state: "CampaignState") -> float | None:
    hull = None if trial.answer is None else state.hulls[trial.proposal.tier]
    return None if hull is None else hull.energies_above.get(trial.decision.candidate)


def _why_nothing(state: "CampaignState", round: int | None, candidate: str | None) -> str:
    if not state.proposals:
        return "nothing was decided yet"
    last = max(proposal.round for proposal in state.proposals)
    if round is not None and not 0 <= round <= last:
        return f"round {round} never began; the run has rounds 0–{last}"
    about = "" if candidate is None else f" about {candidate[:10]}"
    rounds = sorted(
        {
            proposal.round
            for proposal in state.proposals
            if any(candidate in (None, d.candidate) for d in proposal.decisions)
        }
    )
    return (
        f"nothing was decided{about} in round {round}; "
        f"decisions{about} are in rounds {', '.join(map(str, rounds))}"
    )
