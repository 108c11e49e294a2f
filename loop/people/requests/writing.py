"""Requests to people, written where they find them."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from alloop.canonical import sha256
from alloop.durable import make_folder, write_durably
from alloop.loop.people.requests.folder import FOLDER, write_request_folder
from alloop.loop.people.requests.table import (
    CANDIDATE,
    FORMULA,
    INFO_COLUMNS,
    REQUESTS,
    TIER,
    request_table,
)
from alloop.loop.state.campaign_state import CampaignState, Evaluation
from alloop.loop.steps import Wait, next_step


def refresh_requests(run: Path, state: CampaignState) -> None:
    """Write the requests anew where the campaign waits for people, after what they said of some.

    Raises:
        RunError: if they cannot be written.
    """
    step = next_step(state)
    if isinstance(step, Wait):
        write_requests(run, state, step.evaluations)


def write_requests(run: Path, state: CampaignState, evaluations: Sequence[Evaluation]) -> Path:
    """Write the pending requests to RUN/requests.csv and into RUN/requests/; return the path of the
    first.

    A sheet that somebody has begun to fill in is kept beside it under another name.

    Raises:
        RunError: if they cannot be written.
        LedgerError: if an asked structure is missing from the run.
    """
    table = request_table(state, evaluations).encode()
    sheets = [run / REQUESTS, run / FOLDER / REQUESTS]
    make_folder(run / FOLDER)
    for sheet in sheets:
        _write_sheet(sheet, table)
    write_request_folder(run, state, evaluations)
    return sheets[0]


def _write_sheet(path: Path, content: bytes) -> None:
    before = path.read_bytes() if path.exists() else content
    if before == content and path.exists():
        return
    if before != content and _is_filled_in(before):
        write_durably(path.with_name(f"requests-{sha256(before)[:8]}.csv"), before)
    write_durably(path, content)


def _is_filled_in(content: bytes) -> bool:
    """Return whether any cell of a property is not empty."""
    rows = csv.DictReader(io.StringIO(content.decode("utf-8", "replace")))
    written = {CANDIDATE, TIER, FORMULA, *INFO_COLUMNS}
    return any(value for row in rows for name, value in row.items() if name not in written)
