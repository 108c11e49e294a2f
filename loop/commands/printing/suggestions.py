"""Suggested, added or scored candidates, as a list."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from alloop.loop.commands.printing.formats import Format, Row, print_list
from alloop.loop.commands.printing.ids import digits_needed
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.choices import candidate_ids

if TYPE_CHECKING:
    from alloop.loop.python.suggestion import Suggestion

SHOWN_ROWS = 60


def print_suggestions(
    suggestions: "Sequence[Suggestion]", state: CampaignState, format: Format, *, empty: str
) -> None:
    """Print candidates with what is expected of them and why.

    Args:
        suggestions: in the order of the list.
        state: of their campaign.
        format: one of the three.
        empty: why there is nothing, where there is nothing.
    """
    digits = digits_needed(candidate_ids(state) | {each.candidate for each in suggestions})
    names = state.spec.property_names()

    def shown(row: Row) -> Row:
        expected = ", ".join(
            f"{name} {row[f'expected_{name}']:.4g} ± {row[f'expected_{name}_std']:.2g}"
            for name in names
            if f"expected_{name}" in row
        )
        verdict = "" if row["chosen"] else f"refused, {row['rule']}: "
        return {
            "candidate": row["candidate"][:digits],
            "formula": f"{row['lattice'] or ''} {row['formula']}".strip(),
            "expected": expected,
            "why": f"{verdict}{row['reason']}",
        }

    print_list(
        [suggestion_row(each) for each in suggestions],
        format,
        whole=("candidate",),
        shown=shown,
        most=SHOWN_ROWS,
        empty=empty,
    )


def suggestion_row(suggestion: "Suggestion") -> dict[str, Any]:
    """Return a suggestion as plain values, what is expected in the campaign's units."""
    row: dict[str, Any] = {
        "candidate": suggestion.candidate,
        "formula": suggestion.formula,
        "lattice": suggestion.lattice,
        "tier": suggestion.tier,
        "round": suggestion.round,
        "chosen": suggestion.chosen,
        "rule": suggestion.rule,
        "reason": suggestion.why,
        "acquisition": suggestion.acquisition,
        "source": suggestion.lineage.source,
    }
    for name, posterior in suggestion.expected.items():
        row[f"expected_{name}"] = posterior.mean
        row[f"expected_{name}_std"] = posterior.std
    return row
