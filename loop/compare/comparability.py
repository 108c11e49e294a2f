"""Whether runs can be compared: the same question, answered by the same oracle."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from alloop.campaigns.objectives import Constraint, Objective
from alloop.errors import RunError
from alloop.loop.compare.runs import Run
from alloop.loop.opening import leaves
from alloop.oracles.options import SCHEDULING

ALLOW = "--allow-differences"
SHOWN = 3
"""Number of runs that are named for each answer, before the rest are counted."""
FINGERPRINT_DIGITS = 10
MISSING = object()
"""Value of a key that a record lacks."""


def common_objectives(runs: Sequence[Run]) -> tuple[Objective, ...]:
    """Return the objectives that every run has, as the first run has them; weights may differ,
    since they are a way to search.

    Raises:
        RunError: if there is none.
    """
    first, *others = runs
    found = tuple(
        objective
        for objective in first.spec.objectives
        if all(_aim(objective) in map(_aim, run.spec.objectives) for run in others)
    )
    if not found:
        said = _difference(
            "objectives", runs, lambda run: _all_of(map(_objective, run.spec.objectives))
        )
        raise RunError(
            f"the runs have no common objective: {said}",
            remedy="Compare runs that share a property with its goal.",
        )
    return found


def differences(runs: Sequence[Run]) -> tuple[str, ...]:
    """Return in words what differs between runs and should not: objectives, space, constraints,
    and the settings of the first tier that change its values.
    """
    fingerprints = {run.state.fingerprints[0] for run in runs}
    found = [
        _difference("objectives", runs, lambda run: _all_of(map(_objective, run.spec.objectives))),
        _difference("constraints", runs, lambda run: _all_of(map(_bounds, run.spec.constraints))),
        _difference("the space", runs, _space_words(runs)),
        _difference("the first tier", runs, _tier_words(runs)) if len(fingerprints) > 1 else "",
    ]
    return tuple(each for each in found if each)


def require_comparable(runs: Sequence[Run], *, allow_differences: bool) -> tuple[str, ...]:
    """Return what differs and is put up with.

    Raises:
        RunError: if anything differs, and that was not allowed.
    """
    found = differences(runs)
    if found and not allow_differences:
        raise RunError(
            f"the runs are not comparable: {'; '.join(found)}",
            remedy=f"Leave out the runs that differ; or compare all the same with {ALLOW}, which "
            "says so in every output.",
        )
    return found


def _difference(what: str, runs: Sequence[Run], words: Callable[[Run], str]) -> str:
    """Return who has what, where runs do not agree; empty where they do."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(words(run), []).append(run)
    if len(groups) < 2:
        return ""
    sides = [f"{said or 'none'} in {_names(group)}" for said, group in groups.items()]
    return f"{what} ({', '.join(sides)})"


def _space_words(runs: Sequence[Run]) -> Callable[[Run], str]:
    """Return what says of a run's space the keys in which the runs' spaces differ."""
    spaces = [leaves(run.spec.space.model_dump(mode="json")) for run in runs]
    differing = differing_keys(spaces)
    return lambda run: _values(leaves(run.spec.space.model_dump(mode="json")), differing)


def _tier_words(runs: Sequence[Run]) -> Callable[[Run], str]:
    """Return what says of a run's first tier the keys in which the tiers differ, and its
    fingerprint, which also depends on files and versions.
    """
    differing = differing_keys([_tier(run) for run in runs])

    def words(run: Run) -> str:
        fingerprint = f"fingerprint {run.state.fingerprints[0][:FINGERPRINT_DIGITS]}"
        said = _values(_tier(run), differing)
        return f"{said}, {fingerprint}" if said else fingerprint

    return words


def _tier(run: Run) -> dict[str, Any]:
    tier = run.spec.tiers[0].model_dump(mode="json")
    return leaves({key: value for key, value in tier.items() if key not in SCHEDULING})


def differing_keys(records: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the keys whose values are not the same in all records, in their order."""
    keys = dict.fromkeys(key for record in records for key in record)
    return tuple(
        k for k in keys if any(r.get(k, MISSING) != records[0].get(k, MISSING) for r in records)
    )


def _values(record: Mapping[str, Any], keys: Sequence[str]) -> str:
    return ", ".join(f"{key} {record[key]}" for key in keys if key in record)


def _aim(objective: Objective) -> tuple[str, str, object]:
    return objective.property, objective.goal, objective.window


def _objective(objective: Objective) -> str:
    window = f" {list(objective.window)}" if objective.window else ""
    return f"{objective.goal} {objective.property}{window}"


def _bounds(constraint: Constraint) -> str:
    low = "" if constraint.min is None else f"{constraint.min:g} ≤ "
    high = "" if constraint.max is None else f" ≤ {constraint.max:g}"
    return f"{low}{constraint.property}{high}"


def _all_of(words: Iterable[str]) -> str:
    return " and ".join(sorted(words))


def _names(runs: Sequence[Run]) -> str:
    names = ", ".join(run.name for run in runs[:SHOWN])
    return names if len(runs) <= SHOWN else f"{names} and {len(runs) - SHOWN} more"
