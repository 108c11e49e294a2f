"""``alloop.Campaign``: a campaign as an object to ask and to tell."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from alloop.campaigns.load import load_spec, overridden, parse_spec
from alloop.campaigns.spec import CampaignSpec
from alloop.errors import DataError
from alloop.loop.controller import Controller, Observer
from alloop.loop.measure.jobs import jobs_of
from alloop.loop.people.bringing import Brought, bring_labels
from alloop.loop.people.changing import Changed, as_texts, change
from alloop.loop.people.jobs import end_job
from alloop.loop.people.known_labels import labels_from_python
from alloop.loop.people.labelling import LabelSummary, record_typed
from alloop.loop.people.own_candidates import add_candidates, score_candidates
from alloop.loop.people.retracting import TakenBack, retract
from alloop.loop.people.vetoes import record_veto
from alloop.loop.people.who import user_name
from alloop.loop.python.suggestion import MeasuredMaterial, Suggestion, suggestions
from alloop.loop.record.events import LedgerEntry
from alloop.loop.run_folder import RUNS, RunFolder
from alloop.loop.standing import Standing, standing_of
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.choices import find_candidate
from alloop.loop.state.ranking.pareto import pareto_front
from alloop.loop.steps import Step
from alloop.materials import Material

if TYPE_CHECKING:
    import pandas as pd


class Campaign:
    """One campaign in one run directory.

    The object holds no state of its own but the directory's path: everything it is told is an event
    of the run's ledger, with the user's name, and everything it says is read from there. Other
    processes may read the run meanwhile; one at a time may write.
    """

    def __init__(self, run: Path, *, is_trusted: bool = False, who: str = "") -> None:
        self._run, self._is_trusted = run, is_trusted
        self._who = who or user_name()

    @classmethod
    def create(
        cls,
        spec: "str | Path | Mapping[str, Any] | CampaignSpec",
        *,
        run: str | Path | None = None,
        settings: Mapping[str, Any] | Iterable[str] = (),
        trust: bool = False,
    ) -> Self:
        """Begin a campaign, without measuring anything; on a run of the same campaign, open it.

        Args:
            spec: a YAML file, the name of a ready campaign, its keys as a mapping, or a spec.
            run: where to keep the run; ``runs/NAME`` if not given.
            settings: values by key path that are laid over the spec, ``{"budget.rounds": 2}``, or
                ``["budget.rounds=2"]`` as for ``--set``.
            trust: whether the user trusts a run that somebody else began.

        Raises:
            SpecError: naming the key that cannot be used.
            RunError: if the run is of another campaign, busy, or not to be trusted.
        """
        loaded = _loaded(spec, as_texts(settings))
        path = RUNS / loaded.name if run is None else Path(run)
        with Controller(path, loaded, observer=Unobserved(), is_trusted=trust):
            return cls(path, is_trusted=trust)

    @classmethod
    def open(cls, run: str | Path, *, trust: bool = False, who: str = "") -> Self:
        """Open a campaign that has begun.

        Args:
            run: its directory.
            trust: whether the user trusts a run that somebody else began.
            who: name that events by hand are recorded under; by default the user's.

        Raises:
            RunError: if there is none.
        """
        return cls(RunFolder.read(Path(run)).path, is_trusted=trust, who=who)

    @property
    def path(self) -> Path:
        """The run's directory."""
        return self._run

    @property
    def state(self) -> CampaignState:
        """State of the campaign now, folded from its events."""
        return RunFolder.read(self._run).state

    @property
    def head(self) -> str:
        """Hash of the last event."""
        return RunFolder.read(self._run).head

    @property
    def ended(self) -> str | None:
        """Reason for which the campaign ended; None while it has not."""
        return self.state.closed

    def add_labels(
        self,
        structures: Sequence[Material],
        values: Mapping[str, Sequence[float | None]],
        *,
        tier: int | None = 0,
        source: str = "Python",
        why: str = "",
    ) -> Brought:
        """Bring what is known already, at no cost: before the first batch or at any time after it.

        Labels of the first tier that are brought before the first candidates are chosen count among
        these: where there are as many as ``budget.initial``, the first batch is the model's.

        Args:
            structures: n crystal structures, or compositions in a space of compositions; those
                outside the space are learnt from where that can be, and never proposed.
            values: n values of each property, in the campaign's units; None or NaN for unknown
                ones. Materials without any value are learnt from without one.
            tier: whose values they are; None for another fidelity.
            source: where they are from, for people.
            why: a remark, for the record.

        Returns:
            What was recorded, with ``remarks`` on what cannot be made of it.

        Raises:
            DataError: if a property is unknown, or values do not fit or disagree; nothing is
                recorded then.
            RunError: if a controller is working on the run.
        """
        units = self.state.spec.units()
        known = labels_from_python(structures, values, units=units, tier=tier, source=source)
        return bring_labels(self._run, [known], who=self._who, why=" ".join(why.split()))

    def suggest(
        self, n: int | None = None, *, observer: Observer | None = None
    ) -> list[Suggestion]:
        """Return the batch that is to be measured next, and measure nothing.

        Models are trained and candidates chosen as far as needed; what that took is kept, and a
        run goes on with this very batch. A batch that was suggested and not yet measured stays the
        next one: of a larger batch the first n are returned.

        Args:
            n: number of candidates; None for the campaign's own batch.
            observer: watches; None for nobody.

        Returns:
            Suggestions as they are recorded; none when the campaign has ended.

        Raises:
            RunError: if a controller is working on the run.
        """
        if n is not None and n < 1:
            raise DataError(f"{n} candidates cannot be suggested", remedy="Ask for one or more.")
        with self._controller(observer) as controller:
            controller.suggest(n, self._who)
        folder = RunFolder.read(self._run)
        return suggestions(folder, folder.state.pending[:n])

    def add_candidates(self, structures: Sequence[Material], *, why: str) -> list[Suggestion]:
        """Queue candidates of one's own for the next batch, before any of the campaign's.

        Args:
            structures: crystal structures, or compositions in a space of compositions.
            why: the reason, for the record.

        Returns:
            The decision on each, in their order: chosen where it is queued, with what the
            campaign's surrogates expect; else refused by a rule.

        Raises:
            DataError: if none can be queued, or there is no reason.
            RunError: if the campaign has ended, or a controller is working on it.
        """
        decisions = add_candidates(self._run, structures, why, who=self._who)
        return [Suggestion(d, m) for d, m in zip(decisions, structures, strict=True)]

    def score(self, structures: Sequence[Material]) -> list[Suggestion]:
        """Return what the campaign expects of materials, in their order; nothing is recorded."""
        decisions = score_candidates(self._run, structures)
        return [Suggestion(d, m) for d, m in zip(decisions, structures, strict=True)]

    def veto(self, candidate: str, *, why: str) -> None:
        """Forbid a candidate: it is never chosen again, nor is an equivalent of it.

        Where it waits to be measured it is withdrawn.

        Args:
            candidate: its id, or the beginning of it.
            why: the reason, for the record.

        Raises:
            DataError: if there is no such candidate, it is vetoed already, or there is no reason.
            RunError: if a controller is working on the run.
        """
        record_veto(self._run, candidate, why, who=self._who)

    def label(
        self,
        candidate: str,
        values: Mapping[str, float] | None = None,
        *,
        failed: str = "",
        tier: int | None = None,
        instead: Material | None = None,
        why: str = "",
    ) -> LabelSummary:
        """Record what was measured of a candidate; its tier does not measure it then.

        Args:
            candidate: its id, or the beginning of it; of a space of compositions also a formula.
            values: by property, in the campaign's units.
            failed: reason why there are no values.
            tier: that was asked; needed where several could have been.
            instead: material that was made and measured in its place.
            why: a remark, for the record.

        Raises:
            DataError: naming what cannot be used.
            RunError: if a controller is working on the run.
        """
        words = [f"{name}={float(value)!r}" for name, value in (values or {}).items()]
        words += [f"failed={failed}"] * bool(failed)
        words += [] if tier is None else [f"tier={tier}"]
        return record_typed(self._run, candidate, words, instead=instead, why=why, who=self._who)

    def retract(
        self, candidate: str, *, why: str, tier: int | None = None, again: bool = False
    ) -> TakenBack:
        """Take back what was measured or brought of a candidate; the campaign goes on without it.

        Args:
            candidate: its id, or the beginning of it.
            why: the reason, for the record.
            tier: only this tier's measurement; all by default.
            again: whether it is to be measured once more.

        Raises:
            AlloopError: if there is nothing to take back, or no reason.
            RunError: if a controller is working on the run.
        """
        id = find_candidate(self.state, candidate)
        return retract(self._run, id, why=why, tier=tier, again=again, who=self._who)

    def change(self, settings: Mapping[str, Any] | Iterable[str], *, why: str) -> Changed:
        """Change the campaign's terms, also when it had ended: budgets, bounds of the space,
        objectives, constraints, acquisition, limits of tiers.

        Args:
            settings: values by key path, ``{"budget.rounds": 8}``, or ``["budget.rounds=8"]``.
            why: the reason, for the record.

        Raises:
            SpecError: if the settings make no spec, change nothing, or leave the space empty.
            RunError: if labels would lose their meaning, a controller is working on the run, or
                somebody else began it.
        """
        return change(self._run, settings, why=why, who=self._who, is_trusted=self._is_trusted)

    def run(self, rounds: int | None = None, *, observer: Observer | None = None) -> None:
        """Measure with the tiers and go on, until the campaign ends, people have to answer, or the
        limit on time is reached.

        Args:
            rounds: number of rounds to begin at most, besides the one under way; None for all.
            observer: watches; None for nobody.

        Raises:
            RunError: if a controller is working on the run.
        """
        with self._controller(observer) as controller:
            controller.run(rounds=rounds)

    @property
    def standing(self) -> Standing:
        """Where the run stands: ``state`` and ``why``, ``since``, ``seconds_left`` and
        ``done_at()``, as `alloop status` says it."""
        return standing_of(self._run, self.state)

    def jobs(self) -> "pd.DataFrame":
        """Return what is measured or waits to be, one a row: its state, where it runs, since when,
        and which try it is."""
        from alloop.loop.python.tables import job_table  # noqa: PLC0415 (imports pandas)

        return job_table(jobs_of(self._run, self.state))

    def cancel_job(self, candidate: str, *, why: str) -> None:
        """End the measurement of a candidate, which counts as failed; a controller goes on.

        Args:
            candidate: its id, or the beginning of it.
            why: the reason, for the record.

        Raises:
            DataError: if it is not being measured and does not wait, or there is no reason.
            RunError: if somebody else began the run.
        """
        end_job(self._run, candidate, why=why, again=False, who=self._who)

    def retry_job(self, candidate: str, *, why: str) -> None:
        """End the measurement of a candidate that is under way, and have it begun anew; arguments
        and errors as of ``cancel_job``."""
        end_job(self._run, candidate, why=why, again=True, who=self._who)

    def decisions(self) -> "pd.DataFrame":
        """Return every decision, chosen or rejected, with what came of it, one a row."""
        from alloop.loop.python.tables import decision_table  # noqa: PLC0415 (imports pandas)

        return decision_table(self.state)

    def measurements(self) -> "pd.DataFrame":
        """Return every measurement, failed ones too, one a row in order of arrival."""
        from alloop.loop.python.tables import measurement_table  # noqa: PLC0415 (imports pandas)

        return measurement_table(RunFolder.read(self._run))

    def rounds(self) -> "pd.DataFrame":
        """Return every round, one a row: what was chosen, measured, failed, and the best so far."""
        from alloop.loop.python.tables import round_table  # noqa: PLC0415 (imports pandas)

        return round_table(self.state)

    def latent(self) -> "pd.DataFrame":
        """Return where the last model places what was measured, one candidate a row: its place
        along the two principal components, round, stage, highest tier, and values.

        Raises:
            RunError: if the run has trained no model.
            DataError: if fewer than three candidates were measured.
        """
        from alloop.loop.python.analyses import latent_table  # noqa: PLC0415 (imports pandas)

        return latent_table(RunFolder.read(self._run))

    def design(
        self,
        target: "Mapping[str, float] | None" = None,
        *,
        between: tuple[str, str] | None = None,
        invert: str = "",
        around: str = "",
        radius: float = 0.5,
        n: int = 8,
        seed: int = 0,
    ) -> "pd.DataFrame":
        """Return materials that the last model decodes for target values, one a row with its
        ``material``; nothing is recorded.

        Args:
            target: wanted value of one property, in its unit: ``{"bulk_modulus": 195}``; alone,
                materials are decoded at it.
            between: ids of two candidates to interpolate between.
            invert: id of a candidate that is changed as little as the target takes.
            around: id of a candidate to sample around.
            radius: of the samples, in units of the latent space's own spread.
            n: number of designs.
            seed: of everything that is drawn.

        Returns:
            Predictions with standard deviations, distances from what was learnt, and why the
            campaign would refuse it; in ``attrs["notes"]`` what has to be known, such as how far
            the target lies outside everything learnt.

        Raises:
            RunError: if the run has trained no model.
            DataError: if the wish cannot be understood.
        """
        from alloop.loop.python.analyses import design_table  # noqa: PLC0415 (imports pandas)

        return design_table(
            RunFolder.read(self._run),
            target or {},
            between=between,
            invert=invert,
            around=around,
            radius=radius,
            n=n,
            seed=seed,
        )

    def importance(self, property_name: str = "", *, of: Sequence[str] = ()) -> "pd.DataFrame":
        """Return how far each descriptor moves the last model's predictions, one a row: its mean
        absolute SHAP value and, where there are weights, its weight.

        Args:
            property_name: the first objective's if empty.
            of: ids of candidates whose SHAP values are columns of their own, ``shap_ID``.

        Raises:
            RunError: if the run has trained no model.
            ModelError: if the model's predictions are functions of no named descriptors.
        """
        from alloop.loop.python.analyses import importance_table  # noqa: PLC0415 (imports pandas)

        return importance_table(RunFolder.read(self._run), property_name, of)

    def evaluate(self, n: int = 64, *, seed: int = 0) -> "pd.DataFrame":
        """Return figures of merit of the last model and of the campaign's predictions, one a row
        with its 95 % interval.

        Args:
            n: number of materials that are generated, and at most rebuilt.
            seed: of everything that is drawn.

        Raises:
            RunError: if there is neither a model nor a prediction that was put to the test.
        """
        from alloop.loop.python.analyses import evaluation_table  # noqa: PLC0415 (imports pandas)

        return evaluation_table(RunFolder.read(self._run), n, seed)

    def best(self, tier: int = 0) -> MeasuredMaterial | None:
        """Return the best that a tier has measured, feasible ones first; None while there is
        none."""
        folder = RunFolder.read(self._run)
        found = folder.state.best(tier)
        return None if found is None else MeasuredMaterial.of(folder, found)

    def pareto_front(self, tier: int = 0) -> list[MeasuredMaterial]:
        """Return the members of the Pareto front of what a tier has measured, by the first
        objective, the best of it first; with one objective the best alone."""
        folder = RunFolder.read(self._run)
        members = pareto_front(folder.state, tier).members
        return [MeasuredMaterial.of(folder, member.answer) for member in members]

    def __repr__(self) -> str:
        return f"Campaign.open({str(self._run)!r})"

    def _controller(self, observer: Observer | None) -> Controller:
        RunFolder.read(self._run)  # a controller would make what is not there
        return Controller(
            self._run, None, observer=observer or Unobserved(), is_trusted=self._is_trusted
        )


class Unobserved:
    """Observer of a campaign that nobody watches."""

    def step(self, step: Step, state: CampaignState) -> None:
        """Do nothing."""

    def progress(self, share: float, message: str) -> None:
        """Do nothing."""

    def event(self, entry: LedgerEntry) -> None:
        """Do nothing."""


def _loaded(
    spec: "str | Path | Mapping[str, Any] | CampaignSpec", settings: Iterable[str]
) -> CampaignSpec:
    match spec:
        case str() | Path():
            return load_spec(str(spec), settings)
        case CampaignSpec():
            return overridden(spec, settings) if (settings := list(settings)) else spec
        case _:
            return _loaded(parse_spec(dict(spec), where="the campaign"), settings)
