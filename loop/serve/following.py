"""A run that is read again and again: what was read and verified is not read twice."""

import gc
from dataclasses import dataclass
from pathlib import Path

from alloop.errors import RunError
from alloop.loop.record.hash_chain import ChainCheck
from alloop.loop.record.ledger import Ledger
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.folding.fold import Fold


@dataclass(frozen=True)
class Witness:
    """What was last seen of a ledger, to tell whether it is still the same one."""

    seq: int
    head: str
    """Hash of entry ``seq``."""
    origin: str
    """Hash of the first entry, which no other run has."""


class FollowedRun:
    """Incremental reader of a run's ledger. Writes nothing and keeps no file open between reads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notice = ""
        """A sentence about what happened to the run since it was first read; empty if nothing."""
        self._witness: Witness | None = None
        self._begin()

    def _begin(self) -> None:
        self._fold, self._chain = Fold(), ChainCheck()

    def read(self) -> tuple[CampaignState, str]:
        """Return the run's state and head, of all events up to now.

        A ledger that no longer holds the last entry that was seen is another one, or was
        rewritten: it is read from its beginning, and ``notice`` says so from then on.

        Raises:
            AlloopError: if it cannot be read; it may be tried again.
        """
        try:
            with Ledger.open(self.path, writable=False) as ledger:
                origin = ledger.origin()
                if (seen := self._witness) is not None and not ledger.holds(seen.seq, seen.head):
                    self.notice = _notice(seen, origin)
                    self._begin()
                for entry in ledger.entries(self._chain):
                    self._fold.add(entry)
            state = self._fold.state()
        except BaseException:
            self._begin()  # the chain may be ahead of the fold
            raise
        if state is None:
            raise RunError("no campaign has begun here", where=str(self.path))
        self._witness = Witness(self._chain.seq, self._chain.head, origin)
        return state, self._chain.head

    def rest(self) -> None:
        """Let go of the events, which take memory; the next reading begins with the first."""
        self._begin()
        gc.collect()


def _notice(seen: Witness, origin: str) -> str:
    if origin != seen.origin:
        return (
            "This folder holds another campaign than before: "
            "the run was replaced while it was served."
        )
    return (
        f"Entry {seen.seq} of the ledger, which was shown here before with the hash "
        f"{seen.head[:12]}…, is no longer in it: the ledger was cut or rewritten while it was "
        f"served. `alloop verify RUN --head {seen.head}` says more."
    )
