"""The card of the best candidate: identity, properties and origin."""

from dataclasses import dataclass
from urllib.parse import quote

from markupsafe import Markup
from pymatgen.core import Structure

from alloop.loop.measure.relaxed_lattice import lattice_of_sites
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Decision, Lineage, Measured
from alloop.loop.report.structure.picture import legend_of, picture_of
from alloop.loop.report.structure.shown import cif_name, cif_of
from alloop.loop.report.tables import ReportTable, oracle_name
from alloop.loop.report.words import (
    ID_DIGITS,
    goal_of,
    label_of,
    number,
    percentages,
    subscripted,
    unit_of,
    value_of,
)
from alloop.loop.state.campaign_state import CampaignState, evaluation_id
from alloop.loop.state.trials import ancestry
from alloop.materials import composition_of
from alloop.oracles.base import Status

MOVES_TOLD = 4
"""Largest number of moves that a candidate's story names."""


@dataclass(frozen=True)
class Ancestor:
    """Ancestor of the best candidate, with the step that led to it."""

    candidate: str
    text: str
    value: str
    """Measured values, for people."""


@dataclass(frozen=True)
class BestCandidateCard:
    """Contents of the best candidate's card."""

    candidate: str
    formula: Markup
    lattice: str | None
    composition: str
    is_feasible: bool
    headline: str
    """Headline: the values that it is the best by."""
    properties: ReportTable
    cell: ReportTable | None
    picture: Markup | None
    legend: list[tuple[str, str]]
    story: tuple[Ancestor, ...]
    """Ancestors, from the first one to the candidate itself."""
    cif: str
    """Relaxed structure as CIF; empty where the candidate has no sites."""
    cif_name: str
    cif_uri: str


def best_candidate_card(state: CampaignState, store: ArtifactStore) -> BestCandidateCard | None:
    """Return the best candidate's card: the feasible best by the first oracle, or, while nothing
    is feasible, what comes closest. None without a successful measurement.
    """
    best = state.best()
    if best is None:
        return None
    decision = state.decisions[best.candidate]
    material = store.get_material(best.relaxed or best.candidate)
    structure = material if isinstance(material, Structure) else None
    cif = "" if structure is None else cif_of(structure)
    elements = state.spec.space.elements
    describe_search = dict.fromkeys(objective.property for objective in state.spec.objectives)
    return BestCandidateCard(
        candidate=best.candidate,
        formula=subscripted(decision.formula),
        lattice=decision.lattice,
        composition=percentages(composition_of(material).get_el_amt_dict()),
        is_feasible=state.utility.is_feasible(best.properties),
        headline=" · ".join(value_of(each, best.properties[each]) for each in describe_search),
        properties=_properties(state, best),
        cell=None if structure is None else _cell(structure, decision.lattice),
        picture=None if structure is None else picture_of(structure, elements),
        legend=[] if structure is None else legend_of(structure, elements),
        story=_story(state, store, best.candidate),
        cif=cif,
        cif_name=cif_name(decision.formula, best.candidate),
        cif_uri=f"data:chemical/x-cif;charset=utf-8,{quote(cif)}",
    )


def _properties(state: CampaignState, best: Measured) -> ReportTable:
    """Return every measured property: value by each tier, what was wanted, and the margin."""
    answers = [_answer(state, best.candidate, tier) for tier in range(len(state.spec.tiers))]
    wanted = state.spec.property_names()
    others = [name for answer in answers if answer for name in answer.properties]
    rows = []
    for name in dict.fromkeys((*wanted, *others)):
        values = (
            "not measured"
            if answer is None
            else value_of(name, answer.properties[name], with_unit=False)
            if name in answer.properties
            else ""
            for answer in answers
        )
        rows.append(
            (
                label_of(name),
                *values,
                unit_of(name),
                goal_of(state.spec, name),
                _margin(state, best, name),
            )
        )
    tiers = (
        ("value",)
        if len(answers) == 1
        else tuple(f"tier {tier}: {oracle_name(state, tier)}" for tier in range(len(answers)))
    )
    return ReportTable(
        ("property", *tiers, "unit", "wanted", "margin"),
        tuple(rows),
        numeric=tuple(range(1, 1 + len(tiers))),
    )


def _answer(state: CampaignState, candidate: str, tier: int) -> Measured | None:
    measured = state.measured.get(evaluation_id(candidate, state.fingerprints[tier]))
    if measured is None or measured.status is not Status.OK or not state.is_reliable(measured):
        return None
    return measured


def _margin(state: CampaignState, best: Measured, name: str) -> str:
    """Return the distance of a property inside or outside its bounds, as text."""
    margins = [
        c.margin(best.properties[name]) for c in state.spec.constraints if c.property == name
    ]
    if not margins:
        return ""
    margin = min(margins)
    side = "inside" if margin >= 0 else "outside"
    return f"{value_of(name, abs(margin))} {side}"


def _cell(structure: Structure, proposed: str | None) -> ReportTable:
    """Return the relaxed cell, and whether its sites still form the lattice it was proposed on."""
    lattice = structure.lattice
    lengths = ", ".join(number(x, 4) for x in lattice.abc)
    angles = ", ".join(number(x, 2) for x in lattice.angles)
    return ReportTable(
        ("cell", ""),
        (
            ("a, b, c", f"{lengths} Å"),
            ("α, β, γ", f"{angles} °"),
            ("volume", f"{number(lattice.volume, 2)} Å³"),
            ("density", f"{number(float(structure.density), 3)} g/cm³"),
            ("atoms", str(len(structure))),
            *([] if proposed is None else [("lattice", _kept(structure, proposed))]),
        ),
    )


def _kept(structure: Structure, proposed: str) -> str:
    found = lattice_of_sites(structure)
    if found == proposed:
        return f"{proposed}, also after relaxation"
    return f"proposed on {proposed}; relaxed, its sites form {found or 'neither fcc nor bcc'}"


def _story(state: CampaignState, store: ArtifactStore, candidate: str) -> tuple[Ancestor, ...]:
    story = []
    for decision in reversed(ancestry(state, candidate)):
        answer = _answer(state, decision.candidate, tier=0)
        names = state.spec.property_names() if answer is not None else ()
        values = [value_of(name, answer.properties[name]) for name in names if answer]
        told = _describe_origin(state, store, decision)
        story.append(Ancestor(decision.candidate, told, ", ".join(values)))
    return tuple(story)


def _describe_origin(state: CampaignState, store: ArtifactStore, decision: Decision) -> str:
    """Describe in a sentence how a candidate was made and why it was chosen."""
    lineage = decision.lineage
    round = next(
        (
            proposal.round
            for proposal in state.proposals
            if any(d is decision for d in proposal.decisions)
        ),
        0,
    )
    match lineage.source:
        case "random":
            made = "drawn at random"
        case "latent":
            model = (lineage.model or "")[:ID_DIGITS]
            made = f"decoded by model {model} from latent point {lineage.row}"
        case "climbed":
            origin = f"latent point {lineage.row}" if lineage.latents else _parents(lineage)
            made = f"climbed to from {origin} by moves: {_moves(lineage)}"
        case "symmetric":
            made = f"a symmetric ordering, start {lineage.row} of the climb"
        case "swap":
            made = f"made by exchanging {_exchanged(store, lineage)}"
        case "moved":
            made = f"made of {_parents(lineage)} by moves: {_moves(lineage)}"
        case "promoted":
            made = "promoted from the tier below"
        case "table":
            made = f"taken from the table, row {lineage.row}"
        case "reported":
            made = "reported without being asked for"
        case "added":
            made = "somebody's own" if decision.acquisition is not None else decision.reason
    seed = f" (seed {lineage.seed})" if lineage.seed is not None else ""
    expected = ", ".join(
        f"{label_of(name)} {value_of(name, p.mean, with_unit=False)} ± {value_of(name, p.std)}"
        for name, p in decision.posterior.items()
    )
    why = f"; {decision.reason}" if decision.acquisition is not None else ""
    text = f"Round {round}: {made}{seed}{why}."
    return f"{text} Expected: {expected}." if expected else text


def _parents(lineage: Lineage) -> str:
    """Return the candidates that it was made of: ``0123456789 and abcdef0123``."""
    return " and ".join(id[:ID_DIGITS] for id in (lineage.parent, lineage.mate) if id)


def _moves(lineage: Lineage) -> str:
    """Return what was set: ``site 3 to Ni, site 17 to Cr``; of many, the first."""
    told = [f"{part} to {value}" for part, value in lineage.moves]
    return ", ".join(told[:MOVES_TOLD]) + (", …" if len(told) > MOVES_TOLD else "")


def _exchanged(store: ArtifactStore, lineage: Lineage) -> str:
    """Return which atoms were exchanged: ``Ni at site 3 and Cr at site 17 of 0123456789``."""
    parent = (lineage.parent or "")[:ID_DIGITS]
    material = store.get_material(lineage.parent) if lineage.parent else None
    if lineage.swap is None or not isinstance(material, Structure):
        return f"two atoms of {parent}"
    i, j = lineage.swap
    first, second = (material[site].specie.symbol for site in (i, j))
    return f"{first} at site {i} and {second} at site {j} of {parent}"
