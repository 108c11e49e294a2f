"""The hash chain: each entry carries the hash of the one before it."""

import hashlib
from typing import NamedTuple

from alloop.canonical import canonical_json

START = "0" * 64
"""Previous hash of the first entry."""


class StoredRow(NamedTuple):
    """Entry exactly as it is stored."""

    seq: int
    time: str
    event: str
    """Canonical JSON, letter by letter what was hashed."""
    previous: str
    hash: str


def entry_hash(seq: int, time: str, event: str, previous: str) -> str:
    """Return the SHA-256 of ``canonical_json({"event", "previous", "seq", "time"})``.

    Args:
        event: the event's canonical JSON; it enters as the text it is, so that a ledger is
            verified without reading events into this version's records.
    """
    text = (
        f'{{"event":{event},"previous":{canonical_json(previous)},'
        f'"seq":{seq},"time":{canonical_json(time)}}}'
    )
    # Bytes that are no UTF-8 were read as lone surrogates and go back to what they were.
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


class BrokenChain(Exception):
    """Raised for the first row that is not what was recorded, or is not there."""

    def __init__(self, seq: int, problem: str) -> None:
        self.seq = seq
        """Sequence number of the first bad event."""
        self.problem = problem
        """Problem in a few words, for people."""
        super().__init__(f"event {seq}: {problem}")


class ChainCheck:
    """Check of a ledger's rows in order; it stands at the last one that held."""

    def __init__(self) -> None:
        self.seq = 0
        """Sequence number of the last row."""
        self.head = START
        """Hash of the last row."""

    def add(self, row: StoredRow) -> None:
        """Take in the next row.

        Raises:
            BrokenChain: if it is not the one that was recorded next.
        """
        expected = self.seq + 1
        if row.seq != expected:
            where = f"it is missing or out of place (found {row.seq})"
            raise BrokenChain(min(row.seq, expected), where)
        if row.previous != self.head:
            raise BrokenChain(row.seq, "it does not follow the entry before it")
        if entry_hash(row.seq, row.time, row.event, row.previous) != row.hash:
            raise BrokenChain(row.seq, "its content does not have its hash: it was changed")
        self.seq, self.head = row.seq, row.hash
