"""Requests to people, as a table that they fill in and give back."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from alloop.canonical import sha256
from alloop.durable import write_durably
from alloop.files.spreadsheet import spreadsheet_cell
from alloop.loop.state.campaign_state import CampaignState, Evaluation

REQUESTS = "requests.csv"
"""Name of the requests' file in the run's folder."""
CANDIDATE, FORMULA, FAILED, TIER = "candidate", "formula", "failed", "tier"
"""Names of the columns beside the properties."""
INFO_COLUMNS = ("round", "lattice")
"""Names of the columns for people's information; they are not read back."""


def write_requests(run: Path, state: CampaignState, evaluations: Sequence[Evaluation]) -> Path:
    """Write the pending requests to RUN/requests.csv and return its path.

    A sheet that somebody has begun to fill in is kept beside it under another name.

    Raises:
        RunError: if it cannot be written.
    """
    path, content = run / REQUESTS, request_table(state, evaluations).encode()
    before = path.read_bytes() if path.exists() else content
    if before == content and path.exists():
        return path
    if before != content and _is_filled_in(before):
        write_durably(run / f"requests-{sha256(before)[:8]}.csv", before)
    write_durably(path, content)
    return path


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


def _is_filled_in(content: bytes) -> bool:
    """Return whether any cell of a property is not empty."""
    rows = csv.DictReader(io.StringIO(content.decode("utf-8", "replace")))
    written = {CANDIDATE, TIER, FORMULA, *INFO_COLUMNS}
    return any(value for row in rows for name, value in row.items() if name not in written)
