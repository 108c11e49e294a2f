"""Figures on file: what a part adds, and when and where it was measured."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import recording
from benchmarks.claims import Subject
from benchmarks.tables import filled


def test_a_part_leaves_the_others_figures_and_says_its_own_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "RESULTS", tmp_path)
    path = tmp_path / "search.json"
    old = {"date": "2026-11-01T00:00:00+00:00", "machine": {"cpu": "old"}}
    path.write_text(json.dumps({**old, "figures": {"kept": 1.0, "again": 2.0}}))
    recording.record_parts("search", ["again"], ["again", "other"], lambda name: {"again": 3.0})
    written = json.loads(path.read_text("utf-8"))
    assert written["figures"] == {"kept": 1.0, "again": 3.0}
    assert set(written["parts"]) == {"again"}
    assert written["parts"]["again"]["machine"] == written["machine"] == recording.machine()
    recording.record_parts("search", ["other"], ["again", "other"], lambda name: {"new": 4.0})
    written = json.loads(path.read_text("utf-8"))
    assert set(written["parts"]) == {"again", "other"}
    subject = replace(Subject.read("search"), result=written)
    page = filled("<!-- measured -->\n\n<!-- end -->", subject)
    assert "`again`, `other` (" in page
