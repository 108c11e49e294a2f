"""Labels kept for the next campaign: what was measured once need not be measured again.

One JSON file per label, in a folder of the user's, under a name made of what was asked and of the
fingerprint of who answered. A file is written whole under a name of its own and then renamed, so
campaigns may share the folder; it carries a seal under the user's key, so what was damaged, or put
there by somebody else, is a miss. Nothing in it is executed. A folder that is somebody else's, or
that everybody may write to, is not used.
"""

import json
import logging
import os
import stat
from dataclasses import dataclass, replace
from pathlib import Path

from alloop.canonical import canonical_json, sha256
from alloop.durable import make_folder, write_durably
from alloop.errors import MaterialError, RunError
from alloop.loop.measure.spool import MOST_BYTES
from alloop.loop.record.own_files import NotOwn, read_own
from alloop.oracles.base import INFEASIBLE, Cost, Measurement
from alloop.user_key import seal, verify_seal

VARIABLE = "ALLOOP_CACHE"
"""Name of the environment variable with the cache's folder, or ``off``."""

_PURPOSE = "label"

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
        self._is_usable = _is_own(folder)

    def get(self, payload_id: str, fingerprint: str) -> Label | None:
        """Return the label of what was asked by the oracle of this fingerprint; None for a miss.

        Args:
            payload_id: the material's id, or ``alloop.loop.choose.augmentation.task_payload_id``.
            fingerprint: of the measurement that is wanted.
        """
        if not self._is_usable:
            return None
        path = self.path(payload_id, fingerprint)
        try:
            content = read_own(path, MOST_BYTES)
        except FileNotFoundError:
            return None
        except (OSError, NotOwn) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            _log.warning("%s: the label cannot be read (%s)", path, why)
            return None
        try:
            return _label(content, payload_id, fingerprint)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, MaterialError):
            _log.warning("%s: the label is damaged, or not this user's; it is measured again", path)
            return None

    def put(self, payload_id: str, fingerprint: str, measurement: Measurement, *, run: str) -> None:
        """Store a measurement, if it would come out the same again: one that gave values, or that
        the material itself made fail."""
        failure = measurement.failure
        if not (self._is_writable and self._is_usable):
            return
        if failure is not None and failure.kind not in INFEASIBLE:
            return
        if measurement.fingerprint != fingerprint or measurement.cost.problem is not None:
            _log.warning("a measurement by another oracle than was asked is no label of this one")
            return
        record = {
            "asked": payload_id,
            "fingerprint": fingerprint,
            "run": run,
            "measurement": measurement.to_json(),
        }
        path = self.path(payload_id, fingerprint)
        try:
            record["seal"] = seal(_PURPOSE, canonical_json(record).encode())
            make_folder(path.parent)
            write_durably(path, canonical_json(record).encode(), is_shared=True)
        except RunError as error:
            _log.warning("no labels are kept for other campaigns: %s", error)
            self._is_writable = False

    def withdraw(self, payload_id: str, fingerprint: str) -> bool:
        """Remove a label that is not believed any more; return whether there was one."""
        if not self._is_usable:
            return False
        path = self.path(payload_id, fingerprint)
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            _log.warning("%s: the label cannot be removed (%s)", path, error.strerror)
            return False
        return True

    def path(self, payload_id: str, fingerprint: str) -> Path:
        """Return the path of a label, which need not exist."""
        name = sha256(f"{payload_id} {fingerprint}")
        return self.folder / name[:2] / f"{name}.json"


def _is_own(folder: Path) -> bool:
    """Return whether a folder is absent, or this user's and not open to everybody; warn if not."""
    try:
        status = folder.stat()
    except OSError:
        return True  # absent, or reported when it is first used
    if status.st_uid != os.geteuid():
        _log.warning("%s: the labels are another user's and are not used", folder)
        return False
    if status.st_mode & stat.S_IWOTH:
        _log.warning("%s: everybody may write labels here; they are not used", folder)
        return False
    return True


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
    sealed = str(record.pop("seal"))
    if not verify_seal(sealed, _PURPOSE, canonical_json(record).encode()):
        raise ValueError("its content does not have its seal")
    measurement = Measurement.from_json(record["measurement"])
    if (record["asked"], record["fingerprint"]) != (payload_id, fingerprint):
        raise ValueError("it is the label of something else")
    if measurement.fingerprint != fingerprint:
        raise ValueError("it was measured by another oracle")
    paid = replace(measurement, cost=Cost())
    return Label(paid, measurement.cost, str(record["run"]))
