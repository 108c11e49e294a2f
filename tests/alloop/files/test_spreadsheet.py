"""Cells that a spreadsheet would run, and how they come back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloop.files.spreadsheet import spreadsheet_cell, without_quote


@pytest.mark.parametrize(
    "text", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", " =1", "\t=1", "\r=1", "＝1", "-", "+cmd|'x'!A1"]
)
def test_what_a_spreadsheet_would_run_is_quoted(text: str) -> None:
    """The characters of OWASP's page on CSV injection."""
    assert spreadsheet_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-1.5", "+3", "-2e-5", "Ni3Cr", "", "it's", "1=1", "a-b"])
def test_numbers_and_plain_text_stay_as_they_are(text: str) -> None:
    assert spreadsheet_cell(text) == text


@given(st.text().filter(lambda text: not text.startswith("'")))
def test_what_was_written_is_read_again(text: str) -> None:
    assert without_quote(spreadsheet_cell(text)) == text
