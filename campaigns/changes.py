"""Changes of a spec while its campaign runs: what differs, and what may."""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from shlex import quote
from typing import Any

from alloop.campaigns.spec import CampaignSpec

NOTHING = "nothing"
"""Word for a value that is not there."""


def set_value(data: dict[str, Any], path: str, value: Any) -> None:
    """Set a value in nested mappings and lists, in place.

    Args:
        data: a spec as plain values.
        path: of its key, with a list's items by number: ``tiers.0.promote``.
        value: plain.

    Raises:
        LookupError: if there is no such place.
    """
    *parents, last = path.split(".")
    node: Any = data
    try:
        for part in parents:
            node = node[int(part)] if isinstance(node, list) else node.setdefault(part, {})
        node[int(last) if isinstance(node, list) else last] = value
    except (IndexError, ValueError, TypeError, AttributeError) as error:
        raise LookupError(path) from error


def changed_spec(spec: CampaignSpec, changes: Mapping[str, Any]) -> CampaignSpec:
    """Return a spec with other values by key path, checked as a whole.

    Raises:
        LookupError: if a path leads nowhere.
        ValidationError: if the values do not make a spec.
    """
    data = spec.model_dump(mode="json")
    for path, value in changes.items():
        set_value(data, path, deepcopy(value))
    return CampaignSpec.model_validate(data)


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return old and new value of each key path by which one spec becomes the other.

    Args:
        old: full form of a spec, plain values.
        new: likewise.
    """
    return dict(_differences(old, new, ""))


def _differences(old: Any, new: Any, path: str) -> Iterator[tuple[str, tuple[Any, Any]]]:
    if old == new:
        return
    match old, new:
        case dict(), dict() if path == "" or (old and set(old) <= set(new)):
            pairs = {str(key): (old.get(key, NOTHING), new[key]) for key in new}
        case list(), list() if old and len(old) == len(new):
            pairs = {str(place): pair for place, pair in enumerate(zip(old, new, strict=True))}
        case _:
            yield path, (old, new)
            return
    for key, (one, other) in pairs.items():
        yield from _differences(one, other, f"{path}.{key}" if path else key)


def describe_differences(changes: Mapping[str, tuple[Any, Any]]) -> str:
    """Return changes in one line: ``budget.rounds: 6, now 8``."""
    return "; ".join(
        f"{path}: {described(old)}, now {described(new)}" for path, (old, new) in changes.items()
    )


def described(value: Any) -> str:
    """Return a plain value as people write it in YAML, in one line."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def change_command(run: str, changes: Mapping[str, tuple[Any, Any]]) -> str:
    """Return the command by which a run is changed, for a shell."""
    settings = " ".join(
        f"--set {quote(f'{path}={json.dumps(new, ensure_ascii=False)}')}"
        for path, (_, new) in changes.items()
    )
    return f'alloop change {quote(run)} {settings} --why "…"'


def lost_meaning(old: CampaignSpec, new: CampaignSpec) -> str | None:
    """Return why a campaign cannot go on from one spec to another, in a sentence that begins with
    the key; None where it can, as far as the specs tell.

    Whether its oracles would still measure the same is for their fingerprints to say.
    """
    return next(_lost(old, new), None)


def _lost(old: CampaignSpec, new: CampaignSpec) -> Iterator[str]:
    if new.name != old.name:
        yield "name: it stays with a run"
    if new.seed != old.seed:
        yield "seed: the random draws made so far belong to the one that it began with"
    yield from _lost_in_space(old, new)
    for name, own in old.properties.items():
        if (other := new.properties.get(name)) is not None and other.unit != own.unit:
            yield (
                f"properties.{name}.unit: the values so far are in {own.unit}, and would be read "
                f"as {other.unit}"
            )
    if new.model != old.model:
        yield "model: each round's model continues that of the round before"
    if len(new.tiers) != len(old.tiers):
        yield (
            f"tiers: there are {len(old.tiers)}, and what is measured and paid is counted by "
            "their numbers"
        )
        return
    for place, (before, after) in enumerate(zip(old.tiers, new.tiers, strict=True)):
        if after.kind != before.kind:
            yield f"tiers.{place}.kind: labels of {before.kind} are no labels of {after.kind}"


def _lost_in_space(old: CampaignSpec, new: CampaignSpec) -> Iterator[str]:
    if new.space.kind != old.space.kind:
        yield f"space.kind: labels are of {old.space.kind}, which are no {new.space.kind}"
        return
    before, after = old.space.model_dump(), new.space.model_dump()
    for key, value in before.items():
        if key in old.space.bounds_keys or after[key] == value:
            continue
        if key not in old.space.extensible_keys:
            yield f"space.{key}: what was measured is of {value}, and the models know nothing else"
        elif missing := [str(each) for each in value if each not in after[key]]:
            yield (
                f"space.{key}: {', '.join(missing)} is in what was measured already; more may be "
                "added, none taken away"
                + (" (bound its fraction instead)" if key == "elements" else "")
            )
