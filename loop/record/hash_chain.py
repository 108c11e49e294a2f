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
        f'"seq":{canonical_json(seq)},"time":{canonical_json(time)}}}'
    )
    # Bytes that are no UTF-8 were read as lone surrogates and go back to what they were.
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
