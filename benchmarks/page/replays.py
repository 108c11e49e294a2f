"""Every round of every ready campaign at its ready budget, its decisions computed again.

Runs that ``ALLOOP_BENCH_RUNS`` holds (`python -m benchmarks.house` leaves them there) are read;
what is not there is run first.
"""

from pathlib import Path

from alloop.campaigns.load import ready_campaigns
from alloop.loop.record.events import Proposed, Stage
from alloop.loop.record.overlay import OverlayStore
from alloop.loop.record.verification import verify
from alloop.loop.replay import Replay, replay
from alloop.loop.run_folder import RunFolder
from benchmarks.house.ready_campaigns import run_to_report, substitutes, typed_in
from benchmarks.kept_runs import runs_folder


def measure() -> dict[str, float]:
    """Return campaigns, rounds and decisions that were computed again, what came out otherwise
    (``replay_differences``), and the runs that do not verify.
    """
    rounds: list[Replay] = []
    broken = 0
    with runs_folder("ready") as folder:
        for name in ready_campaigns():
            run = folder / name
            if not run.exists():
                run_to_report(name, run, typed_in(folder / "home"), substitutes(name))
            broken += not verify(run).ok
            found = replays(run)
            print(f"{name}: {len(found)} rounds", *_differences(found), sep="\n  ", flush=True)
            rounds += found
    return {
        "replay_campaigns": float(len(ready_campaigns())),
        "replay_rounds": float(len(rounds)),
        "replay_decisions": float(sum(each.n_decisions for each in rounds)),
        "replay_differences": float(len(_differences(rounds))),
        "replay_not_verified": float(broken),
    }


def replays(run: Path) -> list[Replay]:
    """Return the replay of each round of a run that had an acquisition."""
    folder = RunFolder.read(run)
    store = OverlayStore(folder.store.folder)
    return [
        replay(folder.entries, store, entry.event.round)
        for entry in folder.entries
        if isinstance(entry.event, Proposed) and entry.event.stage is Stage.ACQUISITION
    ]


def _differences(rounds: list[Replay]) -> list[str]:
    return [line for each in rounds for line in each.differences]
