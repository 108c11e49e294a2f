"""The comparison of runs: one function, and the frozen record of what it found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from alloop.campaigns.objectives import Objective
from alloop.errors import RunError
from alloop.loop.compare.comparability import common_objectives, require_comparable
from alloop.loop.compare.groups import Group, grouped
from alloop.loop.compare.notes import notes_on
from alloop.loop.compare.runs import Label, own_reference, read_run
from alloop.loop.compare.statistics.contrasts import Contrast, contrasts_of
from alloop.loop.compare.statistics.curves import Band, band_of, common_length
from alloop.loop.compare.statistics.group_progress import GroupProgress, RunProgress
from alloop.loop.compare.statistics.progress import Progress, front, progress_of
from alloop.loop.report.words import units_of_campaign

USUAL_BASELINE = "random"
"""Name of the group that is the baseline where none was chosen."""


@dataclass(frozen=True)
class Comparison:
    """Runs in groups, their progress, and how the groups compare."""

    objectives: tuple[Objective, ...]
    progress: Progress
    groups: tuple[GroupProgress, ...]
    band: Band
    at: tuple[int, ...]
    """Numbers of labels at which groups are compared, ascending; the last is the main one."""
    contrasts: tuple[Contrast, ...]
    """Comparison of each other group with each baseline, at each number of labels."""
    differing: tuple[str, ...]
    """What differs between the runs and was put up with, in words."""
    notes: tuple[str, ...]
    """What a reader has to know to read the numbers, in sentences."""

    def named(self, name: str) -> GroupProgress:
        """Return the group of a name."""
        return next(group for group in self.groups if group.name == name)


def compare(
    runs: Sequence[Path | str] = (),
    *,
    labels: Mapping[str, Sequence[Path | str]] | None = None,
    baselines: Sequence[str] = (),
    targets: Sequence[float] = (),
    at: Sequence[int] = (),
    band: Band = Band.QUARTILES,
    optimum: float | None = None,
    reference: Mapping[str, float] | None = None,
    allow_differences: bool = False,
) -> Comparison:
    """Compare runs: best so far against the number of labels, factors and paired tests.

    Args:
        runs: run directories; grouped by what differs in their specs.
        labels: names of groups with the run directories of each, for those not to be grouped so.
        baselines: names of the groups that the others are compared with; ``random`` by default or,
            where no group is named so, the first.
        targets: values to be reached; by default the middle of each baseline at the last number
            of labels.
        at: numbers of labels to compare at; by default the most that every run has.
        band: what is drawn and shown of several seeds.
        optimum: best value (or hypervolume) that is possible, where that is known.
        reference: reference point of the hypervolume, by property.
        allow_differences: whether to compare runs of different spaces, constraints or oracles.

    Raises:
        RunError: if the runs cannot be compared; it names the remedy.
    """
    known: dict[Path, Path] = {}
    given = _once(runs, known)
    labelled = {name: _once(paths, known) for name, paths in (labels or {}).items()}
    paths = list(dict.fromkeys([*given, *chain.from_iterable(labelled.values())]))
    if len(paths) < 2:
        raise RunError(
            f"there is {len(paths) or 'no'} run to compare",
            remedy="Name two runs or more; `alloop report RUN` shows one.",
        )
    read = [read_run(path) for path in paths]
    differing = require_comparable(read, allow_differences=allow_differences)
    objectives = common_objectives(read)
    groups = grouped(read, labelled)
    own = {run.path: run.labels(objectives) for run in read}
    if empty := [run.name for run in read if not own[run.path]]:
        raise RunError(
            f"{', '.join(empty)} has no label yet", remedy="Leave it out until it has measured."
        )
    with units_of_campaign(read[0].spec):
        progress = progress_of(
            objectives,
            list(own.values()),
            optimum=optimum,
            reference=_reference(objectives, reference),
            own_reference=own_reference(read, objectives),
        )
    followed = tuple(_followed(group, own, progress, band) for group in groups)
    numbers = _numbers(at, followed)
    named = _baselines(baselines, [group.name for group in groups])
    wanted = [progress.utility(target) for target in targets]
    contrasts = contrasts_of(followed, named, numbers, wanted, band, objectives)
    return Comparison(
        objectives,
        progress,
        followed,
        band,
        numbers,
        contrasts,
        differing,
        notes_on(followed, progress, numbers, contrasts, band, differing),
    )


def _once(paths: Sequence[Path | str], known: dict[Path, Path]) -> list[Path]:
    """Return each folder once, as it was first written, however else it is written later."""
    return list(dict.fromkeys(known.setdefault(Path(path).resolve(), Path(path)) for path in paths))


def _followed(
    group: Group, labels: Mapping[Path, tuple[Label, ...]], progress: Progress, band: Band
) -> GroupProgress:
    runs = tuple(
        RunProgress(run, own := labels[run.path], progress.curve_of(own), front(own))
        for run in group.runs
    )
    return GroupProgress(group, runs, band_of([run.curve for run in runs], band))


def _numbers(at: Sequence[int], groups: Sequence[GroupProgress]) -> tuple[int, ...]:
    most = common_length([curve for group in groups for curve in group.curves])
    for n in at:
        if not 1 <= n <= most:
            shortest = min(
                (run for group in groups for run in group.runs), key=lambda run: len(run.curve)
            )
            raise RunError(
                f"the runs cannot be compared at {n} labels: {shortest.run.name} has {most}",
                remedy=f"Choose a number from 1 to {most}, let that run go on, or leave it out.",
            )
    return tuple(sorted({*at})) or (most,)


def _baselines(chosen: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    if unknown := [name for name in chosen if name not in names]:
        raise RunError(
            f"there is no group {', '.join(unknown)} to be the baseline",
            remedy=f"The groups are: {'; '.join(names)}. --label NAME=RUN,RUN names them.",
        )
    if len(names) > 1 and set(chosen) == set(names):
        raise RunError(
            "every group is a baseline, and nothing is left to compare with them",
            remedy="Leave at least one group out of --baseline.",
        )
    if chosen:
        return tuple(dict.fromkeys(chosen))
    return (USUAL_BASELINE,) if USUAL_BASELINE in names else (names[0],)


def _reference(
    objectives: Sequence[Objective], given: Mapping[str, float] | None
) -> tuple[float, ...] | None:
    if not given:
        return None
    names = [objective.property for objective in objectives]
    if len(names) == 1:
        raise RunError("a reference point means nothing with one objective", remedy="Leave it out.")
    if set(given) != set(names) or not np.isfinite(list(given.values())).all():
        raise RunError(
            f"the reference point has {', '.join(given)}",
            remedy=f"Give one finite number for each of {', '.join(names)}.",
        )
    return tuple(given[name] for name in names)
