"""Hostile run folders: received from somebody who prepared what lies in them."""

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from alloop.canonical import canonical_json, sha256
from alloop.loop.record.hash_chain import START, entry_hash
from benchmarks.trust.hostile.cases import Hostile, Place, Trial

LAB: dict[str, Any] = {
    "name": "lab",
    "seed": 3,
    "space": {"elements": ["Ni", "Fe", "Cr"], "atoms": 16},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "model": {"width": 8, "depth": 1, "epochs": 1, "unlabelled": 16},
    "acquisition": {"batch": 3, "pool": 8},
    "budget": {"initial": 4, "rounds": 2, "measurements": [50]},
    "tiers": [{"kind": "person", "properties": ["bulk_modulus"]}],
}
"""A campaign with a model, a best candidate and a round to replay, that needs no simulator."""

LOOKS = (("status",), ("audit",), ("verify",), ("report",), ("digest",), ("replay", "1"))
"""Commands that only look, each with what follows the run."""
ASKS = "you did not begin this run"
"""What `resume` says of a run that somebody else began."""

Mutation = Callable[[Place, Path], None]


def hostile_runs(place: Place, received: Path) -> Iterator[Hostile]:
    """Yield run folders made from one that somebody else began.

    Args:
        place: where they are made.
        received: run of ``LAB`` with its first round measured, and its second proposed.
    """
    candidate = (received / "requests.csv").read_text().splitlines()[1].split(",")[0]
    for name, (mutation, says) in {**_ledgers(), **_links(), **_files()}.items():
        run = place.folder / "files" / f"run-{name}"
        shutil.copytree(received, run, symlinks=True)
        mutation(place, run)
        commands = (*LOOKS, ("explain", candidate))
        looks = (Trial((look[0], str(run), *look[1:]), None) for look in commands)
        resumes = Trial(("resume", str(run)), says)
        yield Hostile(f"run: {name}", (*looks, resumes), path=run, cwd=run)


def rewrite(run: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the events of a ledger, and give them hashes that agree."""
    with closing(sqlite3.connect(run / "ledger.sqlite")) as connection, connection:
        rows = connection.execute("SELECT seq, time, event FROM events ORDER BY seq").fetchall()
        previous = START
        for seq, time, text in rows:
            event = json.loads(text)
            change(event)
            new = canonical_json(event)
            hash = entry_hash(seq, time, new, previous)
            connection.execute(
                "UPDATE events SET event = ?, previous = ?, hash = ? WHERE seq = ?",
                (new, previous, hash, seq),
            )
            previous = hash


def _with_spec(**changes: Any) -> Mutation:
    def mutate(place: Place, run: Path) -> None:
        def change(event: dict[str, Any]) -> None:
            if event["kind"] == "campaign_opened":
                event["spec"] |= _filled(changes, place)

        rewrite(run, change)

    return mutate


def _with_session(**scheduling: Any) -> Mutation:
    def mutate(place: Place, run: Path) -> None:
        def change(event: dict[str, Any]) -> None:
            if event["kind"] == "session_opened":
                usual = {"execution": {"kind": "local"}, "cache": False, "tiers": [{}]}
                event["scheduling"] = usual | _filled(scheduling, place)

        rewrite(run, change)

    return mutate


def _filled(value: Any, place: Place) -> Any:
    """Return a value with the payload's command, and the port, where they belong."""
    match value:
        case str():
            return value.replace("TOUCH", place.touch).replace("PORT", str(place.port))
        case Mapping():
            return {key: _filled(each, place) for key, each in value.items()}
        case list():
            return [_filled(each, place) for each in value]
        case _:
            return value


def _ledgers() -> dict[str, tuple[Mutation, str]]:
    """Return changes of the ledger by name, each with what `resume` says."""
    dft = {"kind": "dft", "engine": "espresso", "promote": 0}
    return {
        "somebody-s": (lambda place, run: None, ASKS),
        "espresso-command": (
            _with_spec(tiers=[dft | {"espresso": {"command": "TOUCH"}}]),
            "espresso.command",
        ),
        "vasp-command": (
            _with_spec(tiers=[dft | {"vasp": {"command": "sh -c 'TOUCH'"}}]),
            "vasp.command",
        ),
        "espresso-engine": (_with_spec(tiers=[dft]), ASKS),
        "dask-address": (
            _with_spec(execution={"kind": "dask", "address": "tcp://127.0.0.1:PORT"}),
            "dask.address",
        ),
        "slurm-wrap": (
            _with_spec(execution={"kind": "slurm", "directives": ["--wrap=TOUCH"]}),
            "slurm.directives",
        ),
        "session-dask": (
            _with_session(execution={"kind": "dask", "address": "tcp://127.0.0.1:PORT"}),
            "dask.address",
        ),
        "session-slurm": (
            _with_session(execution={"kind": "slurm", "profile": "$(TOUCH)"}),
            "execution.slurm.profile",
        ),
        "session-command": (
            _with_session(tiers=[{"espresso": {"command": "TOUCH"}}]),
            "tiers.0.espresso",
        ),
        "kind-import-path": (
            _with_spec(tiers=[{"kind": "os:system", "properties": ["bulk_modulus"]}]),
            "there is no kind",
        ),
        "kind-to-install": (_kind_to_install, "there is no kind"),
        "model-import-path": (_with_spec(model={"kind": "os:system"}), "there is no kind"),
        "name": (_with_spec(name="../../victim"), "(name: "),
        "pickled-checkpoint": (_pickled_checkpoint, ASKS),
        "sql-view": (_sql_view, ""),
        "sql-trigger": (_sql_trigger, ""),
    }


def _kind_to_install(place: Place, run: Path) -> None:
    """Name a package whose name is a command for whoever pastes the remedy."""

    def change(event: dict[str, Any]) -> None:
        if event["kind"] == "campaign_opened":
            event["spec"]["tiers"] = [{"kind": "rig"}]
            event["packages"] = {"alloop.oracles:rig": f"rig; {place.touch}; x"}
            event["versions"] |= {f"rig; {place.touch}; x": "1"}

    rewrite(run, change)


def _pickled_checkpoint(place: Place, run: Path) -> None:
    content = place.pickle()
    artifact = sha256(content)
    path = run / "artifacts" / artifact[:2] / artifact
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)

    def change(event: dict[str, Any]) -> None:
        if event["kind"] == "model_fitted":
            event["checkpoint"] = artifact

    rewrite(run, change)


def _sql(run: Path, *statements: str) -> None:
    with closing(sqlite3.connect(run / "ledger.sqlite")) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def _sql_view(place: Place, run: Path) -> None:
    library = place.write("extension.so", b"\x7fELF")
    _sql(
        run,
        "ALTER TABLE events RENAME TO stored",
        "CREATE VIEW events AS SELECT seq, time, event, previous, hash FROM stored "
        f"WHERE load_extension('{library}') IS NULL",
    )


def _sql_trigger(place: Place, run: Path) -> None:
    library = place.write("extension.so", b"\x7fELF")
    _sql(
        run,
        f"CREATE TRIGGER t AFTER INSERT ON events BEGIN SELECT load_extension('{library}'); END",
    )


def _links() -> dict[str, tuple[Mutation, str]]:
    """Return links by name: to files of the victim's where a command would write."""

    def link(name: str, to: str) -> Mutation:
        def mutate(place: Place, run: Path) -> None:
            path = run / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            path.unlink(missing_ok=True)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(place.victim / to)

        return mutate

    def ledger(place: Place, run: Path) -> None:
        shutil.move(run / "ledger.sqlite", place.victim / "ledger.sqlite")
        (run / "ledger.sqlite").symlink_to(place.victim / "ledger.sqlite")

    def every_artifact(place: Place, run: Path) -> None:
        store = place.victim / f"store-of-{run.name}"
        store.mkdir()
        for folder in sorted((run / "artifacts").iterdir()):
            shutil.move(folder, store / folder.name)
            folder.symlink_to(store / folder.name)

    def emptied_artifact(place: Place, run: Path) -> None:
        every_artifact(place, run)
        for path in sorted((place.victim / f"store-of-{run.name}").glob("??/*"))[::2]:
            path.unlink()

    names = {
        "report.html": "letter.txt",
        "report.html.tmp": "letter.txt",
        "best.cif": "sheet.csv",
        "best.cif.tmp": "sheet.csv",
        "requests.csv": "sheet.csv",
        "requests.csv.tmp": "sheet.csv",
    }
    refused = {
        "controller.lock": "letter.txt",
        "ledger.sqlite-wal": "letter.txt",
        "ledger.sqlite-shm": "letter.txt",
        "ledger.sqlite-journal": "letter.txt",
        "artifacts": "store",
        "spool": "store",
        "spool/0.lock": "letter.txt",
        "spool/0.json.tmp": "letter.txt",
    }
    return (
        {f"link-{name}": (link(name, to), ASKS) for name, to in names.items()}
        | {
            f"link-{name.replace('/', '-')}": (link(name, to), "this is a link")
            for name, to in refused.items()
        }
        | {
            "link-ledger": (ledger, "this is a link"),
            "link-every-artifact": (every_artifact, "this is a link"),
            "link-missing-artifacts": (emptied_artifact, "this is a link"),
        }
    )


def _files() -> dict[str, tuple[Mutation, str]]:
    """Return files by name that lie in the folder in the hope that something runs them."""

    def modules(place: Place, run: Path) -> None:
        payload = f"import os; os.system({place.touch!r})\n"
        for name in ("sitecustomize", "usercustomize", "json", "yaml", "torch", "conftest"):
            (run / f"{name}.py").write_text(payload)
        (run / "alloop").mkdir()
        (run / "alloop" / "__init__.py").write_text(payload)

    def pickles(place: Place, run: Path) -> None:
        for name in ("spool/0.json", "spool/model.pkl", "state.pkl", "artifacts/00/model"):
            (run / name).parent.mkdir(parents=True, exist_ok=True)
            (run / name).write_bytes(place.pickle())

    def settings(place: Place, run: Path) -> None:
        text = f"profiles: {{default: {{espresso: {{command: [sh, -c, '{place.touch}']}}}}}}"
        for name in ("settings.yaml", "alloop/settings.yaml", ".config/alloop/settings.yaml"):
            (run / name).parent.mkdir(parents=True, exist_ok=True)
            (run / name).write_text(text)
            (run / name).chmod(0o600)

    def programs(place: Place, run: Path) -> None:
        for name in ("pw.x", "vasp_std", "sbatch", "python", "git"):
            (run / name).write_text(f"#!/bin/sh\n{place.touch}\n")
            (run / name).chmod(0o755)
        (run / ".git").mkdir()
        (run / ".git" / "config").write_text(f"[core]\nfsmonitor = {place.touch}\n")

    def journal(place: Place, run: Path) -> None:
        name = os.fsencode(place.victim / "letter.txt")
        tail = name + len(name).to_bytes(4, "big") + sum(name).to_bytes(4, "big")
        content = tail + bytes.fromhex("d9d505f920a163d7")
        (run / "ledger.sqlite-journal").write_bytes(content)

    def library(place: Place, run: Path) -> None:
        for name in ("libsqlite3.so.0", "liblammps.so.0", "libc.so.6"):
            (run / name).write_bytes(b"\x7fELF")

    return {
        "modules": (modules, ASKS),
        "pickles": (pickles, ASKS),
        "settings": (settings, ASKS),
        "programs": (programs, ASKS),
        "super-journal": (journal, "journal"),
        "libraries": (library, ASKS),
    }
