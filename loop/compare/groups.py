"""Groups of runs: what was tried, each with repeats that differ in their seeds alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from alloop.errors import RunError
from alloop.loop.compare.comparability import MISSING, differing_keys
from alloop.loop.compare.runs import Run
from alloop.loop.opening import leaves, spec_to_json
from alloop.oracles.options import SCHEDULING

LENGTHS = ("rounds", "measurements", "core_hours", "money", "wall_time")
"""Keys of the budget that say how long a run goes on; runs of one group may differ in them."""
FIRST_TO_TELL = ("acquisition.strategy", "acquisition.kind", "model.kind", "augmentation.kind")
"""Keys by which people tell strategies apart; whichever of them suffice name the groups."""


@dataclass(frozen=True)
class Group:
    """Runs of one strategy."""

    name: str
    runs: tuple[Run, ...]

    def seeds(self) -> tuple[int, ...]:
        """Return the seed of each run."""
        return tuple(run.spec.seed for run in self.runs)

    def repeated_seeds(self) -> tuple[int, ...]:
        """Return seeds that more than one run has."""
        seeds = self.seeds()
        return tuple(sorted({seed for seed in seeds if seeds.count(seed) > 1}))


def grouped(runs: Sequence[Run], labels: Mapping[str, Sequence[Path]]) -> tuple[Group, ...]:
    """Return runs in groups, in the order in which they were given.

    Args:
        runs: all runs, each once.
        labels: names of groups with the paths of their runs; the other runs are grouped by what
            differs in their specs, apart from seed, length, name and where they ran.

    Raises:
        RunError: if a run stands under two labels, or a label under two groups.
    """
    by_path = {run.path: run for run in runs}
    groups = [Group(name, tuple(by_path[p] for p in paths)) for name, paths in labels.items()]
    taken = [path for paths in labels.values() for path in paths]
    if twice := [str(path) for path in dict.fromkeys(taken) if taken.count(path) > 1]:
        raise RunError(
            f"{', '.join(twice)} stands under two labels", remedy="Name each run under one --label."
        )
    groups += _by_difference([run for run in runs if run.path not in taken])
    names = [group.name for group in groups]
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise RunError(
            f"two groups are named {', '.join(twice)}", remedy="Choose another name in --label."
        )
    return tuple(groups)


def _by_difference(runs: Sequence[Run]) -> list[Group]:
    """Return groups of runs whose specs agree in all that is part of a strategy, or, where all
    do, in their names.
    """
    strategies = [_strategy(run) for run in runs]
    keys = differing_keys(strategies) if runs else ()
    if runs and not keys:
        strategies, keys = [{"name": run.spec.name} for run in runs], ("name",)
    found: dict[tuple[str, ...], list[Run]] = {}
    for run, strategy in zip(runs, strategies, strict=True):
        found.setdefault(tuple(repr(strategy.get(key, MISSING)) for key in keys), []).append(run)
    members = dict(zip(map(id, runs), strategies, strict=True))
    names = _names([members[id(group[0])] for group in found.values()], keys)
    return [Group(name, tuple(group)) for name, group in zip(names, found.values(), strict=True)]


def _strategy(run: Run) -> dict[str, Any]:
    """Return the leaves of a run's spec that say what is done, and not how long, where or with
    which seed.
    """
    spec = spec_to_json(run.spec)
    for key in ("name", "seed", "execution", "cache"):
        spec.pop(key)
    spec["budget"] = {k: v for k, v in spec["budget"].items() if k not in LENGTHS}
    spec["tiers"] = [{k: v for k, v in t.items() if k not in SCHEDULING} for t in spec["tiers"]]
    return leaves(spec)


def _names(records: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> list[str]:
    """Return a name for each record: its values of as few keys as tell all records apart."""
    order = [key for key in FIRST_TO_TELL if key in keys]
    order += [key for key in keys if key not in order]
    for size in range(1, 4):
        for chosen in combinations(order, size):
            names = [_name(record, chosen) for record in records]
            if len(set(names)) == len(names):
                return names
    return [f"group {i + 1}" for i in range(len(records))]


def _name(record: Mapping[str, Any], keys: Sequence[str]) -> str:
    words = [
        str(record[key]) if key in FIRST_TO_TELL or key == "name" else f"{key}={record[key]}"
        for key in keys
        if record.get(key) is not None
    ]
    return ", ".join(words) or f"no {keys[0].partition('.')[0]}"
