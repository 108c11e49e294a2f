"""The brute force that `alloop impact` is compared with, on a small campaign."""

from dataclasses import replace
from pathlib import Path

import pytest

from alloop.loop import controller
from alloop.loop.impact import Impact, impact_of
from benchmarks.page import retraction
from benchmarks.page.retraction import brute_facts, control_differences, impact_facts
from tests.loop.alloy_table import go, spec_of
from tests.loop.small_campaign import ThreadPool


def test_impact_and_brute_force_agree_and_what_is_missed_would_be_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controller, "MeasuringPool", ThreadPool)
    run = go(tmp_path / "run", spec_of(tmp_path))
    assert control_differences(run) == 0
    labels = [m.evaluation for m in run.state.answers()]
    for label in (labels[0], labels[-1]):
        assert impact_facts(run, label) == brute_facts(run, label)
    assert any(fact is not None for fact in brute_facts(run, labels[0]).values())

    def blind(*args: object, **named: object) -> Impact:
        return replace(impact_of(*args, **named), proposals=())  # type: ignore[arg-type]

    monkeypatch.setattr(retraction, "impact_of", blind)
    assert impact_facts(run, labels[0]) != brute_facts(run, labels[0])
