"""An agent drives a campaign to its end, over standard input and output, with the SDK's client."""

import os
import sys
from pathlib import Path

import anyio
import pytest
import yaml
from mcp import StdioServerParameters
from pymatgen.core import Composition

from alloop.loop.people.who import user_name
from alloop.loop.record.events import SessionClosed, SessionOpened
from alloop.loop.record.verification import verify
from alloop.loop.run_folder import RunFolder
from tests.loop.alloy_table import SPEC, hardness, write_table
from tests.loop.commands.agents.asking import Agent, session

ROOT = Path(__file__).parents[4]
TIER = {
    "kind": "table",
    "file": "alloys.csv",
    "properties": {"hardness": "hardness", "price": "price"},
}
CAMPAIGN = SPEC | {
    "tiers": [TIER],
    "acquisition": SPEC["acquisition"] | {"batch": 1},
    "budget": {"initial": 6, "rounds": 45, "measurements": [60]},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_table(tmp_path)
    return tmp_path


async def drive(agent: Agent) -> None:
    offered = {tool.name for tool in (await agent.client.list_tools()).tools}
    assert offered == {
        *("list", "inspect", "explain", "score"),
        *("suggest", "add", "label", "veto", "change", "start", "stop"),
    }
    assert await agent.ask("list") == {"runs": []}
    spec = yaml.safe_dump(CAMPAIGN)
    await agent.ask("start", run="alloys", spec=spec, why="a hard alloy is wanted")
    assert "controller is working" in await agent.refused("start", run="alloys", why="again")
    while (await agent.ask("inspect", run="alloys"))["tiers"][0]["measured"] < 8:
        await anyio.sleep(0.2)
    assert (await agent.ask("stop", run="alloys", why="to look at it"))["stopped"]
    stands = await agent.ask("inspect", run="alloys")
    assert stands["state"] == "stopped"
    n_measured = stands["tiers"][0]["measured"]
    assert 8 <= n_measured < 51

    first = (await agent.ask("suggest", run="alloys", why="what is next?"))["batch"][0]
    x = Composition(first["formula"])
    value = hardness(*(x.get_atomic_fraction(symbol) for symbol in ("Ni", "Fe", "Cr")))
    assert first["expected_hardness"] == pytest.approx(value, abs=1.0)
    explained = await agent.ask("explain", run="alloys", candidate=first["candidate"])
    assert explained["decisions"][-1]["reason"] == first["reason"]
    values = {"hardness": value, "price": 1.0}
    labelled = await agent.ask(
        "label", run="alloys", candidate=first["candidate"], values=values, why="indented"
    )
    assert labelled["answered"] == 1
    own = [{"format": "formula", "text": "Ni0.45Fe0.1Cr0.45"}]
    (scored,) = (await agent.ask("score", run="alloys", materials=own))["scored"]
    assert scored["chosen"]
    (queued,) = (await agent.ask("add", run="alloys", materials=own, why="literature"))["decisions"]
    assert queued["candidate"] == scored["candidate"]
    await agent.ask("veto", run="alloys", candidate=queued["candidate"], why="brittle")
    changed = await agent.ask(
        "change", run="alloys", settings={"budget.measurements": [n_measured + 4]}, why="enough"
    )
    assert changed["closed"] is None
    await agent.ask("start", run="alloys", why="to its end")


async def look(agent: Agent) -> None:
    """See the end of what another session started, and ended before it."""
    while (await agent.ask("inspect", run="alloys"))["state"] != "closed":
        await anyio.sleep(0.3)
    (row,) = (await agent.ask("list"))["runs"]
    assert (row["run"], row["state"]) == ("alloys", "closed")
    best = (await agent.ask("inspect", run="alloys"))["best"]
    x = Composition(best["formula"])
    fractions = [x.get_atomic_fraction(symbol) for symbol in ("Ni", "Fe", "Cr")]
    assert best["properties"]["hardness"] == pytest.approx(hardness(*fractions))
    assert "has ended" in await agent.refused("start", run="alloys", why="once more")


def test_an_agent_drives_a_campaign_to_its_end(folder: Path) -> None:
    words = ["-m", "alloop", "mcp", str(folder), "--write"]
    server = StdioServerParameters(
        command=sys.executable, args=words, cwd=str(ROOT), env=dict(os.environ)
    )
    session(server, drive)
    session(server, look)

    run = RunFolder.read(folder / "alloys")
    assert verify(run.path).ok
    assert run.state.closed is not None
    by_hand = [e.event for e in run.entries if getattr(e.event, "who", "")]
    assert {getattr(event, "who", "") for event in by_hand} == {
        f"{user_name()} (agent: test-agent)"
    }
    said = [(event.kind, getattr(event, "asked", "")) for event in by_hand]
    assert [each for each in said if each[0] == "session_asked"] == [
        *(("session_asked", asked) for asked in ("start", "stop", "suggest", "start")),
    ]
    kinds = [kind for kind, _ in said if kind != "session_asked"]
    assert kinds == ["measured", "candidates_added", "vetoed", "spec_changed"]
    ended = [e.event.reason for e in run.entries if isinstance(e.event, SessionClosed)]
    assert ended[0] == "interrupted"
    assert sum(isinstance(e.event, SessionOpened) for e in run.entries) == len(ended)
