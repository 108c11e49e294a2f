"""The tools of an agent: each calls what a command calls, and returns plain values."""

import csv
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from alloop.campaigns.load import overridden, parse_spec
from alloop.errors import AlloopError, RunError
from alloop.files.yaml_text import parse_yaml
from alloop.loop.commands.agents import asked
from alloop.loop.commands.agents.controllers import Controllers
from alloop.loop.commands.agents.runs import ServedFolder
from alloop.loop.commands.printing.status_json import status_to_json
from alloop.loop.commands.printing.suggestions import suggestion_row
from alloop.loop.commands.record.explanation import explanation_of
from alloop.loop.ownership import require_trust
from alloop.loop.people.changing import as_texts, change
from alloop.loop.people.materials_in import materials_in
from alloop.loop.people.sessions import record_session_asked
from alloop.loop.python.campaign import Campaign
from alloop.loop.run_folder import RunFolder
from alloop.loop.run_list import ListedRun, list_runs, listed_state
from alloop.loop.state.choices import find_candidate
from alloop.materials import Material
from alloop.space import AnySpace


@dataclass(frozen=True)
class Tool:
    """A tool as an agent sees it."""

    name: str
    arguments: type[asked.Asked]
    call: Callable[["Desk", Any], Any]
    """Returns plain values; raises AlloopError."""
    writes: bool = False
    """Whether it lands in a ledger or starts something."""

    @property
    def description(self) -> str:
        """What it does."""
        return " ".join((self.call.__doc__ or "").split())


@dataclass(frozen=True)
class Desk:
    """What a call is done with: the folder, its controllers, and in whose name."""

    folder: ServedFolder
    controllers: Controllers
    who: str

    def open(self, run: str) -> Campaign:
        """Return a campaign of the folder, for this agent to tell things to."""
        return Campaign.open(self.folder.run(run), who=self.who)


def list_(desk: Desk, given: asked.OfNothing) -> Any:
    """List the runs of the folder: state, round, best so far, time left."""
    del given
    runs = (run for run in list_runs(desk.folder.path) if not run.path.is_symlink())
    return {"runs": [_row(run) for run in runs]}


def inspect(desk: Desk, given: asked.OfRun) -> Any:
    """Say where a run stands: its state, tiers, best, what people are asked for, how predictions
    came true, and why its controller ended if it could not go on."""
    run = desk.folder.run(given.run)
    folder = RunFolder.read(run)
    row = _row(listed_state(run, folder.state))
    is_running = desk.controllers.process(run) is not None
    return {
        **status_to_json(folder),
        "run": row["run"],
        "state": "running" if is_running else row["state"],
        "why": "" if is_running else row["why"],
        "seconds_left": row["seconds_left"],
        "failure": desk.controllers.failure(run),
        "properties": folder.state.spec.units(),
    }


def explain(desk: Desk, given: asked.OfCandidate) -> Any:
    """Explain one candidate: why it was chosen or rejected, what would have had to differ, where it
    came from, what was expected and measured, and what was built on it."""
    folder = RunFolder.read(desk.folder.run(given.run))
    found = find_candidate(folder.state, given.candidate)
    return explanation_of(folder.state, folder.entries, found).to_json()


def score(desk: Desk, given: asked.OfMaterials) -> Any:
    """Say what the campaign expects of materials of your own; nothing is recorded."""
    campaign = desk.open(given.run)
    materials = _materials(given.materials, campaign.state.spec.space)
    return {"scored": [suggestion_row(each) for each in campaign.score(materials)]}


def suggest(desk: Desk, given: asked.ToSuggest) -> Any:
    """Choose the batch that is to be measured next, and measure nothing. Models are trained as far
    as needed; the choice is recorded, and a run goes on with this very batch."""
    folder = RunFolder.read(desk.folder.run(given.run))
    desk.folder.require_no_programs(folder.state.spec)
    require_trust(folder.state.spec, folder.entries, given.run)
    if folder.state.closed is None:
        record_session_asked(folder.path, "suggest", who=desk.who, why=given.why)
    campaign = Campaign(folder.path, who=desk.who)
    return {"batch": [suggestion_row(each) for each in campaign.suggest(given.n)]}


def add(desk: Desk, given: asked.ToAdd) -> Any:
    """Queue materials of your own for the next batch, before any of the campaign's. What lies
    outside the space or is known already is refused with the rule."""
    campaign = desk.open(given.run)
    materials = _materials(given.materials, campaign.state.spec.space)
    decisions = campaign.add_candidates(materials, why=given.why)
    return {"decisions": [suggestion_row(each) for each in decisions]}


def label(desk: Desk, given: asked.ToLabel) -> Any:
    """Record what was measured of a candidate, in the place of a tier."""
    summary = desk.open(given.run).label(
        given.candidate, given.values, failed=given.failed, tier=given.tier, why=given.why
    )
    return {
        "answered": summary.answered,
        "partial": summary.partial,
        "unrequested": summary.unrequested,
        "unchanged": summary.unchanged,
        "corrections": len(summary.corrections),
    }


def veto(desk: Desk, given: asked.ToVeto) -> Any:
    """Forbid a candidate: it is withdrawn where it waits, and neither it nor an equivalent is
    chosen again."""
    desk.open(given.run).veto(given.candidate, why=given.why)
    return {"vetoed": given.candidate}


def change_(desk: Desk, given: asked.ToChange) -> Any:
    """Change the terms of a campaign, also when it has ended: such as budget.rounds."""
    run = desk.folder.run(given.run)
    spec = RunFolder.read(run).state.spec
    new = overridden(spec, as_texts(given.settings))
    desk.folder.require_files_inside(new, known=spec)
    desk.folder.require_no_programs(new)
    changed = change(run, given.settings, why=given.why, who=desk.who)
    terms = changed.terms
    return {
        "terms": terms.number,
        "changes": {path: pair[1] for path, pair in (terms.changes or {}).items()},
        "closed": changed.closed,
        "head": changed.head,
    }


def start(desk: Desk, given: asked.ToStart) -> Any:
    """Start a campaign, or go on with a run, in the background: `inspect` says how far it is. Files
    that a new campaign names lie in the folder that is served, and begin there."""
    run = desk.folder.run(given.run)
    if desk.controllers.process(run) is None and given.spec is not None:
        data = parse_yaml(given.spec, where="spec")
        spec = parse_spec(data, where="spec", folder=desk.folder.path)
        desk.folder.require_files_inside(spec)
        desk.folder.require_no_programs(spec)
        Campaign.create(spec, run=run)
    folder = RunFolder.read(run)
    desk.folder.require_no_programs(folder.state.spec)
    require_trust(folder.state.spec, folder.entries, given.run)
    if folder.state.closed is not None:
        raise RunError(
            f"the campaign has ended: {folder.state.closed}",
            where=given.run,
            remedy="`change` gives it more, such as budget.rounds.",
        )
    if desk.controllers.process(run) is None:
        record_session_asked(run, "start", who=desk.who, why=given.why)
    desk.controllers.start(run, given.rounds)
    return {"started": given.run}


def stop(desk: Desk, given: asked.ToStop) -> Any:
    """Interrupt the controller of a run; what was measured is kept, and `start` goes on."""
    run = desk.folder.run(given.run)
    RunFolder.read(run)
    record = partial(record_session_asked, run, "stop", who=desk.who, why=given.why)
    has_ended = desk.controllers.stop(run, record)
    return {"stopped": has_ended, "note": "" if has_ended else "it ends after what it measures now"}


TOOLS = (
    Tool("list", asked.OfNothing, list_),
    Tool("inspect", asked.OfRun, inspect),
    Tool("explain", asked.OfCandidate, explain),
    Tool("score", asked.OfMaterials, score),
    Tool("suggest", asked.ToSuggest, suggest, writes=True),
    Tool("add", asked.ToAdd, add, writes=True),
    Tool("label", asked.ToLabel, label, writes=True),
    Tool("veto", asked.ToVeto, veto, writes=True),
    Tool("change", asked.ToChange, change_, writes=True),
    Tool("start", asked.ToStart, start, writes=True),
    Tool("stop", asked.ToStop, stop, writes=True),
)


def _row(run: ListedRun) -> dict[str, Any]:
    """Return a run as ``alloop runs`` lists it, by its name instead of its path."""
    row = replace(run, path=Path(run.path.name)).to_json()
    return {"run": row.pop("path"), **row}


def _materials(given: Sequence[asked.GivenMaterial], space: AnySpace) -> list[Material]:
    """Return materials, read as files of theirs would be.

    Raises:
        MaterialError, DataError: naming the material that cannot be used by its place.
    """
    with tempfile.TemporaryDirectory() as name:
        folder, formulas = Path(name), []
        files = []
        for place, each in enumerate(given):
            if each.format == "formula":
                formulas.append(each.text)
                continue
            files.append(folder / f"material-{place}.{each.format}")
            files[-1].write_text(each.text, "utf-8", errors="replace")
        if formulas:
            files.append(folder / "formulas.csv")
            with files[-1].open("w", encoding="utf-8", errors="replace", newline="") as file:
                csv.writer(file).writerows([["formula"], *([formula] for formula in formulas)])
        try:
            return materials_in(files, space)
        except AlloopError as error:
            where = error.where.replace(f"{folder}/", "")
            raise type(error)(error.what, where=where, remedy=error.remedy) from error
