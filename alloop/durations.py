"""Lengths of time as people write them: 90 s, 5 min, 2 h, 1 d."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_DURATION = re.compile(r"^\s*\d+(\.\d+)?\s*(s|sec|min|h|d)\s*$")
_SECONDS = {"s": 1, "sec": 1, "min": 60, "h": 3600, "d": 86400}


def _duration(value: Any) -> Any:
    if isinstance(value, timedelta) or value is None:
        return value
    if isinstance(value, str) and (match := _DURATION.match(value)):
        return timedelta(seconds=float(value[: match.start(2)]) * _SECONDS[match[2]])
    raise ValueError(f"{value!r} is not a length of time; write it like 90 s, 5 min, 2 h or 1 d")


def _in_seconds(length: timedelta) -> str:
    # Without an exponent, which is not read back: a million seconds are twelve days.
    return f"{length.total_seconds():.6f}".rstrip("0").rstrip(".") + " s"


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(_in_seconds, return_type=str),
    WithJsonSchema(
        {"type": "string", "pattern": _DURATION.pattern, "examples": ["90 s", "5 min", "2 h"]}
    ),
]
"""Duration in a spec; written back in seconds."""
