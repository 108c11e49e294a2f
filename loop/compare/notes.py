"""Notes: what a reader of a comparison has to know, in sentences."""

from collections.abc import Iterator, Sequence

from alloop.loop.compare.statistics.contrasts import Contrast
from alloop.loop.compare.statistics.curves import Band
from alloop.loop.compare.statistics.group_progress import GroupProgress
from alloop.loop.compare.statistics.progress import Progress
from alloop.loop.compare.statistics.significance import power_note
from alloop.loop.report.words import plural, significant
from alloop.properties import ENERGY_ABOVE_HULL


def notes_on(
    groups: Sequence[GroupProgress],
    progress: Progress,
    numbers: Sequence[int],
    contrasts: Sequence[Contrast],
    band: Band,
    differing: Sequence[str],
) -> tuple[str, ...]:
    """Return the notes on a comparison."""
    return (
        *(f"The runs differ in {each}; they are compared all the same." for each in differing),
        *_about_labels(groups),
        *_about_lengths(groups),
        *_about_seeds(groups, band),
        *_about_progress(groups, progress),
        *_about_tests(contrasts, numbers[-1]),
    )


def _about_labels(groups: Sequence[GroupProgress]) -> Iterator[str]:
    runs = [run.run for group in groups for run in group.runs]
    yield (
        "Labels are the measurements of the first tier that the campaigns asked for, in the order "
        "of their decisions. Failed and infeasible ones count as labels and never as the best."
    )
    if promoted := sum(run.n_promoted for run in runs):
        are = "is" if promoted == 1 else "are"
        yield f"{plural(promoted, 'measurement')} by higher tiers {are} not counted."
    if unasked := sum(run.n_unrequested for run in runs):
        yield (
            f"{plural(unasked, 'result')} reported by people unasked, which no strategy chose, are "
            "neither counted as labels nor as the best."
        )
    if retracted := sum(run.n_retracted for run in runs):
        yield (
            f"{plural(retracted, 'measurement')} that people took back are neither counted as "
            "labels nor as the best."
        )
    for run in runs:
        if run.n_changes:
            yield (
                f"{run.name} was changed {plural(run.n_changes, 'time')} while it ran: not all of "
                "its decisions were made under the spec that it is compared by."
            )
    if failed := sum(run.n_failed for run in runs):
        yield f"{plural(failed, 'label')} failed."


def _about_lengths(groups: Sequence[GroupProgress]) -> Iterator[str]:
    for group in groups:
        lengths = [len(curve) for curve in group.curves]
        if min(lengths) < max(lengths):
            shortest = group.runs[lengths.index(min(lengths))]
            yield (
                f"{group.name}: runs have {min(lengths)} to {max(lengths)} labels; the band ends "
                f"where the shortest, {shortest.run.name}, does."
            )
        if n := sum(run.run.is_open for run in group.runs):
            yield f"{group.name}: {n} of {plural(len(lengths), 'run')} still open."


def _about_seeds(groups: Sequence[GroupProgress], band: Band) -> Iterator[str]:
    yield f"Shown is the {band.words}."
    if single := [group.name for group in groups if len(group.runs) == 1]:
        yield f"A single run says nothing of the spread: {', '.join(single)}."
    for group in groups:
        if repeated := group.group.repeated_seeds():
            seeds = ", ".join(map(str, repeated))
            yield f"{group.name}: seed {seeds} stands twice, which is no independent repeat."


def _about_progress(groups: Sequence[GroupProgress], progress: Progress) -> Iterator[str]:
    optimum = significant(progress.shown(progress.optimum), 6)
    bound = "" if progress.is_optimum_given else ": the true regret is at least that"
    yield f"Regret is the distance from {progress.optimum_words}, {optimum}{bound}."
    if progress.reference is not None:
        point = ", ".join(
            f"{name} {significant(value)}" for name, value in progress.reference_shown().items()
        )
        own = ", the worst of the runs' own" if progress.is_reference_own else ""
        yield f"Hypervolumes are above the reference point {point}{own}."
    names = groups[0].runs[0].run.spec.property_names()
    if ENERGY_ABOVE_HULL in names:
        yield (
            "Energies above the hull are over what each run itself has measured, so a run that "
            "measured more phases judges by a lower hull."
        )


def _about_tests(contrasts: Sequence[Contrast], n: int) -> Iterator[str]:
    here = [contrast for contrast in contrasts if contrast.n == n]
    tested = [contrast for contrast in here if contrast.test.p.wilcoxon is not None]
    for pairs in sorted({len(contrast.seeds) for contrast in tested}):
        yield power_note(pairs, len(tested))
    for contrast in here:
        if contrast.test.problem:
            yield f"{contrast.name} against {contrast.baseline}: {contrast.test.problem}."
    if different := [c for c in tested if c.same_start < len(c.seeds)]:
        names = ", ".join(f"{c.name} and {c.baseline}" for c in different)
        yield f"Pairs share a seed, but not all of them their initial candidates: {names}."
