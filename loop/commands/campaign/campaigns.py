"""`alloop campaigns`: what is ready to run."""

from alloop.loop.commands.arguments import FormatOption
from alloop.loop.commands.printing.formats import Format, print_list


def campaigns(format: FormatOption = Format.TABLE) -> None:
    """List the ready-to-run campaigns."""
    from alloop.campaigns.load import load_spec, ready_campaigns

    rows = []
    for name, path in ready_campaigns().items():
        spec = load_spec(path)
        rows.append(
            {
                "name": name,
                "elements": " ".join(spec.space.elements),
                "wanted": ", ".join(f"{o.goal} {o.property}" for o in spec.objectives),
                "rounds": spec.budget.rounds,
                "measurements": spec.budget.measurements[0],
            }
        )
    print_list(rows, format, whole=("name",), empty="no campaign comes with this installation")
