"""The page of claims says what the results say, and nothing else."""

from pathlib import Path

import pytest
import yaml

from benchmarks.claims import FOLDER, Claim, ClaimError, Reference, Subject, Verdict, subjects
from benchmarks.tables import filled, overview, page_of, shown

SUBJECTS = subjects()
BY_NAME = pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
FIGURES = {"ours": {"mean": 0.86, "std": 0.02}, "theirs": 0.85, "count": 3}


def claim(**fields: object) -> Claim:
    return Claim.model_validate({"what": "accuracy", "figure": "ours"} | fields)


def test_every_result_has_claims_and_a_page() -> None:
    results = {path.stem for path in FOLDER.glob("results/*.json")}
    assert results
    assert results <= {subject.name for subject in SUBJECTS}
    assert all(page_of(subject).exists() for subject in SUBJECTS)


def test_the_committed_page_is_the_generated_one() -> None:
    assert (FOLDER / "README.md").read_text("utf-8") == overview(SUBJECTS)


def test_the_page_is_read_in_three_minutes() -> None:
    assert len(overview(SUBJECTS).splitlines()) <= 120


@BY_NAME
def test_the_tables_of_a_subject_are_the_generated_ones(subject: Subject) -> None:
    page = page_of(subject).read_text("utf-8")
    assert page == filled(page, subject)


@BY_NAME
def test_only_missing_figures_are_said_to_be_missing(subject: Subject) -> None:
    said = {each.figure for each in subject.claims if each.not_measured_yet}
    assert said.isdisjoint(subject.figures)


@pytest.mark.parametrize(
    ("bar", "verdict"),
    [
        ({}, Verdict.NO_BAR),
        ({"at_least": 0.85}, Verdict.MET),
        ({"at_least": 0.87}, Verdict.NOT_MET),
        ({"at_least": "theirs"}, Verdict.MET),
        ({"at_most": "theirs"}, Verdict.NOT_MET),
        ({"at_least": 0.8, "at_most": 0.9}, Verdict.MET),
        ({"at_least": 0.8, "at_most": 0.85}, Verdict.NOT_MET),
        ({"figure": "count", "equal": 3}, Verdict.MET),
        ({"figure": "count", "equal": "theirs"}, Verdict.NOT_MET),
        ({"at_least": "elsewhere"}, Verdict.NOT_MEASURED),
    ],
)
def test_verdicts_follow_from_the_means(bar: dict[str, object], verdict: Verdict) -> None:
    assert claim(**bar).verdict(FIGURES) is verdict


def test_a_claim_names_every_figure_it_speaks_of() -> None:
    against = Reference(name="forest", figure="theirs")
    assert claim(against=against, at_least="theirs", at_most="count").figures() == (
        "ours",
        "theirs",
        "count",
    )


def test_a_figure_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "some"
    folder.mkdir()
    (folder / "claims.yaml").write_text(yaml.safe_dump([{"what": "speed", "figure": "sped"}]))
    with pytest.raises(ClaimError, match=r"some\.json has no figure sped"):
        Subject.read("some", tmp_path)


def test_a_bar_that_was_not_met_says_no() -> None:
    subject = Subject("some", (claim(at_least=0.9, unit="%"),), {"figures": FIGURES})
    page = filled("<!-- claims -->\n<!-- end -->\n", subject)
    assert "| accuracy | 86.0 ± 2.0 % |  | ≥ 90 % | **no** |" in page


@pytest.mark.parametrize(
    ("figure", "unit", "text"),
    [
        ({"mean": 0.8841, "std": 0.031}, "%", "88.4 ± 3.1 %"),
        ({"mean": 127.04, "std": 9.1}, "s", "127.0 ± 9.1 s"),
        ({"mean": 633.6, "std": 178.3}, "", "634 ± 178"),
        ({"mean": 0.1647, "std": 0.00784}, "", "0.1647 ± 0.0078"),
        ({"mean": 1.0, "std": 0.0}, "", "1 ± 0"),
        (0.00015639, "GPa", "0.0001564 GPa"),
        (7930.6, "", "7,931"),
        (-0.0328, "%", "−3.28 %"),
    ],
)
def test_numbers_show_the_digits_that_are_known(figure: object, unit: str, text: str) -> None:
    assert shown(figure, unit) == text
