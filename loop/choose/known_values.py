"""Everything that is known of the campaign's properties, on one scale: what fits learn from."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

import numpy as np

from alloop.loop.choose.fidelity import FidelityMap, corrections, fractions_of
from alloop.loop.choose.other_fidelity import values_of_other_fidelities
from alloop.loop.choose.telling_rows import telling_rows
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Stage
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.disagreement import MIN_PAIRS
from alloop.loop.state.outliers import winsorised
from alloop.loop.state.ranking.pareto import best_first
from alloop.materials import Material

LEAST_SLOPE = 0.2
"""Least slope of a map between tiers that is followed downwards: below it the higher tier's value
says next to nothing of the lower one's, and its error would be multiplied."""

MOST_TELLING, N_BEST = 1000, 64
"""Most labels of a property that a surrogate is fitted to, and the best candidates, which are there
in any case."""


@dataclass(frozen=True)
class KnownValues:
    """Values known of one candidate, on the scale of the first tier."""

    candidate: str
    stage: Stage
    properties: dict[str, float]
    """Known values by property; those that nobody measured are absent."""


def known_values(state: CampaignState) -> tuple[KnownValues, ...]:
    """Return what is known of every candidate that anything is known of.

    First the candidates that the first tier measured, in the order of the decisions, and those
    whose values were brought in place of that; then those of which a part is known, those that only
    a higher tier has measured, its values carried down by the inverse of the fidelity maps, and
    those that were brought with values of another fidelity, carried over likewise. Where the top
    tier's values are to be good (``acquisition.aim: top-tier``), its labels stand for the first
    tier's, carried down likewise: of those candidates it is known what the others' values are only
    mapped to.
    """
    carried = dict(_carried_down(state)) if state.spec.learning.higher_tiers else {}
    found: dict[str, KnownValues] = {}
    names = state.spec.property_names()
    aims_at_top = state.spec.acquisition.aim == "top-tier"
    for m in state.known_answers():
        values = {name: m.properties[name] for name in names}
        if aims_at_top and m.candidate in carried:
            values |= carried[m.candidate].properties
        found[m.candidate] = KnownValues(m.candidate, m.stage, values)
    for m in (*state.partial.values(), *state.brought_measurements):
        values = {name: m.properties[name] for name in names if name in m.properties}
        if m.tier == 0 and values and m.candidate not in found:
            found[m.candidate] = KnownValues(m.candidate, m.stage, values)
    for candidate, known in carried.items():
        found.setdefault(candidate, known)
    for candidate, properties in values_of_other_fidelities(state).items():
        found.setdefault(candidate, KnownValues(candidate, Stage.BROUGHT, properties))
    return tuple(found.values())


def _carried_down(state: CampaignState) -> Iterator[tuple[str, KnownValues]]:
    """Yield the labels of the higher tiers on the first tier's scale, the top tier's last."""
    steps = []
    for tier in range(1, len(state.spec.tiers)):
        steps.append(corrections(state, tier))
        answers = state.known_answers(tier)
        shares = fractions_of(state, [m.candidate for m in answers])
        for m, fractions in zip(answers, shares, strict=True):
            values = {}
            for name in state.spec.property_names():
                value = _down(m.properties[name], fractions, [step[name] for step in steps])
                if value is not None:
                    values[name] = value
            if values:
                yield m.candidate, KnownValues(m.candidate, m.stage, values)


def _down(value: float, fractions: np.ndarray, maps: list[FidelityMap]) -> float | None:
    """Return a value on the first tier's scale; None while the maps are not known well enough."""
    for line in reversed(maps):
        if line.n_pairs < MIN_PAIRS or line.slope < LEAST_SLOPE:
            return None
        value = (value - float(line.offsets(fractions[None])[0])) / line.slope
    return value


@dataclass(frozen=True)
class KnownMaterials:
    """Materials with what is known of them: what a surrogate is fitted to."""

    materials: dict[str, Material]
    """Materials by candidate: those with all values first, the best before the others."""
    values: np.ndarray
    """Values in the properties' units, shape (n, p), outlying ones held back (``winsorised``); NaN
    where a value is not known."""


def known_materials(state: CampaignState, store: ArtifactStore) -> KnownMaterials:
    """Return the materials that anything is known of, with the values.

    Of very many labels only the ``MOST_TELLING`` of each property, and the best, are returned, so
    that a choice takes as long after ten thousand labels as after a thousand.
    """
    known = {each.candidate: each for each in known_values(state)}
    order = dict.fromkeys(m.candidate for m in best_first(state, state.known_answers()))
    ids = np.array(list(order | dict.fromkeys(known)))
    names = state.spec.property_names()
    values = winsorised(
        np.array([[known[id].properties.get(name, np.nan) for name in names] for id in ids])
    )
    telling = [telling_rows(of_one, MOST_TELLING) for of_one in values.T]
    rows = reduce(np.union1d, telling, np.arange(min(len(ids), N_BEST)))
    return KnownMaterials(
        {id: store.shared_material(id) for id in ids[rows].tolist()}, values[rows]
    )
