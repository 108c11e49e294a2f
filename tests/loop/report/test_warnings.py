"""What throws doubt on a result stands at the head of the page."""

from dataclasses import replace
from pathlib import Path

import pytest

from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.report.warnings import bounds_reached, in_words, page_warnings
from tests.loop.report.conftest import render
from tests.loop.report.reading import read
from tests.loop.report.synthetic import Diary, campaign, spec_of
from tests.loop.report.test_report_contents import TWO_TIERS


def texts(diary: Diary) -> list[str]:
    return [each.text for each in page_warnings(diary.state)]


@pytest.mark.parametrize(
    ("formula", "found"),
    [
        ("Ni6Fe5Cr5", []),
        # 0.1 to 0.6 of 16 atoms are 2 to 9 atoms: 1.6 and 9.6.
        ("Ni2Fe5Cr9", ["12.5 at.% Ni", "56.2 at.% Cr"]),
        ("Ni3Fe8Cr5", []),
    ],
)
def test_a_winner_at_a_bound_of_the_space(diary: object, formula: str, found: list[str]) -> None:
    state = diary().state  # type: ignore[operator]
    said = bounds_reached(state, formula)
    assert len(said) == len(found)
    for text, part in zip(said, found, strict=True):
        assert part in text
        assert "a bound of the space" in text


def test_an_element_that_is_free_has_no_bound(tmp_path: Path) -> None:
    space = {"elements": ["Ni", "Cr"], "atoms": 16, "lattices": ["fcc"]}
    state = Diary(spec_of(space=space), ArtifactStore(tmp_path)).state
    assert bounds_reached(state, "Cr16") == []


def test_a_tier_that_measured_nothing_is_named(tmp_path: Path) -> None:
    diary = Diary(spec_of(**TWO_TIERS), ArtifactStore(tmp_path), fail_every=0)
    diary.initial()
    assert not [text for text in texts(diary) if "tier 1" in text]  # it may still come
    diary.close()
    (said,) = [text for text in texts(diary) if "tier 1" in text]
    assert "has measured nothing" in said
    found = read(render(diary))
    assert "Before you believe it" in found.words
    assert "has measured nothing: nothing is confirmed." in found.words


def test_a_best_that_the_top_tier_never_saw_is_named(tmp_path: Path) -> None:
    diary = campaign(spec_of(**TWO_TIERS), ArtifactStore(tmp_path), rounds=2, fail_every=0)
    assert not [text for text in texts(diary) if "has not been measured by" in text]
    best = diary.state.best()
    assert best is not None
    recorded = {
        key: m
        for key, m in diary.state.recorded.items()
        if (m.tier, m.candidate) != (1, best.candidate)
    }
    diary_state = replace(diary.state, recorded=recorded)
    said = [each.text for each in page_warnings(diary_state)]
    assert "the best has not been measured by tier 1 (chgnet)" in said


def test_many_failures_are_named_with_a_filter_that_finds_them(tmp_path: Path) -> None:
    diary = campaign(spec_of(), ArtifactStore(tmp_path), rounds=1, fail_every=3)
    (warning,) = [each for each in page_warnings(diary.state) if each.section == "failures"]
    n = sum(m.status == "failed" for m in diary.state.measured.values())
    assert warning.text.startswith(f"{n} of {len(diary.state.measured)} measurements")
    assert warning.filter == "failed and tier = 0"


def test_doubtful_values_come_first(closed: Diary) -> None:
    doubtful = {
        key: m.model_copy(update={"doubts": {"bulk_modulus": "strain energy jumps"}})
        if m.failure_kind is None and i < 2
        else m
        for i, (key, m) in enumerate(closed.state.recorded.items())
    }
    first, *_ = page_warnings(replace(closed.state, recorded=doubtful))
    assert first.text == "2 measurements gave values that are in doubt, and were set aside"
    assert first.filter == "doubtful"


def test_properties_are_named_as_people_name_them() -> None:
    text = in_words("the intervals of bulk_modulus are wide", ("bulk_modulus",))
    assert text == "The intervals of bulk modulus are wide."
