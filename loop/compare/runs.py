"""Runs that are compared: their labels in turn, read from their ledgers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from alloop.campaigns.objectives import Objective
from alloop.campaigns.spec import CampaignSpec
from alloop.loop.record.events import Stage
from alloop.loop.run_folder import RunFolder
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.trials import measured_trials
from alloop.oracles.base import Status


@dataclass(frozen=True)
class Label:
    """A measurement of the first tier; a failed one has cost its place all the same."""

    candidate: str
    formula: str
    utilities: tuple[float, ...] | None
    """Utility of each objective, more is better; None for a failed measurement, or one that lacks
    a property that the campaign judges by."""
    is_feasible: bool
    """Whether it gave values, within every constraint."""

    @property
    def counted(self) -> tuple[float, ...] | None:
        """Utilities, if the label may count as a good one; None otherwise."""
        return self.utilities if self.is_feasible else None


@dataclass(frozen=True)
class Run:
    """A run, as far as a comparison needs it."""

    path: Path
    state: CampaignState

    @property
    def spec(self) -> CampaignSpec:
        """Spec of the run."""
        return self.state.spec

    @property
    def name(self) -> str:
        """Name of the run's folder, for people."""
        return self.path.name or str(self.path)

    @property
    def is_open(self) -> bool:
        """Whether the campaign may go on."""
        return self.state.closed is None

    @property
    def n_promoted(self) -> int:
        """Number of measurements by higher tiers, which are not counted among the labels."""
        return sum(m.tier > 0 for m in self.state.measured.values())

    @property
    def n_unrequested(self) -> int:
        """Number of measurements that people reported unasked, which no strategy chose."""
        return sum(
            m.tier == 0 and m.stage is Stage.UNREQUESTED for m in self.state.measured.values()
        )

    @property
    def n_failed(self) -> int:
        """Number of failed measurements of the first tier."""
        return sum(m.tier == 0 and m.status is Status.FAILED for m in self.state.measured.values())

    @property
    def n_retracted(self) -> int:
        """Number of measurements of the first tier that were taken back, which are no labels."""
        return sum(r.measured.tier == 0 for r in self.state.retracted.values())

    @property
    def n_changes(self) -> int:
        """Number of times that people changed the campaign's terms while it ran."""
        return max(len(self.state.terms) - 1, 0)

    def first_candidates(self) -> tuple[str, ...]:
        """Return the initial candidates that were measured, in their order."""
        trials = measured_trials(self.state)
        return tuple(t.decision.candidate for t in trials if t.proposal.stage is Stage.INITIAL)

    def labels(self, objectives: Sequence[Objective]) -> tuple[Label, ...]:
        """Return the measurements of the first tier that the campaign asked for, in the order of
        its decisions, each once.

        Args:
            objectives: those whose utilities are compared.
        """
        utility, found = self.state.utility, dict[str, Label]()
        named = set(self.spec.property_names())
        for trial in measured_trials(self.state):
            if trial.proposal.stage is Stage.UNREQUESTED or trial.measured is None:
                continue
            answer, decision = trial.answer, trial.decision
            # What a property is derived from may be known, and the property itself not yet.
            is_whole = answer is not None and named <= answer.properties.keys()
            values = answer.properties if answer is not None and is_whole else None
            label = Label(
                decision.candidate,
                decision.formula,
                None
                if values is None
                else tuple(o.utility(values[o.property]) for o in objectives),
                values is not None and utility.is_feasible(values),
            )
            found.setdefault(trial.measured.evaluation, label)
        return tuple(found.values())


def read_run(path: Path) -> Run:
    """Read a run, which may be running meanwhile.

    Raises:
        RunError: if there is none, or nothing has begun in it.
    """
    return Run(path, RunFolder.read(path).state)


def own_reference(runs: Sequence[Run], objectives: Sequence[Objective]) -> tuple[float, ...] | None:
    """Return the reference point that runs share, as utilities: what their specs state or, taken
    from their first labels, the worst of any run's. None where a run has recorded none.

    Args:
        runs: to be compared.
        objectives: those that are compared, in order.
    """
    points = []
    for run in runs:
        if len(run.spec.objectives) == 1 or run.state.reference is None:
            return None
        own = dict(
            zip(
                (objective.property for objective in run.spec.objectives),
                run.state.utility.reference,
                strict=True,
            )
        )
        points.append([own[objective.property] for objective in objectives])
    return tuple(min(column) for column in zip(*points, strict=True))
