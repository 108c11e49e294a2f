"""The page: all parts of the report in one file that needs nothing else.

Names, reasons and failure messages are untrusted. Jinja escapes them in the HTML; what the
scripts read lies in JSON islands that cannot be left by any text; and the page's own content
security policy lets only the script written here and the libraries it unpacks run, and nothing be
fetched.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from alloop.durable import write_durably
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.report.card import best_candidate_card
from alloop.loop.report.decisions.table import decision_island
from alloop.loop.report.figures.budget import budget_figure
from alloop.loop.report.figures.composition import composition_figure
from alloop.loop.report.figures.hulls import hull_figures, hull_table
from alloop.loop.report.figures.importance import importance_figures
from alloop.loop.report.figures.latent_map import latent_map
from alloop.loop.report.figures.pareto import front_table, hypervolume_figure, pareto_figure
from alloop.loop.report.figures.parity import parities
from alloop.loop.report.figures.polygon import polygon_figure
from alloop.loop.report.figures.progress_metric import ProgressMetric
from alloop.loop.report.figures.rounds import gain_figure, outcome_figure, rounds_table, total_gain
from alloop.loop.report.figures.style import DARK, Figure
from alloop.loop.report.figures.tiers import (
    agreement_table,
    agreement_warnings,
    promoted_table,
    tier_figures,
)
from alloop.loop.report.figures.trajectory import OtherRun, beside_table, trajectory
from alloop.loop.report.libraries import bundle, content_policy, library
from alloop.loop.report.packing import Packing
from alloop.loop.report.structure.shown import ShownStructure, shown_structures
from alloop.loop.report.tables import cost_table, failure_counts, failures_table, training_table
from alloop.loop.report.warnings import in_words, page_warnings
from alloop.loop.report.words import (
    ID_DIGITS,
    describe_search,
    duration,
    format_timestamp,
    number,
    plural,
    significant,
    subscripted,
    units_of_campaign,
    value_of,
)
from alloop.loop.run_folder import RunFolder
from alloop.loop.state.brought import best_brought, brought_materials
from alloop.loop.state.calibration import search_warnings
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.folding.terms import reason_of
from alloop.loop.state.ranking.pareto import pareto_front
from alloop.oracles.base import Status

HERE = Path(__file__).parent
SCRIPTS = ["data.js", "theme.js", "filter.js", "table.js", "figures.js", "structure.js", "fill.js"]
"""Scripts of the page, each of which uses what stands before it."""
LIBRARIES = ("plotly", "3dmol")
_ESCAPES = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)
"""Characters that could end a script element early, spelled so that JSON means the same."""


def write_report(
    state: CampaignState,
    store: ArtifactStore,
    path: Path,
    *,
    head: str,
    beside: Sequence[OtherRun] = (),
) -> None:
    """Write the campaign's report as one self-contained HTML file.

    Args:
        state: of the campaign; a running one will do.
        store: holds its structures.
        path: of the file; replaced at once and as a whole where it exists.
        head: hash of the ledger's last event.
        beside: other runs to compare its progress with.

    Raises:
        RunError: if the file cannot be written.
        LedgerError: if an artifact that the ledger names is missing or was changed.
    """
    page = render_report(state, store, head=head, beside=beside)
    write_durably(path, page.encode(), is_shared=True)


def write_run_report(folder: RunFolder, beside: Sequence[OtherRun] = ()) -> Path:
    """Write RUN/report.html and return its path; raises as ``write_report`` does."""
    path = folder.path / "report.html"
    write_report(folder.state, folder.store, path, head=folder.head, beside=beside)
    return path


def render_report(
    state: CampaignState,
    store: ArtifactStore,
    *,
    head: str,
    beside: Sequence[OtherRun] = (),
    live: Markup | None = None,
) -> str:
    """Return the report's HTML: the same text for the same states, head and versions.

    Args:
        state, store, head, beside: as of ``write_report``.
        live: what stands above the title of a page that follows its run by a server, which fills
            in ``data-version``; None for a page that stands still.
    """
    with units_of_campaign(state.spec):
        return _render(state, store, head, beside, live)


def live_policy() -> str:
    """Return the content security policy of every live report."""
    return content_policy([_script(True), *(library(name).script for name in LIBRARIES)], live=True)


def _script(is_live: bool) -> str:
    last = ["live.js", "live_report.js"] if is_live else ["main.js"]
    return bundle(*(HERE / "scripts" / name for name in [*SCRIPTS, *last]))


def figures_script() -> str:
    """Return the script of a page that holds figures and tables alone."""
    names = ("data.js", "theme.js", "figures.js", "figures_only.js")
    return bundle(*(HERE / "scripts" / name for name in names))


def _render(
    state: CampaignState,
    store: ArtifactStore,
    head: str,
    beside: Sequence[OtherRun],
    live: Markup | None,
) -> str:
    figures: dict[str, Figure] = {}

    def drawn(figure: Figure | None) -> Figure | None:
        if figure is not None:
            figures[figure.id] = figure
        return figure

    names = tuple(state.spec.property_names())
    mapped, unmapped = latent_map(state, store)
    important, unimportant = importance_figures(state, store)
    checked = parities(state)
    for parity in checked:
        drawn(parity.figure)
    context = _summary(state) | {
        "head": head,
        "card": best_candidate_card(state, store),
        "costs": cost_table(state),
        "trajectory": drawn(trajectory(state, beside)),
        "beside": beside_table(state, beside),
        "budget": drawn(budget_figure(state)),
        "latent_map": drawn(mapped),
        "latent_problem": unmapped,
        "importances": [(heading, drawn(figure)) for heading, figure in important],
        "importance_problem": unimportant,
        "cautions": [
            (in_words(each.text, names), each.section, each.filter) for each in page_warnings(state)
        ],
        "front": front_table(state),
        "front_problems": pareto_front(state).problems if len(state.spec.objectives) > 1 else (),
        "fronts": [
            figure
            for draw in (pareto_figure, hypervolume_figure)
            if (figure := drawn(draw(state))) is not None
        ],
        "seeks_front": state.utility.seeks_front,
        "composition": drawn(composition_figure(state, store)),
        "polygon": drawn(polygon_figure(state, store)),
        "parities": checked,
        "gain": drawn(gain_figure(state)),
        "outcomes": drawn(outcome_figure(state)),
        "rounds": rounds_table(state),
        "tiers": [drawn(figure) for figure in tier_figures(state)],
        "promoted": promoted_table(state),
        "agreement": agreement_table(state),
        "warnings": agreement_warnings(state),
        "search_warnings": search_warnings(state),
        "hulls": [drawn(figure) for figure in hull_figures(state)],
        "stability": hull_table(state),
        "training": training_table(state),
        "failures": failures_table(state),
        "failure_counts": failure_counts(state),
        "id_digits": ID_DIGITS,
    }
    structures = shown_structures(state, store)
    # What a live page does not need yet, it may need later.
    needed = dict(zip(LIBRARIES, (bool(figures), bool(structures)), strict=True))
    libraries = [library(name) for name in LIBRARIES if needed[name] or live is not None]
    script = _script(live is not None)
    policy = content_policy([script, *(each.script for each in libraries)], live=live is not None)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            context,
            css=Markup(_read("report.css")),
            script=Markup(script),
            libraries=[(each.name, Markup(each.packed)) for each in libraries],
            policy=policy,
            live=live,
            structure_island=_structures(state, structures),
            **_islands(figures, decision_island(state)),
        )
    )


def _structures(state: CampaignState, structures: Sequence[ShownStructure]) -> Markup | None:
    elements = tuple(state.spec.space.elements)
    return island([each.island(elements) for each in structures]) if structures else None


def _islands(figures: Mapping[str, Figure], table: Mapping[str, Any]) -> dict[str, Markup]:
    """Return the data of the figures and of the table of decisions, which share their texts."""
    packing = Packing()
    cells = packing.columns(table["cells"])
    packed = {id: packing.figure(figure.spec) for id, figure in figures.items()}
    return {
        "figure_island": island({"figures": packed, "hovers": packing.hovers}),
        "theme_island": island(DARK),
        "decision_island": island(
            {**table, "cells": cells, "texts": packing.texts, "idDigits": ID_DIGITS}
        ),
    }


def island(value: Any) -> Markup:
    """Return JSON that may stand inside a script element, whatever texts it holds.

    Raises:
        ValueError: if a number is not finite.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.translate(_ESCAPES))


def _summary(state: CampaignState) -> dict[str, Any]:
    """Return the words and key numbers of the page's head and foot."""
    spec = state.spec
    decisions = [decision for proposal in state.proposals for decision in proposal.decisions]
    failed = sum(m.status is Status.FAILED for m in state.measured.values())
    last = max((proposal.round for proposal in state.proposals), default=0)
    return {
        "name": spec.name,
        "sought": describe_search(spec),
        "closed": state.closed,
        "paused": state.paused,
        "n_pending": len(state.pending),
        "began": format_timestamp(state.began),
        "latest": format_timestamp(state.latest),
        "numbers": [
            ("measurements", str(len(state.measured)), f"{failed} failed"),
            ("rounds", str(last), f"of {spec.budget.rounds}"),
            (
                "decisions",
                str(len(decisions)),
                f"{sum(decision.chosen for decision in decisions)} chosen",
            ),
            *_brought_number(state),
            ("wall time", duration(state.wall_seconds), plural(state.n_sessions, "session")),
            *_gain_number(state),
        ],
        "n_decisions": len(decisions),
        "versions": dict(state.versions),
        "fingerprints": state.fingerprints,
        "changes": [str(terms) for terms in state.terms[1:]],
        "vetoes": [
            f"{veto.formula} ({veto.candidate[:ID_DIGITS]}), by {veto.who}: {veto.why}"
            for veto in state.by_hand.vetoes.values()
        ],
        "retractions": [
            f"{r.measured.candidate[:ID_DIGITS]} by tier {r.measured.tier} (entry {r.seq}), "
            f"{r.reason}"
            for r in state.retractions
        ]
        + [
            f"{r.label.candidate[:ID_DIGITS]}, brought (entry {r.seq}), {reason_of(r.event)}"
            for r in state.retracted_labels
        ],
        "spec_yaml": yaml.safe_dump(
            spec.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=100
        ),
    }


def _brought_number(state: CampaignState) -> list[tuple[str, str, str]]:
    """Return how much was brought, and the best of it; nothing where nothing was."""
    n = len(brought_materials(state))
    if not n:
        return []
    best, (name, *others) = best_brought(state), state.spec.property_names()
    del others
    said = "" if best is None else f"; the best {value_of(name, best.properties[name])}"
    return [("brought", plural(n, "material"), f"not measured here{said}")]


def _gain_number(state: CampaignState) -> list[tuple[str, str, str]]:
    if state.utility.seeks_front:
        front = pareto_front(state)
        volume = significant(front.hypervolume)
        return [("Pareto front", plural(len(front.members), "candidate"), f"hypervolume {volume}")]
    found = total_gain(state)
    if found is None:
        return []
    gain, n_initial = found
    name = ProgressMetric(state.utility).property_name
    text = value_of(name, gain, signed=True) if name else number(gain, 3, signed=True)
    return [("gain", text, f"over the best of the first {n_initial}")]


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _environment() -> Environment:
    return page_environment(HERE)


@lru_cache
def page_environment(*folders: Path) -> Environment:
    """Return what renders templates of some folders: everything is escaped, nothing undefined."""
    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["subscripted"] = subscripted
    return environment
