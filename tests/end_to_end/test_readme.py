"""Every block of README.md and docs/ works as it stands, and commands print what is shown."""

import csv
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from alloop.campaigns.load import parse_spec
from alloop.campaigns.objectives import DERIVED
from alloop.loop.commands.app import main
from alloop.loop.run_folder import RunFolder
from alloop.oracles.dft.options import DftOptions
from alloop.oracles.lammps.options import SIMULATION, LammpsOptions
from alloop.oracles.mlip.options import MlipOptions
from alloop.properties import UNITS
from tests.end_to_end.pages import DOCS, PAGES, README, ROOT, Block, blocks, matches

TINY = {
    "model": {"epochs": 1, "unlabelled": 16},
    "acquisition": {"batch": 2, "pool": 8},
    "augmentation": {"iterations": 1, "parents": 1, "swaps": 1},
    "budget": {"initial": 6, "rounds": 3, "measurements": [40]},
}

ID = re.compile(r"\b[0-9a-f]{12}\b")
"""Candidates' ids as they are printed."""


def of(language: str, *pages: Path) -> list[Block]:
    return [block for block in blocks(*pages) if block.language == language]


def commands(*pages: Path) -> list[tuple[str, str | None]]:
    """Return every alloop command, with the output that is shown of it."""
    return [pair for block in of("sh", *pages) for pair in block.commands()]


def specs(*pages: Path) -> list[dict[str, Any]]:
    """Return every whole campaign; other YAML shows parts of one."""
    found = [yaml.safe_load(block.text) for block in of("yaml", *pages)]
    return [data for data in found if "objectives" in data]


def small_files(*pages: Path) -> dict[str, str]:
    """Return the files that a reader is told to write, by name."""
    echo = re.compile(r"^echo '(.*)' > (\S+)$", flags=re.MULTILINE)
    named = {block.file: block.text for block in of("yaml", *pages) if block.file}
    told = [pair for block in of("sh", *pages) for pair in echo.findall(block.text)]
    return named | {name: content for content, name in told}


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first campaign of docs/campaigns.md, at a tiny budget and in a small cell."""
    spec = specs(*DOCS)[0]
    path = tmp_path_factory.mktemp("docs") / "campaign.yaml"
    small = spec | TINY | {"space": spec["space"] | {"atoms": 16}}
    path.write_text(yaml.safe_dump(small))
    return path


def test_the_campaigns_are_campaigns() -> None:
    assert [parse_spec(spec, where="README").name for spec in specs(README)] == ["stiff-and-light"]
    names = [parse_spec(spec, where="docs").name for spec in specs(*DOCS)]
    assert names[0] == "nifecr-bulk-modulus"
    assert len(names) > 1


def test_the_two_commands_are_targets_of_the_makefile() -> None:
    makefile = README.with_name("Makefile").read_text()
    targets = [
        line.split()[1]
        for block in of("sh", README)
        for line in block.text.splitlines()
        if "make " in line
    ]
    assert {"discover", "test"} <= set(targets)
    assert all(re.search(rf"^{target}:", makefile, flags=re.MULTILINE) for target in targets)


def test_the_page_of_plugins_shows_the_files_of_the_example() -> None:
    shown = {block.text for block in blocks(ROOT / "docs" / "plugins.md")}
    for name in ("hardness_rig.py", "pyproject.toml", "hardness.yaml"):
        assert (ROOT / "examples" / "plugin" / name).read_text("utf-8") in shown, name


OTHERS = ("CONTRIBUTING.md", "docs/plugins.md", "benchmarks/README.md")


@pytest.mark.parametrize(
    "page", [*PAGES, *(ROOT / name for name in OTHERS)], ids=lambda page: page.name
)
def test_links_lead_somewhere(page: Path) -> None:
    for target, _, anchor in re.findall(r"\]\(([^)#:\s]*)(#([^)\s]*))?\)", page.read_text("utf-8")):
        there = (page.parent / target) if target else page
        assert there.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", there.read_text("utf-8"), flags=re.MULTILINE)
            slugs = {re.sub(r"[^\w\s-]", "", head.lower()).replace(" ", "-") for head in headings}
            assert anchor in slugs


def test_the_readme_prints_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole walk with one's own problem, as a reader types it and at its own budget."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for name, content in small_files(README).items():
        Path(name).write_text(content)
    asked = commands(README)
    assert sum(shown is not None for _, shown in asked) >= 6
    (id_in_page,) = {word for command, _ in asked for word in ID.findall(command)}
    best = id_in_page
    for command, shown in asked:
        printed = run(command.replace(id_in_page, best), monkeypatch, capsys)
        if (
            "launch" in command
        ):  # the same material, but perhaps another of its equivalent orderings
            best = best_id(Path("runs/stiff-and-light"))
        if shown is not None:
            assert matches(shown.replace(id_in_page, best), printed), f"{command}\n{printed}"


def test_every_command_of_the_docs_runs(
    campaign: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(campaign.parent)
    assert len(commands(*DOCS)) > 10
    for name, content in small_files(*DOCS).items():
        Path(name).write_text(content)
    asked: dict[str, str] = {}
    for command, shown in commands(*DOCS):
        if not asked and "hea-single-phase-lab" in command and "label" in command:
            asked = fill_in_part(Path("runs/hea-single-phase-lab/requests.csv"))
        replaced = {"FILE": str(campaign), "runs/NAME": "runs/nifecr-bulk-modulus"}
        replaced |= asked
        replaced["runs/NAME/best.cif"] = "runs/nifecr-bulk-modulus/best.cif"
        words = shlex.split(command, comments=True)
        words = words[: words.index(">")] if ">" in words else words
        if "HASH" in words or "4f1c" in words:
            folder = Path(replaced["runs/NAME"])
            replaced |= {"HASH": RunFolder.read(folder).head, "4f1c": best_id(folder)}
        printed = run(shlex.join(replaced.get(w, w) for w in words), monkeypatch, capsys)
        assert shown is None or matches(shown, printed), f"{command}\n{printed}"


def run(command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command line and return what it printed."""
    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", shlex.split(command, comments=True))
    code = exit_code(main)
    out, err = capsys.readouterr()
    assert not code, f"{command}: {err}"
    return out


def best_id(folder: Path) -> str:
    """Return the beginning of the best candidate's id, as it is printed."""
    best = RunFolder.read(folder).state.best()
    assert best is not None
    return best.candidate[:12]


def fill_in_part(sheet: Path) -> dict[str, str]:
    """Fill in three rows of a sheet as RESULTS.csv, and return two candidates of others."""
    rows = list(csv.DictReader(sheet.read_text().splitlines()))
    with Path("RESULTS.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows([row | {"single_phase_probability": "1"} for row in rows[2:5]])
    return {"9b07": rows[0]["candidate"], "9b08": rows[1]["candidate"]}


def exit_code(function: Callable[[], None]) -> int | str | None:
    try:
        function()
    except SystemExit as end:
        return end.code
    return 0


def test_the_python_example_gives_the_modulus_of_ordered_ni3cr(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, _ = (block.text for block in of("python", *DOCS))
    exec(compile(code, "docs/python.md", "exec"), {})
    modulus, unit = capsys.readouterr().out.split()[:2]
    # The reference structure of the Ni-Cr pair in Wu, Lee and Su, Calphad 57 (2017) 98:
    # B from Rose's equation with its alpha, cohesive energy and distance.
    alpha, cohesive, distance = 5.20198292, 4.3425, 2.505
    volume = distance**3 / 2**0.5
    expected = alpha**2 * cohesive / (9 * volume) * 160.2176634
    assert unit == "GPa"
    assert float(modulus) == pytest.approx(expected, rel=2e-3)


def test_the_alloy_becomes_a_single_phase_within_the_limits(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, code = (block.text for block in of("python", *DOCS))
    exec(compile(code, "docs/python.md", "exec"), {})
    first, *_, last, kept = (line.split() for line in capsys.readouterr().out.splitlines())
    assert float(first[-1]) < 0.5
    assert float(last[-1]) >= 0.6
    assert len(kept[1:]) >= 4  # of the six that the alloy is made of
    aluminium = [
        sum(float(word[2:]) for word in line if word.startswith("Al")) for line in (first, last)
    ]
    assert aluminium[1] < aluminium[0]


def test_the_table_says_what_the_oracles_measure() -> None:
    """Rows of README.md against the options' own words, with everything asked for."""
    section = README.read_text("utf-8").split("## What can be measured, and by what")[1]
    rows = re.findall(
        r"^\| (`.*?) \| (\S.*?) \| ?(\w*) ?\| ?(\w*) ?\| ?(\w*) ?\|$", section, flags=re.MULTILINE
    )
    found = {
        name: (unit, lammps == "yes", mlip == "yes", dft == "yes")
        for names, unit, lammps, mlip, dft in rows
        for name in property_names(names)
    }
    of_lammps = LammpsOptions(potential="NiFeCr-Wu2017", properties=tuple(SIMULATION)).measures()
    of_mlip = MlipOptions(properties=("c11",)).measures()
    of_dft = {
        name
        for protocol in ("static", "relax", "formation_energy", "elastic")
        for name in DftOptions(engine="vasp", protocol=protocol, transport={}).measures()
    }
    assert {name: unit for name, (unit, *_) in found.items()} == UNITS
    for name, (_, lammps, mlip, dft) in found.items():
        source = DERIVED.get(name, name)  # the loop derives it of any tier that measures the source
        measured = (source in of_lammps, source in of_mlip, source in of_dft)
        assert (lammps, mlip, dft) == measured, name


def property_names(cell: str) -> list[str]:
    """Return the properties that a row is about; "`c11` … `c66`" are the 21 elastic constants."""
    names = re.findall(r"`(\w+)`", cell)
    if names == ["c11", "c66"]:
        return [f"c{i}{j}" for i in range(1, 7) for j in range(i, 7)]
    return names


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("best: … GPa\n", "best: 184.7 GPa\n", True),
        ("best: … GPa\n", "best: 184.7 eV\n", False),
        ("round 1\n…\nclosed\n", "round 1\na\n\nb\nclosed\n", True),
        ("round 1\n…\nclosed\n", "round 1\na\n", False),
        ("round 1\n", "round 1\nround 2\n", False),
        ("│ best   │ bcc │\n└───┘\n", "│ best │ bcc │\n└─────┘\n", True),
        ("a … b\n", "a\nb\n", False),
    ],
)
def test_a_shown_output_has_gaps_and_no_more(shown: str, printed: str, same: bool) -> None:
    assert matches(shown, printed) is same
