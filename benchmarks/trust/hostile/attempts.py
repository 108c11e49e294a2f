"""Hostile files: whether anything in them is run, or anything outside their folder is changed.

Specs, tiers, settings, structures and run folders are made by the modules beside, each so that it
would leave a mark if it were believed: a file, a call of a port, a changed file of the victim's.
Every command that somebody would give them is typed, in this process, while the interpreter's audit
events (PEP 578) are listened to.
"""

import io
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from alloop.loop.commands.app import main
from benchmarks.trust.hostile.cases import Hostile, Place, Trial
from benchmarks.trust.hostile.runs import LAB, hostile_runs
from benchmarks.trust.hostile.settings import hostile_settings
from benchmarks.trust.hostile.specs import hostile_specs, hostile_tiers
from benchmarks.trust.hostile.structures import hostile_structures
from benchmarks.trust.hostile.watch import Watch, snapshot


@dataclass(frozen=True)
class Finding:
    """What came of giving a hostile file to its commands."""

    name: str
    executed: tuple[str, ...]
    """Programs started, calls made and marks left."""
    changed: tuple[str, ...]
    """Paths outside its own folder that were changed."""
    unclear: tuple[str, ...]
    """Commands that were not refused, or did not name what was wrong, with what they said."""
    crashed: tuple[str, ...]
    """Commands that ended with an exception."""


def measure() -> dict[str, Any]:
    """Return the figures: files tried, and how many did what they should not."""
    with tempfile.TemporaryDirectory() as folder:
        findings = tuple(try_all(Place(Path(folder) / "place")))
    for finding in findings:
        for what in ("executed", "changed", "unclear", "crashed"):
            for each in getattr(finding, what):
                print(f"{finding.name}: {what}: {each}")
    return {
        "hostile_files": len(findings),
        "executed": sum(bool(each.executed) for each in findings),
        "hostile_changed_outside": sum(bool(each.changed) for each in findings),
        "hostile_not_named": sum(bool(each.unclear) for each in findings),
        "hostile_tracebacks": sum(bool(each.crashed) for each in findings),
    }


def try_all(place: Place, *, every: int = 1) -> Iterator[Finding]:
    """Make hostile files and yield what came of each.

    Args:
        place: where they are made.
        every: one file in so many is given to its commands.
    """
    watch = Watch()
    with closing(place):
        with environment(place, "somebody"):
            received = _received_run(place)
        with environment(place, "me"):
            for hostile in islice(all_hostile(place, received), 0, None, every):
                yield attempt(hostile, place, watch)


def all_hostile(place: Place, received: Path) -> Iterator[Hostile]:
    """Make and yield every hostile file."""
    yield from hostile_specs(place)
    yield from hostile_tiers(place)
    yield from hostile_settings(place)
    yield from hostile_structures(place)
    yield from hostile_runs(place, received)


def attempt(hostile: Hostile, place: Place, watch: Watch) -> Finding:
    """Give a hostile file to each of its commands."""
    executed, unclear, crashed = list[str](), list[str](), list[str]()
    before = _files(place, hostile)
    for trial in hostile.trials:
        with watch.watching() as heard:
            code, said = typed(trial, hostile.cwd or place.folder / "cwd")
        executed += heard
        if place.marker.exists():
            executed.append("the marker was made")
            place.marker.unlink()
        if place.was_called():
            executed.append("the port was called")
        command = " ".join(trial.words)
        if isinstance(code, BaseException):
            crashed.append(f"{command}: {code!r}")
        elif trial.says is not None and (code == 0 or trial.says not in said):
            unclear.append(f"{command}: {code}: {said.strip()[-400:]}")
    after = _files(place, hostile)
    changed = sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
    return Finding(hostile.name, tuple(executed), tuple(changed), tuple(unclear), tuple(crashed))


def typed(trial: Trial, cwd: Path) -> tuple[int | BaseException, str]:
    """Type a command in a folder; return exit code, or what it raised, and all that it said."""
    said, settings = io.StringIO(), {"ALLOOP_SETTINGS": trial.profile} if trial.profile else {}
    before = Path.cwd(), sys.argv
    code: int | BaseException = 0
    path = list(sys.path)
    with _variables(settings), redirect_stdout(said), redirect_stderr(said):
        try:
            os.chdir(cwd)
            # The command that is installed does not look for modules where it is typed.
            sys.path[:] = [each for each in path if each]
            sys.argv = ["alloop", *trial.words]
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
        except BaseException as error:
            code = error
        finally:
            os.chdir(before[0])
            sys.path[:] = path
            sys.argv = before[1]
    return code, " ".join(said.getvalue().split())


@contextmanager
def environment(place: Place, user: str) -> Iterator[None]:
    """Be a user with a key and settings of their own, and no cache of labels."""
    folder = place.folder / user
    names = ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")
    variables = {name: str(folder / name.lower()) for name in names}
    with _variables(variables | {"ALLOOP_CACHE": "off", "COLUMNS": "10000"}):
        os.environ.pop("ALLOOP_SETTINGS", None)
        yield


@contextmanager
def _variables(variables: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _files(place: Place, hostile: Hostile) -> dict[str, str]:
    """Return a hash of every file but the run's own and those of the user's folders."""
    found = snapshot(place.folder, without=hostile.path)
    own = str(place.folder / "me")
    return {path: hash for path, hash in found.items() if not path.startswith(own)}


def _received_run(place: Place) -> Path:
    """Return a run that somebody began, measured a round of, and sent away."""
    folder = place.folder / "somebody"
    spec, run = folder / "lab.yaml", folder / "run"
    spec.write_text(yaml.safe_dump(LAB))
    _must(("launch", str(spec), "--run", str(run)), folder)
    rows = (run / "requests.csv").read_text().splitlines()
    columns = rows[0].split(",")
    results = [rows[0]]
    for place_, row in enumerate(rows[1:]):
        cells = row.split(",")
        cells[columns.index("bulk_modulus")] = str(150.0 + 7 * place_)
        results.append(",".join(cells))
    (folder / "results.csv").write_text("\n".join(results) + "\n")
    _must(("label", str(run), "--file", str(folder / "results.csv")), folder)
    return run


def _must(words: tuple[str, ...], cwd: Path) -> None:
    code, said = typed(Trial(words, None), cwd)
    if code != 0:
        raise RuntimeError(f"{words}: {code!r}: {said}")
