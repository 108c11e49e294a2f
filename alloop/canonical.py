"""One spelling for every JSON value, so that equal contents have equal hashes."""

import hashlib
import json
from typing import Any

# One encoder for all: `json.dumps` would make one at each call, longer than a short text takes.
_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


def canonical_json(value: Any) -> str:
    """Return JSON with sorted keys and no spaces; NaN and infinity are refused.

    Raises:
        ValueError: if a float is not finite.
    """
    return _ENCODER.encode(value)


def sha256(content: str | bytes) -> str:
    """Return the hexadecimal SHA-256 of text (as UTF-8) or bytes."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()
