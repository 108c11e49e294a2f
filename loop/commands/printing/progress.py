"""Progress of a campaign while it runs: bars, and a line for each thing that happened."""

from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from alloop.loop.commands.printing.proposals import proposal_line
from alloop.loop.commands.printing.tables import cell
from alloop.loop.record.events import (
    AttemptFailed,
    CampaignClosed,
    LedgerEntry,
    Measured,
    ModelFitted,
    Proposed,
)
from alloop.loop.standing import planned_measurements
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.steps import (
    Close,
    Fit,
    Measure,
    Pause,
    Propose,
    Step,
    TakeReference,
    Wait,
)
from alloop.oracles.base import Status
from alloop.properties import joined_notes


class ProgressObserver:
    """Shows the steps of a campaign as they happen, with the time left of its budget."""

    def __init__(self) -> None:
        self._console = Console()
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left:"),
            TimeRemainingColumn(),
            console=self._console,
        )
        self._overall = self._progress.add_task("measurements", total=None)
        self._step = self._progress.add_task("", total=1.0, visible=False)
        self._best: tuple[bool, float] | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def step(self, step: Step, state: CampaignState) -> None:
        """Announce a step."""
        total = planned_measurements(state)
        done = sum(m.tier == 0 for m in state.measured.values())
        self._progress.update(self._overall, total=total, completed=done)
        self._announce_best(state)
        match step:
            case Fit(round):
                text = f"round {round}: training the model on {len(state.known_answers())} labels"
            case Measure(evaluations):
                text = f"round {evaluations[0].round}: measuring {len(evaluations)}"
            case Propose(round, stage):
                text = f"round {round}: proposing ({stage.value})"
            case TakeReference():
                text = "taking the reference point from the first labels"
            case Close() | Wait() | Pause():
                text = "closing"
        self._progress.reset(self._step, description=text, visible=True, total=100)

    def progress(self, share: float, message: str) -> None:
        """Move the bar of the step."""
        self._progress.update(self._step, completed=round(100 * share))

    def event(self, entry: LedgerEntry) -> None:
        """Print what happened, one line each."""
        match entry.event:
            case ModelFitted() as fitted:
                self._say(
                    f"round {fitted.round}  model trained on {fitted.n_labelled} labels and "
                    f"{fitted.n_unlabelled} unlabelled in {fitted.seconds:.0f} s"
                )
            case Proposed() as proposed:
                self._say(f"         {proposal_line(proposed)}")
            case Measured() as measured:
                self._progress.advance(self._overall, 1 if measured.tier == 0 else 0)
                if measured.status is Status.FAILED:
                    assert measured.failure_kind is not None
                    self._say(
                        f"         {measured.candidate[:10]} failed "
                        f"({measured.failure_kind.value}): {measured.failure_message}"
                    )
                elif measured.doubts:
                    doubt = joined_notes(measured.doubts)
                    self._say(f"         {measured.candidate[:10]} is in doubt: {doubt}")
            case AttemptFailed() as attempt:
                self._say(
                    f"         {attempt.candidate[:10]} is tried again "
                    f"({attempt.failure_kind.value}): {attempt.failure_message}"
                )
            case CampaignClosed(reason=reason):
                self._say(f"closed: {reason}")
            case _:
                pass

    def _announce_best(self, state: CampaignState) -> None:
        best = state.best()
        if best is None:
            return
        rank = state.utility.rank(best.properties)
        if self._best is None or rank > self._best:
            self._best = rank
            decision = state.decisions[best.candidate]
            of_front = "compromise " if state.utility.seeks_front else ""
            self._say(
                f"         best {of_front}so far: {decision.lattice or ''} {decision.formula}  "
                f"{values_line(state, best.properties)}"
            )

    def _say(self, text: str) -> None:
        # By the console, so that it stands above the bars.
        self._console.print(cell(text), soft_wrap=True, highlight=False)


def values_line(state: CampaignState, properties: Mapping[str, float]) -> str:
    """Return the values of the properties that the campaign names."""
    names = state.spec.property_names()
    units = state.spec.units()
    return ", ".join(f"{name} {properties[name]:.4g} {units[name]}" for name in names)
