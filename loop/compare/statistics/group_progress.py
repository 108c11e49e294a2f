"""Progress of runs and of the groups that they form."""

from dataclasses import dataclass

from alloop.loop.compare.groups import Group
from alloop.loop.compare.runs import Label, Run
from alloop.loop.compare.statistics.curves import BandCurve, Curve


@dataclass(frozen=True)
class RunProgress:
    """Labels and progress of a run."""

    run: Run
    labels: tuple[Label, ...]
    curve: Curve
    """Best so far after each label, as a utility."""
    front: tuple[Label, ...]
    """Labels that no other of the run dominates: the best, or the Pareto front of several
    objectives; equal values once."""

    @property
    def seed(self) -> int:
        """Seed of the run."""
        return self.run.spec.seed


@dataclass(frozen=True)
class GroupProgress:
    """Progress of the runs of one strategy."""

    group: Group
    runs: tuple[RunProgress, ...]
    band: BandCurve

    @property
    def name(self) -> str:
        """Name of the group."""
        return self.group.name

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Curve of each run."""
        return tuple(run.curve for run in self.runs)

    def at(self, n: int) -> tuple[float, ...]:
        """Return each run's progress after n labels, as utilities."""
        return tuple(float(curve[n - 1]) for curve in self.curves)
