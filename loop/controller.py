"""The loop: ask the state for the next unfinished step, do it, write down what came of it."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Protocol, Self

from alloop.campaigns.parts import model_faults_named, model_use_named
from alloop.campaigns.spec import CampaignSpec
from alloop.loop.choose.augmentation import task_payload, task_payload_id
from alloop.loop.choose.screening import Seen
from alloop.loop.choose.strategies.dispatch import propose_stage
from alloop.loop.choose.training_set import training_set
from alloop.loop.fitting import SealedFit, fit_round
from alloop.loop.measure.dispatch import Task, measure_all
from alloop.loop.measure.execution import MeasuringPool
from alloop.loop.measure.label_cache import label_cache
from alloop.loop.measure.recording import failed_attempt, measured
from alloop.loop.measure.self_testing import self_test, self_test_id, untested_tiers
from alloop.loop.measure.spool import Spool, attempt_id, attempt_of
from alloop.loop.opening import open_campaign
from alloop.loop.people.requests.writing import write_requests
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.by_hand.candidates import BatchAsked
from alloop.loop.record.events import (
    CampaignClosed,
    Event,
    LedgerEntry,
    Proposed,
    Reuse,
    SessionClosed,
    SessionOpened,
)
from alloop.loop.record.ledger import Ledger
from alloop.loop.state.campaign_state import CampaignState, Evaluation
from alloop.loop.state.ranking.reference import reference_from
from alloop.loop.state.time_limit import promotion_reserve, time_left
from alloop.loop.steps import (
    Close,
    Fit,
    Measure,
    Pause,
    Propose,
    Step,
    TakeReference,
    Wait,
    begins_round_after,
    chooses_batch,
    latest_round,
    next_step,
)
from alloop.oracles.base import FailureKind, Measurement, Oracle, exchange_fingerprint


class Observer(Protocol):
    """Observer of a running campaign, such as the command line's progress bars."""

    def step(self, step: Step, state: CampaignState) -> None:
        """Called before a step is done."""

    def progress(self, share: float, message: str) -> None:
        """Called during a step with the done share in [0, 1]."""

    def event(self, entry: LedgerEntry) -> None:
        """Called when an event is safely written."""


class Interrupted(Exception):
    """Raised when the user asked to stop; everything measured so far is in the ledger."""


class Controller:
    """Controller of one campaign in one run directory; the only mutable object of the loop.

    Launching is a controller on an empty ledger, resuming the same controller on one that has
    events. Use as a context manager: it holds the run's lock and its workers.

    Args:
        run: the run directory; made if absent.
        spec: the campaign; None to continue whatever the directory holds.
        build_oracles: makes one oracle per tier.
        observer: watches.
        is_trusted: whether the user trusts a run that somebody else began; said once, and written
            into its ledger.

    Raises:
        RunError: if the directory is unusable, busy, of another campaign, or begun by somebody
            else and not trusted.
    """

    def __init__(
        self,
        run: Path,
        spec: CampaignSpec | None,
        *,
        build_oracles: Callable[[CampaignSpec], Sequence[Oracle]] = CampaignSpec.build_oracles,
        observer: Observer,
        is_trusted: bool = False,
    ) -> None:
        self._observer = observer
        self._stopping = False
        self._began = time.monotonic()
        self._run = run
        self._ledger = Ledger.open(run, writable=True)
        try:
            opening = open_campaign(self._ledger, run, spec, build_oracles, is_trusted=is_trusted)
            self._store = ArtifactStore.of_run(run)
            self._spool = Spool.of_run(run, self._ledger.origin())
        except BaseException:
            self._ledger.close()
            raise
        self._fold, self._state = opening.fold, opening.fold.state()
        self._spec, self._oracles = opening.spec, opening.oracles
        self._scheduling, self._seal = opening.scheduling, opening.seal
        self._cache = label_cache(self._spec.cache)
        self._seen = Seen()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if "_pool" in vars(self):
            self._pool.shutdown()
        self._ledger.close()

    @property
    def state(self) -> CampaignState:
        """State of the campaign now."""
        self._state = self._state or self._fold.state()
        assert self._state is not None
        return self._state

    def stop(self) -> None:
        """Ask to stop once the measurements under way are recorded."""
        self._stopping = True

    def run(self, *, rounds: int | None = None) -> CampaignState:
        """Run until the campaign is closed, people have to answer or the limit on time is reached;
        return its last state.

        Args:
            rounds: number of rounds to begin at most, besides the one under way; None for all.

        Raises:
            Interrupted: after ``stop``, with everything recorded.
        """
        self._began = time.monotonic() - self.state.wall_seconds
        last = None if rounds is None else latest_round(self.state) + rounds
        step = self._next_step()
        if begins_round_after(step, last):
            return self.state
        if step is None or isinstance(step, Wait):
            self._ask(step)
            return self.state
        if isinstance(step, Pause) and self.state.paused is not None:
            return self.state  # it was given no more time
        self._append(SessionOpened(scheduling=self._scheduling, seal=self._seal))
        self._collect_spool()
        while (step := self._next_step()) is not None:
            if begins_round_after(step, last):
                self._append(SessionClosed(reason=f"no more than {rounds} rounds were asked for"))
                return self.state
            if self._stopping:
                self._append(SessionClosed(reason="interrupted"))
                raise Interrupted
            if isinstance(step, Wait):
                self._ask(step)
                break
            if isinstance(step, Pause):
                self._append(SessionClosed(reason=self._pause_reason(step), is_pause=True))
                return self.state
            self._observer.step(step, self.state)
            self._do(step)
        waits = self.state.closed is None
        n = len(self.state.pending)
        reason = f"waiting for {n} labels" if waits else "campaign closed"
        self._append(SessionClosed(reason=reason))
        return self.state

    def suggest(self, size: int | None, who: str) -> CampaignState:
        """Go on until a batch is chosen that is to be measured next, and measure nothing; return
        the last state, whose ``pending`` evaluations are the batch.

        What it takes is recorded step by step, as in a run, which goes on with this very batch. A
        batch that is not measured yet stays the next one.

        Args:
            size: of the next batch of the first tier; None for the campaign's own.
            who: person who asked for it.

        Raises:
            Interrupted: after ``stop``, with everything recorded.
        """
        self._began = time.monotonic() - self.state.wall_seconds
        step = self._next_step()
        if step is None or isinstance(step, Measure | Wait | Pause):
            self._ask(step)
            return self.state
        self._append(SessionOpened(scheduling=self._scheduling, seal=self._seal))
        while (step := self._next_step()) is not None and not isinstance(
            step, Measure | Wait | Pause
        ):
            if self._stopping:
                self._append(SessionClosed(reason="interrupted"))
                raise Interrupted
            if (
                size is not None
                and chooses_batch(step, self.state)
                and self.state.by_hand.asked_size != size
            ):
                self._append(BatchAsked(size=size, who=who))
            self._observer.step(step, self.state)
            self._do(step)
        self._ask(step)
        self._append(SessionClosed(reason=f"{len(self.state.pending)} candidates are suggested"))
        return self.state

    def _next_step(self) -> Step | None:
        limit = self._spec.budget.wall_time
        return next_step(self.state, time_left(self.state, limit, self._elapsed()))

    def _elapsed(self) -> float:
        """Return the wall time of all sessions, s."""
        return time.monotonic() - self._began

    def _pause_reason(self, step: Pause) -> str:
        limit = self._spec.budget.wall_time
        assert limit is not None  # nothing else pauses
        return f"the wall time of {limit.total_seconds():g} s is over; left undone: {step.undone}"

    def _ask(self, step: Step | None) -> None:
        """Write down what people are asked for, where they are asked."""
        if isinstance(step, Wait):
            write_requests(self._run, self.state, step.evaluations)

    def _do(self, step: Step) -> None:
        match step:
            case Measure(evaluations):
                self._measure(evaluations)
            case TakeReference():
                labels = [m.properties for m in self.state.known_answers()]
                self._append(reference_from(self.state.spec, labels))
            case Fit(round):
                with model_faults_named(self.state.spec.model):
                    self._fit(round)
            case Propose():
                with model_use_named(self.state.spec.model):
                    proposed = self._propose(step)
                self._append(proposed)
            case Close(reason):
                self._append(CampaignClosed(reason=reason))

    def _fit(self, round: int) -> None:
        kept = SealedFit.of_round(self._run, self._ledger.origin(), round)
        data = partial(training_set, self.state, self._store, self._update_seen())
        report = self._observer.progress
        self._append(fit_round(self.state, self._store, data, round, kept, report))
        kept.remove()

    def _propose(self, step: Propose) -> Proposed:
        return propose_stage(
            self.state,
            self._store,
            self._update_seen(),
            stage=step.stage,
            round=step.round,
            iteration=step.iteration,
            tier=step.tier,
        )

    def _measure(self, evaluations: Sequence[Evaluation]) -> None:
        """Have every evaluation answered; record each answer when it comes."""
        state, asked = self.state, {evaluation.id: evaluation for evaluation in evaluations}
        deadline = self._deadline(state, evaluations)

        def is_stopping() -> bool:
            return self._stopping or self._elapsed() >= deadline

        def task(evaluation: Evaluation, attempt: int) -> Task:
            ask = partial(task_payload, state, self._store, evaluation)
            return Task(attempt_id(evaluation.id, attempt), evaluation.tier, ask)

        missing = [e for e in evaluations if is_stopping() or not self._reuse(state, e)]
        waiting = deque(task(e, 1 + len(state.attempts.get(e.id, ()))) for e in missing)
        limits = [self._at_once(tier.workers) for tier in self._spec.tiers]
        done = len(evaluations) - len(missing)
        if not missing:
            return
        if untested := untested_tiers(state, self._oracles, {e.tier for e in missing}):
            attempts = [tier.attempts for tier in self._spec.tiers]
            for tested in self_test(
                self._pool, self._spool, untested, attempts=attempts, is_stopping=is_stopping
            ):
                self._append(tested)
        for task_, measurement in measure_all(
            self._pool, waiting, limits=limits, is_stopping=is_stopping
        ):
            id, attempt = attempt_of(task_.id)
            if self._record(state, asked[id], attempt, measurement):
                done += 1
                self._observer.progress(done / len(evaluations), "")
            else:
                waiting.append(task(asked[id], attempt + 1))

    def _reuse(self, state: CampaignState, evaluation: Evaluation) -> bool:
        """Answer an evaluation with another campaign's label; return whether there is one."""
        if self._cache is None or evaluation.id in state.retracted:
            return False  # what was taken back is measured, and not brought back
        asked, fingerprint = task_payload_id(state, evaluation), state.fingerprints[evaluation.tier]
        if asked != evaluation.candidate:  # it is reached from a start
            fingerprint = exchange_fingerprint(fingerprint)
        if (label := self._cache.get(asked, fingerprint)) is None:
            return False
        reuse = Reuse.of(label.run, label.cost)
        self._append(measured(evaluation, label.measurement, self._spec, self._store, reuse=reuse))
        return True

    def _at_once(self, limit: int | None) -> int:
        """Return the largest number of measurements of a tier under way, those in a queue
        included."""
        queued = 2 * self._spec.execution.workers  # so that no worker waits for the controller
        return queued if limit is None else min(limit, queued)

    def _deadline(self, state: CampaignState, evaluations: Sequence[Evaluation]) -> float:
        """Return the elapsed time from which on no more of these measurements are begun, s."""
        if (limit := self._spec.budget.wall_time) is None:
            return float("inf")
        is_search = any(evaluation.tier == 0 for evaluation in evaluations)
        return limit.total_seconds() - (promotion_reserve(state, limit) if is_search else 0.0)

    def _record(
        self,
        state: CampaignState,
        evaluation: Evaluation,
        attempt: int,
        measurement: Measurement,
    ) -> bool:
        """Write down what came of an attempt, then clear its spooled copy.

        Args:
            state: in which the evaluation was asked for; it may be older than the last event.
            evaluation: what was asked.
            attempt: 1, 2, 3, …
            measurement: what came of it.

        Returns:
            Whether this is the evaluation's answer; if not, it is to be tried again.
        """
        failure = measurement.failure
        is_last = attempt >= self._spec.tiers[evaluation.tier].attempts
        # Who asks for another try gets it, whatever number of them the tier has.
        is_asked_again = failure is not None and failure.kind is FailureKind.CANCELLED
        is_answer = failure is None or not failure.retryable or (is_last and not is_asked_again)
        if is_answer:
            self._append(measured(evaluation, measurement, self._spec, self._store))
            if self._cache is not None:
                asked, run = task_payload_id(state, evaluation), str(self._run.absolute())
                self._cache.put(asked, measurement.fingerprint, measurement, run=run)
        else:
            self._append(failed_attempt(evaluation, attempt, measurement, self._spec))
        self._spool.forget(attempt_id(evaluation.id, attempt))
        return is_answer

    def _collect_spool(self) -> None:
        """Record what workers finished after an earlier controller had died."""
        state = self.state
        asked = {evaluation.id: evaluation for evaluation in state.pending}
        known = {evaluation.id for evaluation in state.evaluations}
        known |= {self_test_id(tier) for tier in state.self_tests}
        for spooled in self._spool.evaluations():
            id, attempt = attempt_of(spooled)
            evaluation, measurement = asked.get(id), None
            # An attempt is in the ledger already if the controller died before it cleared this.
            if evaluation is not None and attempt == 1 + len(state.attempts.get(id, ())):
                fingerprint = state.fingerprints[evaluation.tier]
                measurement = self._spool.load(spooled, fingerprint)
            if evaluation is not None and measurement is not None:
                self._record(state, evaluation, attempt, measurement)
            elif id in known:  # anything else is somebody's own file
                self._spool.forget(spooled)

    def _update_seen(self) -> Seen:
        self._seen.follow(self.state, self._store)
        return self._seen

    def _append(self, event: Event) -> None:
        entry = self._ledger.append(event)
        self._fold.add(entry)
        self._state = None
        self._observer.event(entry)

    @cached_property
    def _pool(self) -> MeasuringPool:
        timeouts = [tier.timeout for tier in self._spec.tiers]
        return MeasuringPool(self._oracles, timeouts, self._spec.execution, self._spool)
