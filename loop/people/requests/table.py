"""Requests to people, as a table that they fill in and give back."""

import csv
import io
from collections.abc import Sequence

from alloop.files.spreadsheet import spreadsheet_cell
from alloop.loop.state.campaign_state import CampaignState, Evaluation

REQUESTS = "requests.csv"
"""Name of the requests' file in the run's folder."""
CANDIDATE, FORMULA, FAILED, TIER = "candidate", "formula", "failed", "tier"
INSTEAD = "instead"
"""Names of the columns beside the properties; the last is there where somebody writes it."""
INFO_COLUMNS = ("round", "lattice")
"""Names of the columns for people's information; they are not read back."""


def request_table(state: CampaignState, evaluations: Sequence[Evaluation]) -> str:
    """Return the table as text: one row per candidate, empty cells for its properties.

    What is known already of a partly answered one is filled in.
    """
    properties = dict.fromkeys(
        name for e in evaluations for name in sorted(state.spec.tiers[e.tier].measures())
    )
    columns = [CANDIDATE, TIER, "round", FORMULA, "lattice", *properties, FAILED]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for e in evaluations:
        decision = state.decisions[e.candidate]
        known = state.partial[e.id].properties if e.id in state.partial else {}
        writer.writerow(
            {
                CANDIDATE: e.candidate[:12],
                TIER: e.tier,
                "round": e.round,
                FORMULA: spreadsheet_cell(decision.formula),
                "lattice": spreadsheet_cell(decision.lattice or ""),
                **{name: repr(value) for name, value in known.items()},
            }
        )
    return text.getvalue()
