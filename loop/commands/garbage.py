"""How often Python looks for garbage: seldom while a command starts, as usual while it computes."""

import gc

USUAL = gc.get_threshold()
"""Python's own thresholds: new objects of the first, second and third generation."""

SELDOM = 50_000
"""New objects after which a command that starts looks for garbage. An import makes many objects
that all stay, and looking through them again and again took a fifth of `alloop status`."""


def collect_seldom() -> None:
    """Look for garbage seldom, until ``collect_as_usual``."""
    gc.set_threshold(SELDOM, *USUAL[1:])


def collect_as_usual() -> None:
    """Look for garbage as often as Python does by itself."""
    gc.set_threshold(*USUAL)
