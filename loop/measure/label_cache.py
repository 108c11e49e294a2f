"""Labels kept for the next campaign: what was measured once need not be measured again.

One JSON file per label, in a folder of the user's, under a name made of what was asked and of the
fingerprint of who answered. A file is written whole under a name of its own and then renamed, so
campaigns may share the folder; it carries its own hash, so what was damaged is a miss. Nothing in
it is executed.
"""

import json
import logging
import os
from dataclasses import dataclass, replace
from pathlib import Path

from alloop.canonical import canonical_json, sha256
from alloop.durable import make_folder, write_durably
from alloop.errors import MaterialError, RunError
from alloop.oracles.base import INFEASIBLE, Cost, Measurement

VARIABLE = "ALLOOP_CACHE"
"""Name of the environment variable with the cache's folder, or ``off``."""

_log = logging.getLogger("alloop")


@dataclass(frozen=True)
class Label:
    """Cached measurement of an earlier campaign."""

    measurement: Measurement
    """Measurement without its cost, which was paid then."""
    cost: Cost
    """Cost that was paid for it."""
    run: str
    """Run directory that it was made in."""


class LabelCache:
    """Cache of labels by task payload and oracle fingerprint.

    A folder that cannot be read or written costs a warning and no campaign.

    Args:
        folder: made at the first label if absent.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._is_writable = True

    def get(self, payload_id: str, fingerprint: str) -> Label | None:
        """Return the label of what was asked by the oracle of this fingerprint; None for a miss.

        Args:
            payload_id: the material's id, or ``alloop.loop.choose.augmentation.task_payload_id``.
            fingerprint: of the measurement that is wanted.
        """
        path = self.path(payload_id, fingerprint)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            _log.warning("%s: the label cannot be read (%s)", path, error.strerror)
            return None
        try:
            return _label(content, payload_id, fingerprint)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, MaterialError):
            _log.warning("%s: the label is damaged; it is measured again", path)
            return None

    def put(self, payload_id: str, fingerprint: str, measurement: Measurement, *, run: str) -> None:
        """Store a measurement, if it would come out the same again: one that gave values, or that
        the material itself made fail."""
        failure = measurement.failure
        if not self._is_writable or (failure is not None and failure.kind not in INFEASIBLE):
            return
        record = {
            "asked": payload_id,
            "fingerprint": fingerprint,
            "run": run,
            "measurement": measurement.to_json(),
        }
        record["sha256"] = sha256(canonical_json(record))
        path = self.path(payload_id, fingerprint)
        try:
            make_folder(path.parent)
            write_durably(path, canonical_json(record).encode(), is_shared=True)
        except RunError as error:
            _log.warning("no labels are kept for other campaigns: %s", error)
            self._is_writable = False

    def path(self, payload_id: str, fingerprint: str) -> Path:
        """Return the path of a label, which need not exist."""
        name = sha256(f"{payload_id} {fingerprint}")
        return self.folder / name[:2] / f"{name}.json"


def label_cache(option: bool | Path) -> LabelCache | None:
    """Return the cache that a spec's ``cache`` key names; None for none.

    ``true`` means the folder that ``ALLOOP_CACHE`` names, or none if that is ``off``; without it,
    the user's own.
    """
    if isinstance(option, Path):
        return LabelCache(option)
    named = os.environ.get(VARIABLE, "")
    if not option or named == "off":
        return None
    if named:
        return LabelCache(Path(named).absolute())
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return LabelCache(Path(home) / "alloop" / "labels")


def _label(content: bytes, payload_id: str, fingerprint: str) -> Label:
    """Return the label in a file.

    Raises:
        ValueError, KeyError, TypeError, AttributeError, RecursionError, MaterialError: if it is
            not whole, or another's.
    """
    record = json.loads(content)
    hash = record.pop("sha256")
    if hash != sha256(canonical_json(record)):
        raise ValueError("its content does not have its hash")
    measurement = Measurement.from_json(record["measurement"])
    if (record["asked"], record["fingerprint"]) != (payload_id, fingerprint):
        raise ValueError("it is the label of something else")
    if measurement.fingerprint != fingerprint:
        raise ValueError("it was measured by another oracle")
    paid = replace(measurement, cost=Cost())
    return Label(paid, measurement.cost, str(record["run"]))
