"""Where a calculation runs that an oracle has given to another program, for `alloop jobs`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str], None]
"""Is told in a few words where the calculation under way runs."""

_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


def runs_at(where: str) -> None:
    """Say where the calculation under way runs: ``jobflow-remote flow 1b4e28ba``. Nothing happens
    where nobody listens."""
    if (listener := _LISTENER.get()) is not None:
        listener(where)


@contextmanager
def told_to(listener: Listener) -> Iterator[None]:
    """Have a listener told of whatever begins meanwhile."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)
