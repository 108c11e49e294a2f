"""The filter of decisions: a small language for the page's table and `alloop audit --filter`.

    chosen                            a yes or no: rows of which it is true
    bulk_modulus > 193                a number (also 190 <= bulk_modulus < 200, and Cr > 50%)
    lattice = fcc, reason ~ "twice"   a text that is this one, or has this in it
    duplicate                         anything else: text that any of the row's texts holds
    not chosen and (Cr > 0.5 or fcc)  words side by side mean `and`

What is missing passes no comparison, neither ``=`` nor ``!=``. Text is compared without regard
to case; an id by its beginning. ``scripts/filter.js`` is the same language in the page; a test
holds both against each other.
"""

import difflib
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from alloop.errors import AlloopError

Value = float | str | bool | None
Row = Mapping[str, Value]
Test = Callable[[Row], bool]
"""Says whether a row passes."""

LONGEST = 1000
"""Most characters of a filter."""
DEEPEST = 40
"""Most brackets and negations inside one another."""
_TOKEN = re.compile(
    r"[ \t\r\n\u00a0]*(?:(?P<sign><=|>=|==|!=|<|>|=|~)|(?P<bracket>[()])"
    r"|\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<word>[^ \t\r\n\u00a0()<>=!~\"']+))"
)
_NUMBER = re.compile(r"([-+\u2212]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)(%?)")
_KEYWORDS = ("and", "or", "not")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
}
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


class Kind(StrEnum):
    """What a column holds, and so how it is compared."""

    NUMBER = "number"
    TEXT = "text"
    ID = "id"
    FLAG = "flag"


class FilterError(AlloopError):
    """A filter that cannot be read, or that compares what cannot be compared."""

    def __init__(self, what: str, text: str, remedy: str = "") -> None:
        super().__init__(what, where=f"filter '{text[:60]}'", remedy=remedy)


@dataclass(frozen=True)
class _Token:
    text: str
    is_sign: bool = False
    is_bracket: bool = False
    is_quoted: bool = False

    @property
    def keyword(self) -> str:
        """The keyword that it is; empty for anything else."""
        word = self.text.lower()
        plain = not (self.is_quoted or self.is_sign or self.is_bracket)
        return word if plain and word in _KEYWORDS else ""


def compile_filter(text: str, kinds: Mapping[str, Kind]) -> Test:
    """Return what tells whether a row passes a filter; an empty one lets all pass.

    Args:
        text: the filter.
        kinds: kind of each column, by name.

    Raises:
        FilterError: if it cannot be read, names no column, or compares what cannot be compared.
    """
    if len(text) > LONGEST:
        raise FilterError(f"{len(text)} characters, of which {LONGEST} are read", text)
    return _Parser(text, kinds).whole()


class _Parser:
    """Recursive descent over the tokens; makes the test as it goes."""

    def __init__(self, text: str, kinds: Mapping[str, Kind]) -> None:
        self._text, self._kinds = text, kinds
        self._tokens = self._split()
        self._at, self._depth = 0, 0

    def whole(self) -> Test:
        if not self._tokens:
            return lambda row: True
        test = self._any()
        if self._next is not None:
            raise self._error(f"nothing opened what ')' closes, at '{self._next.text}'")
        return test

    def _split(self) -> list[_Token]:
        tokens, at = [], 0
        end = len(self._text.rstrip(" \t\r\n\u00a0"))
        while at < end:
            found = _TOKEN.match(self._text, at)
            if found is None:
                raise self._error(f"cannot be read from '{self._text[at:].strip()[:20]}' on")
            at = found.end()
            kind = str(found.lastgroup)
            tokens.append(
                _Token(
                    found[kind],
                    kind == "sign",
                    kind == "bracket",
                    kind in ("double", "single"),
                )
            )
        return tokens

    @property
    def _next(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _take(self, keyword: str = "", bracket: str = "") -> bool:
        """Step over the next token if it is this keyword or bracket."""
        token = self._next
        if token is None:
            return False
        if (keyword and token.keyword == keyword) or (
            bracket and token.is_bracket and token.text == bracket
        ):
            self._at += 1
            return True
        return False

    def _any(self) -> Test:
        tests = [self._all()]
        while self._take(keyword="or"):
            tests.append(self._all())
        return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._take(keyword="and") or self._goes_on():
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)

    def _goes_on(self) -> bool:
        token = self._next
        ends = token is None or token.keyword == "or" or (token.is_bracket and token.text == ")")
        return not ends

    def _one(self) -> Test:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._error(f"more than {DEEPEST} brackets and negations inside one another")
        try:
            if self._take(keyword="not"):
                inner = self._one()
                return lambda row: not inner(row)
            if self._take(bracket="("):
                within = self._any()
                if not self._take(bracket=")"):
                    raise self._error("a bracket is not closed")
                return within
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> Test:
        operands, signs = [self._operand()], []
        while (token := self._next) is not None and token.is_sign:
            self._at += 1
            signs.append(token.text)
            operands.append(self._operand())
        if not signs:
            return self._alone(operands[0])
        tests = [
            self._pair(left, sign, right)
            for left, sign, right in zip(operands, signs, operands[1:], strict=False)
        ]
        return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)

    def _operand(self) -> _Token:
        token = self._next
        if token is None or token.is_sign or token.is_bracket or token.keyword:
            found = "the end" if token is None else f"'{token.text}'"
            raise self._error(f"a name, a number or a text is missing before {found}")
        self._at += 1
        return token

    def _alone(self, token: _Token) -> Test:
        if self._kind(token) is Kind.FLAG:
            return lambda row: row.get(token.text) is True
        wanted = token.text.lower()
        texts = [name for name, kind in self._kinds.items() if kind in (Kind.TEXT, Kind.ID)]

        def holds(row: Row) -> bool:
            return any(
                isinstance(text := row.get(n), str) and wanted in text.lower() for n in texts
            )

        return holds

    def _pair(self, left: _Token, sign: str, right: _Token) -> Test:
        first, second = self._kind(left), self._kind(right)
        if first is None and second is None:
            close = difflib.get_close_matches(left.text, self._kinds, n=1)
            hint = f"Did you mean {close[0]}? " if close else ""
            raise self._error(f"there is no '{left.text}'", f"{hint}{self._names()}")
        if first is Kind.FLAG:
            raise self._error(
                f"{left.text} is a yes or no", f"Write '{left.text}' or 'not {left.text}'."
            )
        if first is None:
            return self._pair(right, _FLIPPED.get(sign, sign), left)
        if first is Kind.NUMBER:
            return self._numbers(left, sign, right)
        return self._texts(left, sign, right, is_id=first is Kind.ID)

    def _numbers(self, left: _Token, sign: str, right: _Token) -> Test:
        name = left.text
        if sign == "~":
            raise self._error(f"{name} is a number, and ~ looks for text", "Use < <= > >= = !=.")
        compare = _COMPARE[sign]
        if self._kind(right) is Kind.NUMBER:
            other = right.text
            return lambda row: _both(row.get(name), row.get(other), compare)
        number = None if right.is_quoted else number_in(right.text)
        if number is None:
            raise self._error(f"{name} is a number, and '{right.text}' is none")
        return lambda row: _both(row.get(name), number, compare)

    def _texts(self, left: _Token, sign: str, right: _Token, *, is_id: bool) -> Test:
        name, wanted = left.text, right.text.lower()
        if sign not in ("=", "==", "!=", "~"):
            raise self._error(f"{name} is text, which is not less or more", "Use = != ~.")
        has_other = self._kind(right) in (Kind.TEXT, Kind.ID)
        other = right.text

        def passes(row: Row) -> bool:
            value = row.get(name)
            against = row.get(other) if has_other else wanted
            if not isinstance(value, str) or not isinstance(against, str):
                return False
            value, against = value.lower(), against.lower()
            if sign == "~":
                return against in value
            same = value.startswith(against) if is_id else value == against
            return same is not (sign == "!=")

        return passes

    def _kind(self, token: _Token) -> Kind | None:
        return None if token.is_quoted else self._kinds.get(token.text)

    def _names(self) -> str:
        return f"There are: {', '.join(self._kinds)}."

    def _error(self, what: str, remedy: str = "") -> FilterError:
        return FilterError(what, self._text, remedy)


def number_in(text: str) -> float | None:
    """Return the number that a word is, of ``50%`` 0.5; None for any other word."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    value = float(found[1].replace("\u2212", "-"))
    return value / 100 if found[2] else value


def _both(left: Value, right: Value, compare: Callable[[float, float], bool]) -> bool:
    if isinstance(left, bool | str) or isinstance(right, bool | str):
        return False
    if left is None or right is None or math.isnan(left) or math.isnan(right):
        return False
    return compare(left, right)


def passing(rows: Sequence[Row], text: str, kinds: Mapping[str, Kind]) -> list[int]:
    """Return the places of the rows that pass a filter.

    Raises:
        FilterError: as ``compile_filter``.
    """
    test = compile_filter(text, kinds)
    return [i for i, row in enumerate(rows) if test(row)]
