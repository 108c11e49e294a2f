"""Every ready campaign at its ready budget, from launch to report, as a user runs it.

Data sets have to be at hand (`alloop data fetch`, or ALLOOP_DATA). Labels of other runs are not
used, and elements are calculated afresh.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from alloop.campaigns.load import load_spec, ready_campaigns
from alloop.errors import AlloopError
from alloop.loop.people.requests.table import REQUESTS
from alloop.loop.run_folder import RunFolder
from alloop.oracles.table.options import TableOptions
from alloop.public_data.datasets import DATA_SETS, data_folder
from benchmarks.house.laboratory import fill_in
from benchmarks.kept_runs import runs_folder

LIMIT = 4 * 3600
"""Seconds after which a command is said never to end."""

Command = Callable[..., None]
"""Does what `alloop WORD …` does and raises where that fails."""


@dataclass(frozen=True)
class Outcome:
    """Outcome of a campaign."""

    name: str
    minutes: float
    problem: str
    """Why it did not end; empty where it did."""


def figures(name: str) -> dict[str, float]:
    """Return whether a campaign came to its report, 1 or 0, and the minutes that it took."""
    with runs_folder("ready") as folder:
        found = outcome(name, folder / name, typed_in(folder / "home"))
    print(found, flush=True)
    return {
        f"ended_{key_of(name)}": float(not found.problem),
        f"minutes_{key_of(name)}": found.minutes,
    }


def totals(measured: Mapping[str, float]) -> dict[str, float]:
    """Return the number of ready campaigns, and of those whose recorded figures say they ended."""
    names = ready_campaigns()
    ended = sum(measured.get(f"ended_{key_of(name)}", 0.0) for name in names)
    return {"ready_campaigns": float(len(names)), "ready_campaigns_ended": ended}


def key_of(name: str) -> str:
    """Return what a campaign is called in the names of figures."""
    return name.replace("-", "_")


def outcome(name: str, run: Path, alloop: Command) -> Outcome:
    """Run a campaign to its report and return what became of it."""
    began = time.perf_counter()
    try:
        run_to_report(name, run, alloop, substitutes(name))
        problem = ""
    except (AlloopError, RuntimeError, subprocess.SubprocessError) as error:
        problem = str(error)
    return Outcome(name, (time.perf_counter() - began) / 60, problem)


def run_to_report(name: str, run: Path, alloop: Command, settings: Iterable[str] = ()) -> None:
    """Launch a campaign, answer what people are asked, and look at it in every way.

    Args:
        name: of a ready campaign.
        run: its folder.
        alloop: the command line.
        settings: `key=value` laid over the campaign.

    Raises:
        RuntimeError: if it has not ended, or has no report.
    """
    alloop("launch", name, "--run", run, *(word for each in settings for word in ("--set", each)))
    while (run / REQUESTS).exists() and (state := RunFolder.read(run).state).closed is None:
        alloop("label", run, "--file", fill_in(run))
        if len(RunFolder.read(run).state.recorded) == len(state.recorded):
            raise RuntimeError(f"{name}: the answers were not taken")
    for word in ("status", "audit", "report"):
        alloop(word, run)
    if RunFolder.read(run).state.closed is None:
        raise RuntimeError(f"{name} has not ended")
    if not (run / "report.html").is_file():
        raise RuntimeError(f"{name} has no report")


def substitutes(name: str) -> list[str]:
    """Return settings that put the published validation rows in place of a data set's own file,
    where only those are at hand; each is said.
    """
    found = []
    for place, tier in enumerate(load_spec(name).tiers):
        if not isinstance(tier, TableOptions) or tier.dataset is None:
            continue
        known = DATA_SETS[tier.dataset]
        rows = data_folder() / known.folder / "val.csv"
        if not (data_folder() / known.table).exists() and rows.exists():
            print(f"{name}: {rows.name} in place of {known.table}, which is not at hand")
            found += [f"tiers.{place}.dataset=null", f"tiers.{place}.file={rows}"]
    return found


def data_of(name: str) -> list[str]:
    """Return the data sets that a ready campaign needs."""
    tiers = load_spec(name).tiers
    return [tier.dataset for tier in tiers if isinstance(tier, TableOptions) and tier.dataset]


def typed_in(home: Path) -> Command:
    """Return the command line in processes of their own.

    Args:
        home: where they keep what the user's home keeps otherwise.
    """

    def alloop(*words: str | Path) -> None:
        subprocess.run(
            [sys.executable, "-m", "alloop", *map(str, words)],
            env=os.environ | {"XDG_DATA_HOME": str(home), "ALLOOP_CACHE": "off"},
            check=True,
            timeout=LIMIT,
            stdout=subprocess.DEVNULL,
        )

    return alloop
