"""Which fields of the events hold keys of artifacts: those whose type is ``ArtifactId``.

Derived from the events' annotations, so that a new event, or a new field of one, is verified
without being listed anywhere.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from alloop.loop.record.events import Event
from alloop.loop.record.records import InStore

_KEY = "an artifact's key"
_EACH = "each item"
_Shape = str | Mapping[str, Any] | tuple[str, Any] | None
"""``_KEY``; fields by name with the shape of each; ``(_EACH, shape)`` of a sequence's items or a
mapping's values; None where there is no key in it."""


def artifact_keys(event: Any) -> Iterator[str]:
    """Yield the keys that an event names.

    Args:
        event: its JSON, as in the ledger; of an unknown kind, or none at all, it names none.
    """
    if isinstance(event, dict):
        yield from _keys_in(event, _shapes().get(str(event.get("kind"))))


@lru_cache(maxsize=1)
def _shapes() -> Mapping[str, _Shape]:
    """Return the shape of each kind of event."""
    union, *_ = get_args(Event)
    return {model.model_fields["kind"].default: _shape(model) for model in get_args(union)}


def _shape(annotation: Any) -> _Shape:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner, *metadata = arguments
        return _KEY if any(isinstance(mark, InStore) for mark in metadata) else _shape(inner)
    if origin in (Union, UnionType):
        found = [shape for each in arguments if (shape := _shape(each)) is not None]
        if len(found) > 1:
            raise TypeError(f"{annotation} names artifacts in more than one way")
        return found[0] if found else None
    if origin in (tuple, list, dict):
        of_items = [each for each in arguments if each not in (..., NoneType)]
        shape = _shape(of_items[-1]) if of_items else None
        return None if shape is None else (_EACH, shape)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        hints = get_type_hints(annotation, include_extras=True)
        shapes = {name: _shape(hints[name]) for name in annotation.model_fields}
        return {name: shape for name, shape in shapes.items() if shape is not None} or None
    return None


def _keys_in(value: Any, shape: _Shape) -> Iterator[str]:
    match shape, value:
        case (str(), str(key)):
            yield key
        case ((_, inner), dict(items)):
            for item in items.values():
                yield from _keys_in(item, inner)
        case ((_, inner), list(items)):
            for item in items:
                yield from _keys_in(item, inner)
        case (dict(fields), dict(items)):
            for name, inner in fields.items():
                yield from _keys_in(items.get(name), inner)
