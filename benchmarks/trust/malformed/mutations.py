"""Valid files made invalid: random changes of bytes, of words and lines, and of trees of values."""

import copy
import json
import random
from collections.abc import Callable, Sequence
from typing import Any

_NUMBERS = (
    "0 -0 -1 1e308 -1e308 1e-320 nan NaN inf -inf 1e400 99999999999999999999 0x10 1_0 ٣ 1,5",
    "300000000 -2147483649 .5. 1e 00 3.52(3) 1e5000",
)
NUMBERS = tuple(" ".join(_NUMBERS).split())
"""Words in the place of numbers."""

WORDS = (
    "",
    "null",
    "~",
    "true",
    "No",
    "[]",
    "{}",
    "[[[[",
    "&a [*a]",
    "*a",
    "!!int x",
    "!!python/object:os.system",
    "<<: 1",
    "2026-02-30",
    "../../etc/passwd",
    "/dev/zero",
    "=cmd()",
    "\x1b[31m",
    "\u202e",
    "\ud800",
    "\x00",
    "\ufeff",
    "é",
    "'",
    '"',
    ";",
    "#",
    "data_",
    "loop_",
    "?",
    ".",
    "Xx",
    "D",
    "He",
    "Og",
    "9" * 500,
    "a" * 2000,
    ":",
    "\t",
    "\r",
    "\u2028",
)
"""Words in the place of others."""

VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    10**30,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "\ud800",
    "nan",
    "x" * 300,
    [],
    {},
    [[[[]]]],
    {"kind": "lammps"},
    "Og",
    "../x",
)
"""Values in the place of others."""


def mutated_text(text: str, rng: random.Random) -> str:
    """Return a text after one to four changes of words, lines and characters."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        text = rng.choice(_TEXT_CHANGES)(text, rng)
    return text


def mutated_bytes(content: bytes, rng: random.Random) -> bytes:
    """Return bytes after one to four changes: other values, cuts, copies."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        begin, end = _slice(len(content), rng)
        match rng.randrange(4):
            case 0:
                content = (
                    content[:begin] + rng.randbytes(rng.choice((1, 2, 8))) + content[begin + 1 :]
                )
            case 1:
                content = content[:begin] + content[end:]
            case 2:
                content = content[:end] + content[begin:]
            case _:
                content = content[:end]
    return content


def mutated_tree(value: Any, rng: random.Random) -> Any:
    """Return a copy of nested mappings and lists after one or two changes of values and keys."""
    tree = json.loads(json.dumps(value))
    for _ in range(rng.choice((1, 1, 2))):
        places = list(_places(tree))
        if not places:
            return tree
        holder, key = rng.choice(places)
        match rng.randrange(5):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[rng.choice((*WORDS, f"{key}x"))] = copy.deepcopy(holder[key])
            case 1:
                holder.insert(rng.randrange(len(holder) + 1), copy.deepcopy(rng.choice(VALUES)))
            case 2:
                holder[key] = [copy.deepcopy(holder[key]) for _ in range(rng.choice((1, 2, 50)))]
            case _:
                holder[key] = _other(holder[key], rng)
    return tree


def _other(value: Any, rng: random.Random) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool) and rng.random() < 0.7:
        return rng.choice((value + 1, -value, value * 1e9, value / 3, str(value), float("nan"), 0))
    return copy.deepcopy(rng.choice(VALUES))


def _places(tree: Any) -> Any:
    keys: Sequence[Any] = list(tree) if isinstance(tree, dict) else range(len(tree))
    for key in keys:
        yield tree, key
        if isinstance(tree[key], dict | list):
            yield from _places(tree[key])


def _slice(length: int, rng: random.Random) -> tuple[int, int]:
    begin = rng.randrange(length + 1)
    return begin, min(length, begin + rng.choice((1, 3, 20, 300)))


def _other_number(text: str, rng: random.Random) -> str:
    words = text.split(" ")
    places = [i for i, word in enumerate(words) if any(c.isdecimal() for c in word)]
    if places:
        words[rng.choice(places)] = rng.choice(NUMBERS)
    return " ".join(words)


def _other_word(text: str, rng: random.Random) -> str:
    words = text.split(" ")
    words[rng.randrange(len(words))] = rng.choice(WORDS)
    return " ".join(words)


def _other_line(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    place = rng.randrange(len(lines))
    match rng.randrange(4):
        case 0:
            del lines[place]
        case 1:
            lines[place:place] = [lines[place]] * rng.choice((1, 1, 30))
        case 2:
            lines.insert(rng.randrange(len(lines) + 1), lines.pop(place))
        case _:
            lines[place] = rng.choice((*WORDS, *NUMBERS))
    return "\n".join(lines)


def _inserted(text: str, rng: random.Random) -> str:
    place = rng.randrange(len(text) + 1)
    return text[:place] + rng.choice((*WORDS, *NUMBERS)) + text[place:]


def _cut(text: str, rng: random.Random) -> str:
    begin, end = _slice(len(text), rng)
    return text[:begin] + text[end:]


def _copied(text: str, rng: random.Random) -> str:
    begin, end = _slice(len(text), rng)
    return text[:end] + text[begin:]


def _other_ends(text: str, rng: random.Random) -> str:
    return text.replace("\n", rng.choice(("\r\n", "\r", "\n\n", "\u2028", " ")))


_TEXT_CHANGES: tuple[Callable[[str, random.Random], str], ...] = (
    _other_number,
    _other_number,
    _other_word,
    _other_line,
    _inserted,
    _cut,
    _copied,
    _other_ends,
)
