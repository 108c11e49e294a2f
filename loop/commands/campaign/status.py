"""`alloop status`: where a run stands."""

from alloop.loop.commands.arguments import FormatOption, RunArgument
from alloop.loop.commands.printing.formats import Format, print_json, print_list
from alloop.loop.commands.printing.text import say


def status(run: RunArgument, format: FormatOption = Format.TABLE) -> None:
    """Show the state of a run, and who it waits for.

    Since when it is running, stalled, waiting, stopped or killed, and when it will be done.

    A controller may be working on the run meanwhile. In CSV there is the list of what people are
    asked for, and nothing else.
    """
    from alloop.loop.commands.printing.status_json import status_to_json
    from alloop.loop.commands.printing.status_table import print_status, print_waiting
    from alloop.loop.commands.printing.waiting import NOBODY, waiting_rows
    from alloop.loop.run_folder import RunFolder

    folder = RunFolder.read(run)
    match format:
        case Format.JSON:
            print_json(status_to_json(folder))
        case Format.CSV:
            print_list(waiting_rows(folder.state), format, empty=NOBODY)
        case Format.TABLE:
            print_status(run, folder.state)
            print_waiting(run, folder.state)
            say(f"head {folder.head}")
