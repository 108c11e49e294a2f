"""Every block of the README works as it stands."""

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
from alloop.loop.commands.app import main
from alloop.loop.run_folder import RunFolder

README = Path(__file__).parents[2] / "README.md"
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README.read_text("utf-8"), flags=re.DOTALL)
TINY = {
    "model": {"epochs": 1, "unlabelled": 16},
    "acquisition": {"batch": 2, "pool": 8},
    "augmentation": {"iterations": 1, "parents": 1, "swaps": 1},
    "budget": {"initial": 6, "rounds": 3, "measurements": [40]},
}


def blocks(language: str) -> list[str]:
    return [text for kind, text in BLOCKS if kind == language]


def commands() -> list[str]:
    """Return every alloop command, comments and continuation remarks left out."""
    lines = [line for text in blocks("sh") for line in text.splitlines()]
    return [line for line in lines if line.startswith("alloop ")]


def specs() -> list[dict[str, Any]]:
    """Return every whole campaign; other YAML shows parts of one."""
    found = [yaml.safe_load(text) for text in blocks("yaml")]
    return [data for data in found if "objectives" in data]


def small_files() -> dict[str, str]:
    """Return the files that a reader is told to write, by name."""
    echo = re.compile(r"^echo '(.*)' > (\S+)$", flags=re.MULTILINE)
    return {name: content for text in blocks("sh") for content, name in echo.findall(text)}


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first campaign of the README, at a tiny budget and in a small cell."""
    spec = specs()[0]
    path = tmp_path_factory.mktemp("readme") / "campaign.yaml"
    small = spec | TINY | {"space": spec["space"] | {"atoms": 16}}
    path.write_text(yaml.safe_dump(small))
    return path


def test_the_campaigns_are_campaigns() -> None:
    names = [parse_spec(spec, where="README").name for spec in specs()]
    assert names[0] == "nifecr-bulk-modulus"
    assert len(names) > 1


def test_the_two_commands_are_targets_of_the_makefile() -> None:
    makefile = README.with_name("Makefile").read_text()
    targets = [
        line.split()[1] for text in blocks("sh") for line in text.splitlines() if "make " in line
    ]
    assert {"discover", "test"} <= set(targets)
    assert all(re.search(rf"^{target}:", makefile, flags=re.MULTILINE) for target in targets)


def test_every_command_runs(
    campaign: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(campaign.parent)
    assert len(commands()) > 10
    for name, content in small_files().items():
        Path(name).write_text(content)
    asked: dict[str, str] = {}
    for command in commands():
        if not asked and "hea-single-phase-lab" in command and "label" in command:
            asked = fill_in_part(Path("runs/hea-single-phase-lab/requests.csv"))
        words = shlex.split(command.partition(" > ")[0], comments=True)
        replaced = {"FILE": str(campaign), "runs/NAME": "runs/nifecr-bulk-modulus"}
        replaced |= asked
        replaced["runs/NAME/best.cif"] = "runs/nifecr-bulk-modulus/best.cif"
        if "HASH" in words or "4f1c" in words:
            folder = RunFolder.read(Path(replaced["runs/NAME"]))
            best = folder.state.best()
            assert best is not None
            replaced |= {"HASH": folder.head, "4f1c": best.candidate[:8]}
        monkeypatch.setattr(sys, "argv", [replaced.get(word, word) for word in words])
        code = exit_code(main)
        assert not code, f"{command}: {capsys.readouterr().err}"


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
    code, _ = blocks("python")
    exec(compile(code, "README.md", "exec"), {})
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
    _, code = blocks("python")
    exec(compile(code, "README.md", "exec"), {})
    first, *_, last, enough = (line.split() for line in capsys.readouterr().out.splitlines())
    assert float(first[-1]) < 0.5
    assert float(last[-1]) >= 0.6
    assert enough[0] == "enough:"
    assert float(enough[-2]) >= 0.6
    aluminium = [
        float(next(word for word in line if word.startswith("Al"))[2:]) for line in (first, enough)
    ]
    assert aluminium[1] < aluminium[0]
