"""`alloop explain`: one candidate, from where it came to what was measured."""

from alloop.loop.commands.arguments import CandidateArgument, FormatOption, RunArgument
from alloop.loop.commands.printing.formats import Format, print_csv, print_json


def explain(
    run: RunArgument,
    candidate: CandidateArgument,
    format: FormatOption = Format.TABLE,
) -> None:
    """Explain one candidate: its choice, origin and values.

    Why it was chosen or rejected each time, its place among the others, what would have had to
    differ for a rejected one, what was expected and measured, the candidates it was made from, and
    what could build on it. In CSV there are its decisions, one a line.
    """
    from alloop.loop.commands.record.explanation import explanation_of
    from alloop.loop.run_folder import RunFolder
    from alloop.loop.state.choices import find_candidate

    folder = RunFolder.read(run)
    state = folder.state
    found = explanation_of(state, folder.entries, find_candidate(state, candidate))
    match format:
        case Format.JSON:
            print_json(found.to_json())
        case Format.CSV:
            print_csv(found.rows)
        case Format.TABLE:
            from alloop.loop.commands.record.explanation_text import print_explanation

            print_explanation(found, state, str(run))
