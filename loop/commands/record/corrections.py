"""`alloop corrections`: values that were mistaken, and what had been built on them."""

from typing import TYPE_CHECKING, Any

from alloop.loop.commands.arguments import FormatOption, RunArgument
from alloop.loop.commands.printing.formats import Format, print_list
from alloop.loop.commands.printing.text import say

if TYPE_CHECKING:
    from alloop.loop.state.corrections import Correction


def corrections(run: RunArgument, format: FormatOption = Format.TABLE) -> None:
    """List corrected values, and what was built on them."""
    from alloop.loop.run_folder import RunFolder
    from alloop.loop.state.corrections import correction_lines, corrections_in

    found = corrections_in(RunFolder.read(run).entries)
    if found and format is Format.TABLE:
        for correction in found:
            for line in correction_lines(correction):
                say(line)
        return
    print_list([_row(each) for each in found], format, empty="no value was ever corrected")


def _row(correction: "Correction") -> dict[str, Any]:
    old, new = correction.old, correction.new
    return {
        "entry": correction.seq,
        "candidate": new.candidate,
        **{f"old_{name}": value for name, value in sorted(old.properties.items())},
        "old_failure": old.failure_message,
        **{f"new_{name}": value for name, value in sorted(new.properties.items())},
        "new_failure": new.failure_message,
        "models_trained_on_it": ", ".join(str(model.round) for model in correction.models),
        "proposals_made_on_it": ", ".join(
            f"{proposed.round} {proposed.stage.value}" for proposed in correction.proposals
        ),
    }
