"""Forgeries in a run folder, its spool, its artifacts and the label cache: how many are believed.

Each is made in a copy of an honest run of a small campaign, by somebody who may write anything into
the folder and has read this code, but has no key of the user. Believed is a forgery in a ledger if
reading or resuming the run takes it in, in the spool or the cache if its value is recorded or given
out, of an artifact if its bytes are used.
"""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from alloop.campaigns.load import parse_spec
from alloop.canonical import canonical_json, sha256
from alloop.errors import AlloopError
from alloop.loop.controller import Controller
from alloop.loop.measure.label_cache import LabelCache
from alloop.loop.measure.spool import Spool
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import LedgerEntry, Measured, Proposed
from alloop.loop.record.hash_chain import entry_hash
from alloop.loop.record.ledger import Ledger
from alloop.loop.record.ledger_file import LEDGER
from alloop.loop.record.verification import verify
from alloop.loop.run_folder import RunFolder
from alloop.loop.state.campaign_state import CampaignState
from alloop.oracles.base import Cost, Measurement, Status
from benchmarks.execution.oracle import Fake
from tests.loop.observers import Silent

FORGED = 12_345.0
"""Value that no honest measurement gives, GPa."""
SPEC: dict[str, Any] = {
    "name": "forged",
    "seed": 5,
    "space": {"elements": ["Ni", "Fe", "Cr"], "atoms": 16},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "budget": {"initial": 12, "rounds": 0, "measurements": [100]},
    "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
    "cache": False,
}

LEDGER_FORGERIES: Mapping[str, str] = {
    "edited value": "UPDATE events SET event = replace(event, '\"bulk_modulus\":1', "
    "'\"bulk_modulus\":9') WHERE seq = 6",
    "edited cost": "UPDATE events SET event = replace(event, '\"calls\":1', '\"calls\":-9') "
    "WHERE seq = 6",
    "edited candidate": "UPDATE events SET event = replace(event, 'a', 'b') WHERE seq = 7",
    "edited reason": "UPDATE events SET event = replace(event, 'at random', 'by genius') "
    "WHERE seq = 3",
    "edited spec": "UPDATE events SET event = replace(event, 'forged', 'honest') WHERE seq = 1",
    "edited time": "UPDATE events SET time = '2020-01-01T00:00:00.000+00:00' WHERE seq = 5",
    "edited hash": "UPDATE events SET hash = previous WHERE seq = 8",
    "dropped event": "DELETE FROM events WHERE seq = 6",
    "dropped first event": "DELETE FROM events WHERE seq = 1",
    "dropped event, gap closed": "DELETE FROM events WHERE seq = 6; "
    "UPDATE events SET seq = seq - 1 WHERE seq > 6",
    "exchanged events": "UPDATE events SET seq = 99 WHERE seq = 6; UPDATE events SET seq = 6 WHERE "
    "seq = 7; UPDATE events SET seq = 7 WHERE seq = 99",
    "exchanged contents": "UPDATE events SET event = (SELECT event FROM events WHERE seq = 7) "
    "WHERE seq = 6",
    "repeated event": "INSERT INTO events SELECT (SELECT max(seq) + 1 FROM events), time, event, "
    "previous, hash FROM events WHERE seq = 6",
    "endless view": "ALTER TABLE events RENAME TO others; CREATE VIEW events AS WITH RECURSIVE "
    "n(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n) SELECT seq, time, event, previous, hash "
    "FROM n JOIN others USING (seq)",
    "trigger": "CREATE TRIGGER t AFTER INSERT ON events "
    "BEGIN DELETE FROM events WHERE seq = 6; END",
}
"""Statements of SQL for the ledger of a closed run, whose sixth event is a measurement."""

RECHAINED: Mapping[str, tuple[str, str]] = {
    "negative core-hours, hashes anew": ('"core_hours":0.0', '"core_hours":-1000.0'),
    "negative calls, hashes anew": ('"calls":1', '"calls":-1000'),
    "endless cost, hashes anew": ('"money":0.0', '"money":1e999'),
    "value without end, hashes anew": ('"bulk_modulus":1', '"bulk_modulus":1e999,"x":1'),
}
"""Replacements in the sixth event, by a forger who computes every later hash again."""


class _Cut(Silent):
    """Observer that ends the session once something is proposed, where asked to."""

    def __init__(self, *, is_cut: bool = False) -> None:
        self._is_cut = is_cut

    def event(self, entry: LedgerEntry) -> None:
        if self._is_cut and isinstance(entry.event, Proposed):
            raise _PowerCut


class _PowerCut(Exception):
    pass


def measure() -> dict[str, float]:
    """Return how many forgeries were tried, and how many of them were believed."""
    believed = believed_forgeries()
    return {"forgeries": len(believed), "believed": sum(believed.values())}


def believed_forgeries() -> dict[str, bool]:
    """Return whether each forgery was believed, by name."""
    with tempfile.TemporaryDirectory(prefix="alloop-forgeries-") as folder:
        here = Path(folder)
        oracle = Fake(here / "calls")
        closed, waiting = here / "closed", here / "waiting"
        _go(closed, oracle)
        with suppress(_PowerCut):
            _go(waiting, oracle, is_cut=True)
        with _copy(closed) as copy:
            assert _is_taken_in(copy, oracle), "an honest run is read and resumed"
        found = {name: _ledger(closed, sql, oracle) for name, sql in LEDGER_FORGERIES.items()}
        for name, (old, new) in RECHAINED.items():
            found[name] = _rechained(closed, old, new, oracle)
        return (
            found
            | {"tail cut off, head kept outside": _cut_tail(closed)}
            | _artifacts(closed)
            | _spool(waiting, oracle)
            | _labels(here / "labels")
        )


def _go(run: Path, oracle: Fake, *, is_cut: bool = False) -> CampaignState:
    spec = None if run.exists() else parse_spec(SPEC, where="forgeries")
    observer = _Cut(is_cut=is_cut)
    with Controller(run, spec, build_oracles=lambda _: [oracle], observer=observer) as controller:
        return controller.run()


@contextmanager
def _copy(run: Path) -> Iterator[Path]:
    copy = run.with_name("copy")
    shutil.copytree(run, copy)
    try:
        yield copy
    finally:
        shutil.rmtree(copy)


@contextmanager
def _tampering(run: Path) -> Iterator[sqlite3.Connection]:
    with sqlite3.connect(run / LEDGER) as database:
        yield database
    database.close()


def _ledger(run: Path, statements: str, oracle: Fake) -> bool:
    with _copy(run) as copy:
        with _tampering(copy) as database:
            database.executescript(statements)
        return _is_taken_in(copy, oracle)


def _rechained(run: Path, old: str, new: str, oracle: Fake) -> bool:
    with _copy(run) as copy:
        with _tampering(copy) as database:
            rows = database.execute("SELECT seq, time, event, previous FROM events WHERE seq >= 6")
            hash = ""
            for seq, time, recorded, last in rows.fetchall():
                assert seq != 6 or old in recorded, f"the sixth event has {old}"
                event = recorded.replace(old, new) if seq == 6 else recorded
                previous = hash or last
                hash = entry_hash(seq, time, event, previous)
                changed = (event, previous, hash, seq)
                database.execute(
                    "UPDATE events SET event = ?, previous = ?, hash = ? WHERE seq = ?", changed
                )
        return _is_taken_in(copy, oracle)


def _is_taken_in(run: Path, oracle: Fake) -> bool:
    """Return whether reading or resuming a run gets to its end."""
    return _succeeds(lambda: RunFolder.read(run)) or _succeeds(lambda: _go(run, oracle))


def _succeeds(action: Callable[[], object]) -> bool:
    try:
        action()
    except AlloopError:
        return False
    return True


def _cut_tail(run: Path) -> bool:
    with _copy(run) as copy:
        head = verify(copy).head
        with _tampering(copy) as database:
            database.execute("DELETE FROM events WHERE seq > 6")
        return verify(copy, head=head).ok


def _artifacts(run: Path) -> dict[str, bool]:
    """Try to have other bytes used than those whose hash is in the ledger."""
    with _copy(run) as copy:
        entries = RunFolder.read(copy).entries
        measured = [entry.event for entry in entries if isinstance(entry.event, Measured)]
        store = ArtifactStore(copy / "artifacts")
        (copy / "elsewhere").write_bytes(store.get(measured[0].candidate))
        forged = {
            "artifact replaced by another": lambda p: p.write_bytes(
                store.get(measured[1].candidate)
            ),
            "artifact edited": lambda p: p.write_bytes(p.read_bytes() + b" "),
            "artifact cut": lambda p: p.write_bytes(p.read_bytes()[:-1]),
            "artifact as a link": lambda p: (p.unlink(), p.symlink_to(copy / "elsewhere")),
            "artifact as a pipe": lambda p: (p.unlink(), os.mkfifo(p)),
            "artifact without end": lambda p: os.truncate(p, 2**42),
        }
        found = {}
        for i, (name, forge) in enumerate(forged.items(), start=2):
            candidate = measured[i].candidate
            forge(store.path(candidate))
            found[name] = _succeeds(lambda id=candidate: store.get(id))  # type: ignore[misc]
            found[f"{name}, read as a file"] = _succeeds(
                lambda id=candidate: store.read(id, Path.read_bytes)  # type: ignore[misc]
            )
        return found


def _spool(run: Path, oracle: Fake) -> dict[str, bool]:
    """Put a forged measurement of each waiting evaluation into the spool, and resume."""
    with _copy(run) as copy:
        waiting = [evaluation.id for evaluation in RunFolder.read(copy).state.pending]
        fingerprint, content = oracle.fingerprint(), _content(FORGED, oracle.fingerprint())
        with Ledger.open(copy, writable=False) as ledger:
            honest = Spool.of_run(copy, ledger.origin())
        honest.make()
        # A result that a worker of this user's own did write, but for something else.
        honest.write("a" * 32, fingerprint, content)
        honest.write("b" * 32, sha256("another oracle"), content)
        other = Spool.of_run(copy, sha256("another run"))

        def put(data: bytes) -> Callable[[str], object]:
            return lambda id: honest.path(id).write_bytes(data)

        forged: dict[str, Callable[[str], object]] = {
            "spooled without a seal": put(content),
            "spooled with a seal of zeros": put(b'{"seal":"' + b"0" * 64 + b'"}\n' + content),
            "spooled with a hash for a seal": put(
                b'{"seal":"' + sha256(content).encode() + b'"}\n' + content
            ),
            "spooled under a guessed key": lambda id: Spool(honest.folder, bytes(32)).write(
                id, fingerprint, content
            ),
            "spooled by another run": lambda id: other.write(id, fingerprint, content),
            "spooled for another evaluation": put(honest.path("a" * 32).read_bytes()),
            "spooled by another oracle": put(honest.path("b" * 32).read_bytes()),
            "spooled for another oracle": lambda id: honest.write(
                id, sha256("another oracle"), content
            ),
            "spooled with a foreign fingerprint inside": lambda id: honest.write(
                id, fingerprint, _content(FORGED, sha256("another oracle"))
            ),
            "spooled with a negative cost": lambda id: honest.write(
                id, fingerprint, _content(FORGED, fingerprint, core_hours=-1000.0)
            ),
            "spooled and nested without end": put(b"[" * 5_000_000),
        }
        ids = dict(zip(forged, waiting, strict=False))
        assert len(ids) == len(forged), "one evaluation for each"
        for name, forge in forged.items():
            forge(ids[name])
        # A spooled result that nobody forged is taken in: not everything is refused.
        honest.write(waiting[-1], fingerprint, _content(7.0, fingerprint))
        state = _go(copy, oracle)
        assert state.recorded[waiting[-1]].properties == {"bulk_modulus": 7.0}
        return {
            name: state.recorded[id].properties.get("bulk_modulus") == FORGED
            for name, id in ids.items()
        }


def _labels(folder: Path) -> dict[str, bool]:
    """Put forged labels into the cache, and ask for them."""
    cache, fingerprint = LabelCache(folder), sha256("fake")
    label = Measurement(Status.OK, {"bulk_modulus": FORGED}, None, None, "o", fingerprint, Cost(1))
    for name in ("edited", "renamed", "former"):
        cache.put(name, fingerprint, label, run="a")
    edited, former = cache.path("edited", fingerprint), cache.path("former", fingerprint)
    edited.write_bytes(edited.read_bytes().replace(b"12345.0", b"12346.0"))
    record = {
        "asked": "former",
        "fingerprint": fingerprint,
        "run": "a",
        "measurement": label.to_json(),
    }
    former.write_text(canonical_json(record | {"sha256": sha256(canonical_json(record))}))
    target = cache.path("target", fingerprint)
    target.parent.mkdir(exist_ok=True)
    shutil.copy(cache.path("renamed", fingerprint), target)
    cache.put("foreign", sha256("another"), label, run="a")
    cache.put("refund", fingerprint, replace(label, cost=Cost(1, money=-5.0)), run="a")
    found = {
        "label edited": cache.get("edited", fingerprint) is not None,
        "label with a hash for a seal": cache.get("former", fingerprint) is not None,
        "label renamed": cache.get("target", fingerprint) is not None,
        "label by another oracle": cache.get("foreign", sha256("another")) is not None,
        "label with a negative cost": cache.get("refund", fingerprint) is not None,
    }
    cache.put("good", fingerprint, label, run="a")
    folder.chmod(0o777)
    found["label in everybody's folder"] = LabelCache(folder).get("good", fingerprint) is not None
    return found


def _content(value: float, fingerprint: str, **cost: float) -> bytes:
    properties = {"bulk_modulus": value}
    spent = Cost(calls=1, wall_seconds=0.0, **cost)
    measurement = Measurement(Status.OK, properties, None, None, "fake", fingerprint, spent)
    return canonical_json(measurement.to_json()).encode()


if __name__ == "__main__":
    for forgery, is_believed in believed_forgeries().items():
        print(f"{'BELIEVED' if is_believed else 'refused':10}{forgery}")
