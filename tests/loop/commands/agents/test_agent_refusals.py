"""What an agent is refused: writing without leave, names that lead out, programs, forged texts."""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from alloop.campaigns.load import parse_spec
from alloop.errors import AlloopError
from alloop.loop.commands.agents.runs import ServedFolder, started_programs
from alloop.loop.commands.app import main
from alloop.loop.people.who import agent_name, user_name
from alloop.loop.report.page import write_run_report
from alloop.loop.run_folder import RunFolder
from tests.loop.alloy_table import SPEC, go, spec_of
from tests.loop.commands.agents.asking import Agent, session, writable

WRITING: dict[str, dict[str, Any]] = {
    "suggest": {"run": "alloys", "why": "x"},
    "add": {"run": "alloys", "materials": [{"format": "formula", "text": "NiCr"}], "why": "x"},
    "label": {"run": "alloys", "candidate": "a", "values": {"hardness": 1.0}},
    "veto": {"run": "alloys", "candidate": "a", "why": "x"},
    "change": {"run": "alloys", "settings": {"budget.rounds": 9}, "why": "x"},
    "start": {"run": "other", "spec": "name: other", "why": "x"},
    "stop": {"run": "alloys", "why": "x"},
}
MARKUP = "<script>alert(1)</script> \x1b[31m`rm -rf ~`; $(touch hacked)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run that has ended, and a file and a run beside the folder."""
    outside = tmp_path_factory.mktemp("outside")
    runs = outside / "runs"
    runs.mkdir()
    go(runs / "alloys", spec_of(runs, {"budget": {"initial": 4, "rounds": 1, "measurements": [9]}}))
    (outside / "secret.csv").write_text("Ni,Fe,Cr,hardness,price\n")
    os.symlink(runs / "alloys", runs / "linked")
    return runs


def test_without_leave_nothing_is_written(folder: Path) -> None:
    head = RunFolder.read(folder / "alloys").head

    async def talk(agent: Agent) -> None:
        offered = {tool.name for tool in (await agent.client.list_tools()).tools}
        assert offered == {"list", "inspect", "explain", "score"}
        for tool, arguments in WRITING.items():
            assert "--write" in await agent.refused(tool, **arguments)
        assert (await agent.ask("inspect", run="alloys"))["state"] == "closed"

    session(ServedFolder.of(folder), talk)
    assert RunFolder.read(folder / "alloys").head == head
    assert sorted(path.name for path in folder.iterdir()) == ["alloys", "alloys.csv", "linked"]


NAMES = (
    "",
    "é" * 150,
    ".",
    "..",
    "../runs/alloys",
    "/etc",
    "alloys/",
    "a\\b",
    "--help",
    "a\x00b",
    "a\nb",
)


def test_names_lead_nowhere_else(folder: Path) -> None:
    async def talk(agent: Agent) -> None:
        for name in NAMES:
            assert "no name of a run" in await agent.refused("inspect", run=name)
            assert "no name of a run" in await agent.refused(
                "start", run=name, spec="name: x", why="x"
            )
        assert "a link" in await agent.refused("inspect", run="linked")
        assert [row["run"] for row in (await agent.ask("list"))["runs"]] == ["alloys"]
        assert "no campaign here" in await agent.refused("inspect", run="$(touch hacked)")
        assert "argument" in await agent.refused("inspect", run="alloys", path="/etc/passwd")
        assert "no tool" in await agent.refused("shell", command="id")

    session(writable(folder), talk)
    assert sorted(path.name for path in folder.iterdir()) == ["alloys", "alloys.csv", "linked"]


def table(file: str) -> dict[str, Any]:
    return {"kind": "table", "file": file, "properties": {"hardness": "hardness", "price": "price"}}


STRUCTURES = {
    "name": "s",
    "space": {"elements": ["Ni", "Al"], "lattices": ["fcc"], "atoms": 16},
    "objectives": [{"property": "energy_per_atom", "goal": "minimise"}],
    "budget": {"initial": 4, "rounds": 1, "measurements": [9]},
}
REFUSED: dict[str, tuple[dict[str, Any] | str, str]] = {
    "a file above": (SPEC | {"tiers": [table("../secret.csv")]}, "outside of the folder"),
    "a file elsewhere": (SPEC | {"tiers": [table("/etc/passwd")]}, "outside of the folder"),
    "a cache elsewhere": (
        SPEC | {"tiers": [table("alloys.csv")], "cache": "/tmp/c.sqlite"},
        "outside of the folder",
    ),
    "labels elsewhere": (
        SPEC | {"tiers": [table("alloys.csv")], "start": {"labels": "../secret.csv"}},
        "outside of the folder",
    ),
    "a potential elsewhere": (
        STRUCTURES
        | {
            "tiers": [
                {
                    "kind": "lammps",
                    "potential": {
                        "name": "own",
                        "pair_style": "eam/alloy",
                        "files": ["/etc/passwd"],
                        "elements": ["Ni", "Al"],
                    },
                }
            ]
        },
        "outside of the folder",
    ),
    "VASP": (STRUCTURES | {"tiers": [{"kind": "dft", "engine": "vasp"}]}, "starts programs"),
    "Slurm": (
        SPEC | {"tiers": [table("alloys.csv")], "execution": {"kind": "slurm"}},
        "starts programs or jobs: execution (slurm)",
    ),
    "Dask": (
        SPEC | {"tiers": [table("alloys.csv")], "execution": {"kind": "dask"}},
        "starts programs or jobs: execution (dask)",
    ),
    "a path instead of text": ("/etc/passwd", "not a mapping"),
    "an object": ("!!python/object/apply:os.system ['touch hacked']", "not readable as YAML"),
    "aliases of aliases": (
        "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        + "\n".join(
            f"{b}: &{b} [{','.join(['*' + a] * 10)}]" for a, b in zip("abcd", "bcde", strict=True)
        ),
        "more than",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_a_campaign_must_not_name(folder: Path, what: str) -> None:
    spec, reason = REFUSED[what]

    async def talk(agent: Agent) -> None:
        text = spec if isinstance(spec, str) else yaml.safe_dump(spec)
        assert reason in await agent.refused("start", run="new", spec=text, why="x")

    session(writable(folder), talk)
    assert not (folder / "new").exists()


def test_a_change_cannot_do_what_a_start_cannot(folder: Path) -> None:
    head = RunFolder.read(folder / "alloys").head

    async def talk(agent: Agent) -> None:
        for settings, reason in (
            ({"execution": {"kind": "slurm"}}, "starts programs"),
            ({"cache": "/tmp/c.sqlite"}, "outside of the folder"),
            ({"tiers.0.file": "/etc/passwd"}, "outside of the folder"),
        ):
            assert reason in await agent.refused("change", run="alloys", settings=settings, why="x")

    session(writable(folder), talk)
    assert RunFolder.read(folder / "alloys").head == head


def test_a_run_of_somebody_else_is_not_continued(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))  # another key

    async def talk(agent: Agent) -> None:
        assert "did not begin this run" in await agent.refused("start", run="alloys", why="x")

    session(writable(folder), talk)


@pytest.mark.parametrize(
    ("claimed", "kept"),
    [
        ("some-client.v2", "some-client.v2"),
        ("root) \n<b>", "root b"),
        ("\x1b[31m\u202eada", "31m ada"),
        ("", "unnamed"),
        ("x" * 5000, "x" * 60),
    ],
)
def test_an_agents_name_is_the_users_and_what_it_calls_itself(claimed: str, kept: str) -> None:
    assert agent_name(claimed) == f"{user_name()} (agent: {kept})"


def test_markup_is_data(folder: Path) -> None:
    run = folder / "alloys"

    async def talk(agent: Agent) -> None:
        formula = {"format": "formula", "text": MARKUP}
        assert "\x1b" not in await agent.refused("score", run="alloys", materials=[formula])
        broken = {"format": "formula", "text": 'NiCr"\nNi,Fe\n=cmd()'}
        said = await agent.refused("score", run="alloys", materials=[broken])
        assert "formulas.csv" in said
        assert tempfile.gettempdir() not in said
        cif = {"format": "cif", "text": MARKUP}
        await agent.refused("score", run="alloys", materials=[cif])
        candidate = next(iter(RunFolder.read(run).state.decisions))
        await agent.ask("veto", run="alloys", candidate=candidate, why=MARKUP)
        explained = await agent.call("explain", run="alloys", candidate=candidate)
        assert "<script>" in str(explained.structured_content)
        assert "\x1b" not in str(explained.structured_content)
        assert "\\x1b" in str(explained.structured_content)

    session(writable(folder), talk, name="<img src=x onerror=alert(1)>")
    (veto,) = RunFolder.read(run).state.by_hand.vetoes.values()
    assert veto.who == f"{user_name()} (agent: img src x onerror alert 1)"
    page = write_run_report(RunFolder.read(run)).read_text("utf-8")
    assert "<script>alert(1)</script>" not in page
    assert not list(Path().glob("hacked")) + list(folder.rglob("hacked"))


def test_a_folder_that_is_no_folder_of_runs(folder: Path) -> None:
    for path, reason in ((folder / "none", "no such folder"), (folder / "alloys", "this is a run")):
        with pytest.raises(AlloopError, match=reason):
            ServedFolder.of(path)


@pytest.mark.parametrize(
    ("tier", "starts"),
    [
        ({"kind": "dft", "engine": "chgnet"}, []),
        ({"kind": "dft", "engine": "vasp"}, ["tier 0 (dft)"]),
        ({"kind": "dft", "engine": "espresso"}, ["tier 0 (dft)"]),
        ({"kind": "lammps", "potential": "NiFeCr-Wu2017"}, []),
        ({"kind": "person", "protocol": "weigh it", "properties": ["energy_per_atom"]}, []),
    ],
)
def test_what_starts_programs(folder: Path, tier: dict[str, Any], starts: list[str]) -> None:
    spec = parse_spec(STRUCTURES | {"tiers": [tier]}, where="test")
    assert list(started_programs(spec)) == starts
    ServedFolder.of(folder, allows_writing=True, allows_programs=True).require_no_programs(spec)


def test_programs_without_writing_are_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["alloop", "mcp", str(folder), "--programs"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "--write" in capsys.readouterr().err
