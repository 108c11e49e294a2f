"""`alloop campaigns`: what is ready to run."""

from typing import TYPE_CHECKING

from alloop.loop.commands.arguments import FormatOption
from alloop.loop.commands.printing.formats import Format, Row, print_list

if TYPE_CHECKING:
    from alloop.campaigns.objectives import Objective

MOST_ELEMENTS = 9
"""Elements that a table names; of more it gives their number."""


def campaigns(format: FormatOption = Format.TABLE) -> None:
    """List the ready-to-run campaigns.

    `alloop launch NAME` runs one, `alloop check NAME` prints all of its keys.
    """
    from alloop.campaigns.load import load_spec, ready_campaigns

    rows = []
    for name, path in ready_campaigns().items():
        spec = load_spec(path)
        rows.append(
            {
                "name": name,
                "wanted": ", ".join(map(_wanted, spec.objectives)),
                "elements": " ".join(spec.space.elements),
                "model": spec.model.kind,
                "measured by": ", ".join(dict.fromkeys(tier.kind for tier in spec.tiers)),
                "rounds": spec.budget.rounds,
                "measurements": spec.budget.measurements[0],
            }
        )
    print_list(
        rows,
        format,
        shown=_shown,
        whole=("name",),
        empty="no campaign comes with this installation",
    )


def _wanted(objective: "Objective") -> str:
    if objective.window is not None:
        low, high = objective.window
        return f"{objective.property} {low:g} to {high:g}"
    return f"{objective.goal} {objective.property}"


def _shown(row: Row) -> Row:
    elements = row["elements"].split()
    few = len(elements) <= MOST_ELEMENTS
    return {
        "name": row["name"],
        "wanted": row["wanted"].replace("_", " "),
        "elements": row["elements"] if few else f"{len(elements)} elements",
        "measured by": row["measured by"],
    }
