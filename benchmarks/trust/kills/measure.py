"""Kills at random moments, and what they cost: `python -m benchmarks.trust kills`.

Each campaign is run to its end once and left alone. Then it is run again in a folder of its own,
sharing neither labels nor finished calculations with the first, killed at random moments all along
and continued by the same command each time, until as many kills are done as were asked for; where
it ends before, it is begun anew.
"""

import random
import secrets
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alloop.loop.record.verification import verify
from alloop.loop.run_folder import RunFolder
from benchmarks.command_line import alloop
from benchmarks.trust.kills.accounts import Account, account
from benchmarks.trust.kills.campaigns import CAMPAIGNS, Killed, environment
from benchmarks.trust.kills.killer import Killer, Tally

KILLS = 20
"""Kills of each campaign."""
PER_RUN = 20
"""Most kills of one run."""
WITNESS = Path(__file__).parent / "witness"
MARK = "ALLOOP_KILLED_CAMPAIGN"
ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Outcome:
    """Outcome of one run."""

    digest: str
    is_sound: bool
    """Whether `alloop verify` finds nothing, and the spool is empty."""
    account: Account
    tally: Tally


def measure() -> dict[str, Any]:
    """Return the figures."""
    return figures(CAMPAIGNS, KILLS)


def figures(campaigns: tuple[Killed, ...], kills: int) -> dict[str, Any]:
    """Return the figures of some campaigns.

    Args:
        campaigns: to be killed.
        kills: of each.
    """
    runs: list[tuple[Outcome, Outcome]] = []
    for seed, campaign in enumerate(campaigns):
        moments, done = random.Random(seed), 0
        with tempfile.TemporaryDirectory(prefix="alloop-kills-") as folder:
            whole = run(campaign, Path(folder) / "whole", 0, moments)
            for n in range(kills):
                if done >= kills:
                    break
                found = run(
                    campaign, Path(folder) / f"killed-{n}", min(PER_RUN, kills - done), moments
                )
                done += len(found.tally.kills)
                runs.append((whole, found))
                print(_line(campaign, whole, found), flush=True)
    tallies = [found.tally for _, found in runs]
    struck = Counter(f"{who.value}, {how.value}" for each in tallies for who, how in each.kills)
    accounts = [each.account for pair in runs for each in pair]
    return {
        "kills": struck.total(),
        "kills_by_victim_and_signal": dict(sorted(struck.items())),
        "killed_runs": len(runs),
        "killed_sessions": sum(each.sessions for each in tallies),
        "digests_equal_share": sum(w.digest == f.digest for w, f in runs) / len(runs),
        "killed_runs_unsound": sum(not found.is_sound for _, found in runs),
        "killed_begun_in_vain": sum(found.account.begun_in_vain for _, found in runs),
        "killed_measurements": sum(found.account.written for _, found in runs),
        "lost": sum(each.lost for each in accounts),
        "measured_twice": sum(each.measured_twice for each in accounts),
        "orphans": sum(each.orphans for each in tallies),
        "controllers_stuck": sum(each.stuck for each in tallies),
        "sessions_refused": sum(len(each.refusals) for each in tallies),
    }


def run(campaign: Killed, home: Path, kills: int, moments: random.Random) -> Outcome:
    """Run a campaign to its end, killed so many times.

    Args:
        campaign: what to run.
        home: made for the run and all that it keeps elsewhere.
        kills: at most.
        moments: draws who is killed, how and when.
    """
    home.mkdir()
    folder, notes, mark = home / "run", home / "notes", (MARK, secrets.token_hex(8))
    variables = environment(home) | {
        mark[0]: mark[1],
        "ALLOOP_WITNESS": str(notes),
        "PYTHONPATH": f"{WITNESS}:{ROOT}",
    }
    killer = Killer(folder, alloop(*campaign.words(folder)), variables, notes, mark, moments)
    tally = killer.kill(kills, max(1, campaign.events // max(1, kills)))
    found = RunFolder.read(folder)
    digest = subprocess.run(
        [sys.executable, "-m", "alloop", "digest", str(folder)],
        env=variables,
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    events = [entry.event for entry in found.entries]
    return Outcome(
        digest=digest.strip(),
        is_sound=verify(folder, head=found.head).ok and not list((folder / "spool").iterdir()),
        account=account(notes.read_text().splitlines(), events),
        tally=tally,
    )


def _line(campaign: Killed, whole: Outcome, found: Outcome) -> str:
    tally, same = found.tally, "same" if whole.digest == found.digest else "OTHER"
    said = "".join(f"\n  ended by itself: {words}" for words in tally.refusals)
    return (
        f"{campaign.name}: {len(tally.kills)} kills in {tally.sessions} sessions, {same} digest, "
        f"sound: {found.is_sound}, {tally.orphans} orphans, {tally.stuck} stuck, "
        f"{found.account}{said}"
    )


if __name__ == "__main__":
    names = sys.argv[2:]
    chosen = tuple(each for each in CAMPAIGNS if not names or each.name in names)
    for figure, value in figures(chosen, int(sys.argv[1])).items():
        print(f"{figure:32} {value}")
