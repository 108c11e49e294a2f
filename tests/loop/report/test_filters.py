"""Filters mean what they say, and the same in the page's table and in `alloop audit`."""

import csv
import io
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymatgen.core import Composition
from typer.testing import CliRunner

from alloop.loop.commands.registry import app
from alloop.loop.report import page as report
from alloop.loop.report.decisions.fields import fields_of, filtered
from alloop.loop.report.decisions.filters import FilterError, Kind, compile_filter, passing
from alloop.loop.state.trials import all_trials
from tests.loop.report.browser import launched
from tests.loop.report.synthetic import Diary

KINDS = {
    "chosen": Kind.FLAG,
    "failed": Kind.FLAG,
    "bulk_modulus": Kind.NUMBER,
    "expected_bulk_modulus": Kind.NUMBER,
    "Cr": Kind.NUMBER,
    "lattice": Kind.TEXT,
    "reason": Kind.TEXT,
    "rule": Kind.TEXT,
    "candidate": Kind.ID,
}
ROWS: list[dict[str, Any]] = [
    {
        "chosen": True,
        "failed": False,
        "bulk_modulus": 193.5,
        "expected_bulk_modulus": 190.0,
        "Cr": 0.5,
        "lattice": "fcc",
        "reason": "choice 1 of 16 by acquisition",
        "rule": None,
        "candidate": "12ab",
    },
    {
        "chosen": False,
        "failed": False,
        "bulk_modulus": None,
        "expected_bulk_modulus": 188.0,
        "Cr": 0.625,
        "lattice": "bcc",
        "reason": "below -3.5, the last that was chosen",
        "rule": "acquisition",
        "candidate": "12cd",
    },
    {
        "chosen": True,
        "failed": True,
        "bulk_modulus": None,
        "expected_bulk_modulus": None,
        "Cr": 0.125,
        "lattice": None,
        "reason": "drawn at Random",
        "rule": None,
        "candidate": "7e4f",
    },
    {
        "chosen": True,
        "failed": False,
        "bulk_modulus": 185.25,
        "expected_bulk_modulus": 186.0,
        "Cr": 0.0,
        "lattice": "bcc",
        "reason": "",
        "rule": "",
        "candidate": "ffff",
    },
]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("", [0, 1, 2, 3]),
        ("chosen", [0, 2, 3]),  # and not the row whose reason has the word
        ('"chosen"', [1]),
        ("not chosen", [1]),
        ("bulk_modulus > 193", [0]),
        ("193 < bulk_modulus", [0]),
        ("bulk_modulus != 193.5", [3]),  # what is missing passes no comparison
        ("not bulk_modulus = 193.5", [1, 2, 3]),
        ("185 <= bulk_modulus < 190", [3]),
        ("bulk_modulus > expected_bulk_modulus", [0]),
        ("Cr > 0.5", [1]),
        ("Cr >= 50%", [0, 1]),
        ("Cr = 1.25e-1", [2]),
        ("Cr > \u22121", [0, 1, 2, 3]),
        ("lattice = FCC", [0]),
        ("lattice != fcc", [1, 3]),
        ("fcc", [0]),
        ("random", [2]),
        ('reason ~ "LAST THAT"', [1]),
        ("candidate = 12", [0, 1]),
        ("candidate = 7e4", [2]),
        ("chosen Cr > 0.1", [0, 2]),
        ("chosen and Cr > 0.1 or rule = acquisition", [0, 1, 2]),
        ("chosen and (failed or Cr = 0)", [2, 3]),
        ("NOT (chosen OR fcc)", [1]),
        ("rule = ''", [3]),
    ],
)
def test_what_a_filter_finds(text: str, places: list[int]) -> None:
    assert passing(ROWS, text, KINDS) == places


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("bulk_modulos > 193", "there is no 'bulk_modulos'. Did you mean bulk_modulus"),
        ("bulk_modulus > stiff", "bulk_modulus is a number, and 'stiff' is none"),
        ('bulk_modulus > "193"', "bulk_modulus is a number, and '193' is none"),
        ("bulk_modulus ~ 193", "~ looks for text"),
        ("lattice > fcc", "lattice is text"),
        ("chosen = true", "Write 'chosen' or 'not chosen'"),
        ("bulk_modulus >", "missing before the end"),
        ("and chosen", "missing before 'and'"),
        ("(chosen", "a bracket is not closed"),
        ("chosen)", "nothing opened"),
        ('reason = "half', "cannot be read from '\"half' on"),
        ("chosen ! failed", "cannot be read from '! failed' on"),
        ("(" * 50 + "chosen" + ")" * 50, "more than 40"),
        ("x" * 1001, "1001 characters"),
        ("1 < 2", "there is no '1'"),
    ],
)
def test_a_filter_that_cannot_be_read_says_why(text: str, told: str) -> None:
    with pytest.raises(FilterError) as raised:
        compile_filter(text, KINDS)
    assert told in str(raised.value)


def made_up(rng: random.Random, depth: int = 3) -> str:
    """Return a filter at random; some compare what cannot be compared."""
    if depth == 0 or rng.random() < 0.4:
        return rng.choice([_word, _of_numbers, _of_texts, _odd])(rng)
    one = made_up(rng, depth - 1)
    other = made_up(rng, depth - 1)
    joint = rng.choice([" ", " and ", " or ", " AND "])
    return rng.choice([f"not {one}", f"({one})", f"{one}{joint}{other}", f"{one}{joint}{other}"])


def _word(rng: random.Random) -> str:
    return rng.choice(["chosen", "failed", "fcc", "12", "'last that'", "7e4f", "Random"])


def _of_numbers(rng: random.Random) -> str:
    name = rng.choice(["bulk_modulus", "expected_bulk_modulus", "Cr", "Cr"])
    right = rng.choice(["0.5", "50%", "193.5", "186", "-1e2", "bulk_modulus", "0.125"])
    chain = f" {rng.choice(['<', '='])} 200" if rng.random() < 0.2 else ""
    return f"{name} {rng.choice(['<', '<=', '>', '>=', '=', '==', '!='])}{right}{chain}"


def _of_texts(rng: random.Random) -> str:
    name = rng.choice(["lattice", "reason", "rule", "candidate"])
    right = rng.choice(["fcc", "BCC", "'the last'", "12", "lattice", "rule", "''", "a"])
    return f"{name}{rng.choice(['=', '!=', '~', ' == '])}{right}"


def _odd(rng: random.Random) -> str:
    odd = ["193 < bulk_modulus", "0 <= Cr <= 0.5", "chosen = failed", "1 < 2", "'fcc' = lattice"]
    return rng.choice([*odd, "nonsense > 1", "Cr ~ 3", "lattice < 3", *odd[:2], *odd[:2]])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as found:
        yield found


def test_python_and_the_page_agree_on_every_filter(browser: Any) -> None:
    rng = random.Random(20)
    texts = [made_up(rng) for _ in range(3000)]
    texts += ["(chosen", "chosen)", "a ! b", "'", "and", "not", "x" * 1001, "\u00a0chosen\t"]

    def here(text: str) -> list[int] | None:
        try:
            return passing(ROWS, text, KINDS)
        except FilterError:
            return None

    ours = [here(text) for text in texts]
    script = (Path(report.__file__).parent / "scripts" / "filter.js").read_text("utf-8")
    page = browser.new_page()
    theirs = page.evaluate(
        f"""([texts, kinds, rows]) => {{
          {script}
          const read = (row, name) => row[name] ?? null;
          return texts.map((text) => {{
            let test;
            try {{ test = compileFilter(text, new Map(kinds), read); }} catch {{ return null; }}
            return rows.flatMap((row, i) => (test(row) ? [i] : []));
          }});
        }}""",
        [texts, [list(pair) for pair in KINDS.items()], ROWS],
    )
    page.close()
    differing = [(text, a, b) for text, a, b in zip(texts, ours, theirs, strict=True) if a != b]
    assert differing == []
    assert 200 < sum(found is None for found in ours) < 1500
    assert sum(bool(found) for found in ours) > 500


def test_the_fields_are_those_of_audit(closed: Diary) -> None:
    state = closed.state
    kinds = {field.name: field.kind for field in fields_of(state)}
    for name in ("round", "stage", "tier", "candidate", "formula", "lattice", "chosen", "rule"):
        assert name in kinds
    trials = all_trials(state)
    chosen = [t for t in trials if t.decision.chosen]
    assert list(filtered(state, "chosen")) == chosen
    assert len(chosen) < len(trials)
    stiff = [t for t in trials if t.answer and t.answer.properties["bulk_modulus"] > 180]
    assert list(filtered(state, "bulk_modulus > 180")) == stiff
    (best,) = filtered(state, "best")
    found = state.best()
    assert found is not None
    assert best.decision.candidate == found.candidate


def test_the_fraction_of_an_element_is_a_number(closed: Diary) -> None:
    state = closed.state
    rich = [
        t.decision.candidate
        for t in all_trials(state)
        if Composition(t.decision.formula).get_atomic_fraction("Cr") > 0.5
    ]
    assert rich
    assert [t.decision.candidate for t in filtered(state, "Cr > 0.5")] == rich


def test_audit_takes_a_filter(tmp_path: Path, closed: Diary) -> None:
    from tests.loop.report.runs import written_run  # noqa: PLC0415

    run = written_run(closed, tmp_path / "run")
    done = CliRunner().invoke(
        app, ["audit", str(run), "--filter", "chosen and Cr > 0.4", "--format", "csv"]
    )
    assert done.exception is None, done.output
    found = [row["candidate"] for row in csv.DictReader(io.StringIO(done.stdout))]
    wanted = [t.decision.candidate for t in filtered(closed.state, "chosen and Cr > 0.4")]
    assert found == wanted
    assert 0 < len(found) < len(all_trials(closed.state))
    wrong = CliRunner().invoke(app, ["audit", str(run), "--filter", "hardness > 3"])
    assert isinstance(wrong.exception, FilterError)
    assert "there is no 'hardness'" in str(wrong.exception)
    json_rows = CliRunner().invoke(
        app, ["audit", str(run), "--filter", "failed", "--format", "json"]
    )
    assert all(row["status"] == "failed" for row in json.loads(json_rows.stdout))
