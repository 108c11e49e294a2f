"""Write benchmarks/README.md, and the tables of each subject's page, from claims and results.

``python -m benchmarks.tables`` fills what stands between ``<!-- KIND …`` and ``<!-- end -->`` in
``benchmarks/SUBJECT/README.md``; prose around it is left as it is. There are three kinds:

- ``measured``: when, by which command, on what, with which versions.
- ``claims``: the subject's claims.
- ``figures``: a table described by YAML inside the comment: ``columns``, and ``rows`` with a list
  of cells for each label. A cell is the name of a figure, or ``NAME %`` for a share shown as a
  percentage; a number, from a publication; ``{text: …}``; or nothing, ``~``.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from benchmarks.claims import FOLDER, Claim, ClaimError, Figures, Subject, Verdict, subjects

BLOCK = re.compile(
    r"(?P<opening><!-- (?P<kind>measured|claims|figures)\b(?P<body>.*?)-->\n)"
    r".*?(?P<end><!-- end -->)",
    flags=re.DOTALL,
)
INTRODUCTION = """# Benchmarks

What Alloop claims, what was measured, and whether it holds. `make bench-SUBJECT` measures again,
writes `results/SUBJECT.json`, and fills this page and the subject's from it; "met" is computed.
± is the standard deviation over seeds or splits. A bar is compared with the mean: a difference
smaller than the spread says little. Ratios are of two things measured side by side in one run.
The subject's page says how it was measured, and more.
"""
CLAIM_HEADER = ("claim", "ours", "compared with", "bar", "met")


def main() -> None:
    """Write the page of claims, and the tables of every subject's page."""
    found = subjects()
    (FOLDER / "README.md").write_text(overview(found), encoding="utf-8")
    for subject in found:
        page = page_of(subject)
        page.write_text(filled(page.read_text("utf-8"), subject), encoding="utf-8")


def page_of(subject: Subject) -> Path:
    """Return where the subject's page is."""
    return FOLDER / subject.name / "README.md"


def overview(found: Sequence[Subject]) -> str:
    """Return the page of all claims."""
    rows = [
        (f"[{subject.name}]({subject.name}/README.md)", *_cells(claim, subject.figures))
        for subject in found
        for claim in subject.claims
        if claim.on_front_page and claim.verdict(subject.figures) is not Verdict.NOT_MEASURED
    ]
    machines = [
        (subject.name, _when(subject), f"[results](results/{subject.name}.json)")
        for subject in found
        if subject.result is not None
    ]
    return "\n".join(
        [
            INTRODUCTION,
            f"{_count(found)}\n",
            *_table(("subject", *CLAIM_HEADER), rows),
            "\n## Measured when, and on what\n",
            *_table(("subject", "measured", "all figures"), machines),
            "",
        ]
    )


def filled(page: str, subject: Subject) -> str:
    """Return a subject's page with everything between its markers made anew."""
    makers: Mapping[str, Callable[[str], str]] = {
        "measured": lambda _: _measured(subject),
        "claims": lambda _: "\n".join(_claims(subject)),
        "figures": lambda body: "\n".join(_figures(body, subject)),
    }

    def block(match: re.Match[str]) -> str:
        made = makers[match["kind"]](match["body"])
        return f"{match['opening']}\n{made}\n\n{match['end']}"

    return BLOCK.sub(block, page)


def _count(found: Sequence[Subject]) -> str:
    verdicts = Counter(
        claim.verdict(subject.figures) for subject in found for claim in subject.claims
    )
    return (
        f"Of {verdicts.total()} claims {verdicts[Verdict.MET]} meet their bar, "
        f"{verdicts[Verdict.NOT_MET]} do not, {verdicts[Verdict.NO_BAR]} have none, and "
        f"{verdicts[Verdict.NOT_MEASURED]} are not measured yet."
    )


def _measured(subject: Subject) -> str:
    if subject.result is None:
        return "Not measured yet."
    result, machine = subject.result, subject.result["machine"]
    versions = (f"{name} {version}" for name, version in result["versions"].items())
    return (
        f"{_when(subject)}, {machine['cores']} cores, {machine['system']}, "
        f"Python {machine['python']}; {', '.join(versions)}.{_parts(result)} "
        f"All figures: [`results/{subject.name}.json`](../results/{subject.name}.json)."
    )


def _parts(result: Mapping[str, Any]) -> str:
    """Say when and on what parts were measured that were measured one by one; nothing of others."""
    if not (parts := result.get("parts")):
        return ""
    groups: dict[str, list[str]] = {}
    for name, part in parts.items():
        groups.setdefault(f"{part['date'][:10]}, {part['machine']['cpu']}", []).append(f"`{name}`")
    said = "; ".join(f"{', '.join(names)} ({when})" for when, names in groups.items())
    return f" Of the parts, {said}; others earlier."


def _when(subject: Subject) -> str:
    if subject.result is None:
        return Verdict.NOT_MEASURED.value
    result = subject.result
    return f"`{result['command']}`, {result['date'][:10]}: {result['machine']['cpu']}"


def _claims(subject: Subject) -> Iterable[str]:
    return _table(CLAIM_HEADER, [_cells(claim, subject.figures) for claim in subject.claims])


def _cells(claim: Claim, figures: Figures) -> tuple[str, ...]:
    verdict = claim.verdict(figures)
    measured = claim.figure in figures
    ours = shown(figures[claim.figure], claim.unit) if measured else Verdict.NOT_MEASURED.value
    met = "" if verdict is Verdict.NOT_MEASURED else verdict.value
    return claim.what, ours, _compared(claim, figures), _bar(claim), met


def _compared(claim: Claim, figures: Figures) -> str:
    match claim.against:
        case None:
            return ""
        case reference if reference.figure is not None:
            known = reference.figure in figures
            value = shown(figures[reference.figure], claim.unit) if known else ""
        case reference:
            value = shown(reference.value, claim.unit) if reference.value is not None else ""
    return f"{value} ({reference.name})" if value else reference.name


def _bar(claim: Claim) -> str:
    baseline = claim.against.figure if claim.against else None

    def limit(value: float | str) -> str:
        match value:
            case str() if value == baseline:
                return "that"
            case str():
                return f"`{value}`"
            case _:
                return shown(value, claim.unit)

    return ", ".join(f"{sign} {limit(value)}" for sign, value in claim.bars())


def _figures(body: str, subject: Subject) -> Iterable[str]:
    table = yaml.safe_load(body)
    rows = [
        (label, *(_cell(cell, subject) for cell in cells)) for label, cells in table["rows"].items()
    ]
    return _table(("", *table["columns"]), rows)


def _cell(cell: Any, subject: Subject) -> str:
    match cell:
        case None:
            return ""
        case {"text": text}:
            return str(text)
        case str():
            name, _, unit = cell.partition(" ")
            if name not in subject.figures:
                raise ClaimError(
                    f"results/{subject.name}.json has no figure {name}",
                    where=str(page_of(subject)),
                    remedy="Correct the name in the page's table.",
                )
            return shown(subject.figures[name], unit)
        case _:
            return shown(cell, "")


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def shown(figure: Any, unit: str = "") -> str:
    """Return a figure for people: its digits follow from its spread, or are four.

    >>> shown({"mean": 0.8841, "std": 0.031}, "%")
    '88.4 ± 3.1 %'
    >>> shown(0.0001564, "GPa")
    '0.0001564 GPa'
    >>> shown(10000)
    '10,000'
    """
    scale = 100.0 if unit == "%" else 1.0
    match figure:
        case {"mean": centre, "std": spread}:
            text = _with_spread(scale * centre, scale * spread)
        case _:
            text = _number(scale * figure)
    text = text.replace("-", "−")
    return f"{text} {unit}" if unit else text


def _with_spread(centre: float, spread: float) -> str:
    if spread == 0.0:
        return f"{_number(centre)} ± 0"
    decimals = max(0, 1 - math.floor(math.log10(spread)))  # two digits of the spread
    return f"{centre:.{decimals}f} ± {spread:.{decimals}f}"


def _number(value: float) -> str:
    if float(value).is_integer() or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


if __name__ == "__main__":
    main()
