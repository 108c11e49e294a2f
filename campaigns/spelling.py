"""American spellings, read as the British ones that specs are written in."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

BRITISH: Mapping[str, str] = MappingProxyType(
    {
        "maximize": "maximise",
        "minimize": "minimise",
        "neighbors": "neighbours",
        "unlabeled": "unlabelled",
    }
)
"""British spellings of goals and keys, by the American ones."""

VALUES = ("goal",)
"""Keys whose value may be such a word; other values are data, and stay as they are."""


def british(data: Any) -> Any:
    """Return plain values as read from YAML, their keys and goals in British spelling.

    Where a mapping has a key in both spellings, the American one stays, to be refused by name.
    """
    return _read(data, {})


def _read(data: Any, done: dict[int, Any]) -> Any:
    # YAML's aliases put one object in many places, even into itself: each is read once.
    if id(data) in done:
        return done[id(data)]
    if isinstance(data, list):
        items = done[id(data)] = []
        items.extend(_read(value, done) for value in data)
        return items
    if not isinstance(data, dict):
        return data
    read: dict[Any, Any] = {}
    done[id(data)] = read
    for key, value in data.items():
        other = british_word(key)
        name = key if other != key and other in data else other
        read[name] = british_word(value) if name in VALUES else _read(value, done)
    return read


def british_word(word: Any) -> Any:
    """Return the British spelling of a word that has one, and anything else as it is."""
    return BRITISH.get(word, word) if isinstance(word, str) else word
