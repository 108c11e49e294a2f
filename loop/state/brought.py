"""Labels that were brought, as the rest of the loop reads them: beside measurements, never among
them.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from alloop.loop.record.by_hand.brought import BroughtLabel, LabelsBrought
from alloop.loop.record.events import Measured, Stage
from alloop.oracles.base import Status

if TYPE_CHECKING:
    from alloop.loop.state.campaign_state import CampaignState


def brought_measurements(state: "CampaignState") -> tuple[Measured, ...]:
    """Return what was brought of the tiers' own values in the form of measurements that cost
    nothing, one for each candidate and tier, in the order in which they came.

    Of a candidate that was brought more than once the values add up, the earlier stand. Where some
    that the tier has to measure are missing, it is a partial one. What no surrogate can describe is
    left out.
    """
    from alloop.loop.state.campaign_state import evaluation_id  # noqa: PLC0415 (it knows this one)

    found: dict[tuple[int, str], Measured] = {}
    for event, label in labels_in(state.brought):
        tier = event.value_of
        if tier is None or label.use == "kept" or not label.properties:
            continue
        earlier = found.get((tier, label.candidate))
        known = {} if earlier is None else earlier.properties
        properties = {**label.properties, **known}
        owed = [n for n in state.spec.required_properties(tier) if n not in properties]
        found[tier, label.candidate] = Measured(
            evaluation=evaluation_id(label.candidate, state.fingerprints[tier]),
            candidate=label.candidate,
            round=0,
            stage=Stage.BROUGHT,
            tier=tier,
            oracle="brought",
            calls=0,
            status=Status.OK,
            properties=properties,
            fingerprint=event.fingerprint,
            is_partial=bool(owed),
        )
    return tuple(found.values())


def brought_answers(state: "CampaignState", tier: int) -> tuple[Measured, ...]:
    """Return what was brought in place of a tier's measurements: all that the campaign wants is
    known, and the tier has not measured it here."""
    names = state.spec.property_names()
    return tuple(
        m
        for m in state.brought_measurements
        if m.tier == tier
        and m.evaluation not in state.recorded
        and all(name in m.properties for name in names)
    )


def best_brought(state: "CampaignState") -> Measured | None:
    """Return the best of what was brought in place of the first tier's measurements, of materials
    of the space; None where there is none. ``CampaignState.best`` is the best that was measured."""
    uses = brought_materials(state)
    found = [m for m in brought_answers(state, 0) if uses[m.candidate].use == "space"]
    rank = state.utility.rank
    return max(found, key=lambda m: rank(m.properties), default=None)


def without_values(
    events: Sequence[LabelsBrought], candidates: Collection[str]
) -> list[LabelsBrought]:
    """Return what was brought, of some candidates the materials alone.

    Raises:
        ValueError: if one of them was not brought with a value.
    """
    kept = list[LabelsBrought]()
    missing = set(candidates)
    for event in events:
        emptied = [b for b in event.labels if b.candidate in candidates and b.properties]
        missing -= {label.candidate for label in emptied}
        labels = tuple(
            label.model_copy(update={"properties": {}}) if label in emptied else label
            for label in event.labels
        )
        kept.append(event.model_copy(update={"labels": labels}) if emptied else event)
    if missing:
        raise ValueError(f"candidate {min(missing)} was not brought with a value to take back")
    return kept


def labels_in(events: tuple[LabelsBrought, ...]) -> Iterator[tuple[LabelsBrought, BroughtLabel]]:
    """Yield every label with its event, in the order in which they came."""
    for event in events:
        for label in event.labels:
            yield event, label


def brought_materials(state: "CampaignState") -> Mapping[str, BroughtLabel]:
    """Return each material that was brought, by candidate: as it came first."""
    return state.brought_materials


def without_own_value(state: "CampaignState") -> tuple[str, ...]:
    """Return the materials of the space that were brought without all of the first tier's values,
    and that it was not asked for: it may measure them."""
    has_value = {m.candidate for m in state.known_answers()}
    asked = {e.candidate for e in state.evaluations if e.tier == 0}
    return tuple(
        id
        for id, label in brought_materials(state).items()
        if label.use == "space" and id not in has_value and id not in asked
    )


def brought_counts(state: "CampaignState") -> dict[str, int]:
    """Return how many materials were brought, by what they are good for, in words; those of which
    there are none are left out."""
    materials = brought_materials(state)
    own = {m.candidate for m in state.brought_measurements if m.tier == 0 and not m.is_partial}
    labelled = {label.candidate for _, label in labels_in(state.brought) if label.properties}
    uses = {id: label.use for id, label in materials.items()}
    counts = {
        "with all values of tier 0": len(own),
        "with some values, or another tier's": len(labelled - own),
        "without a label": len(materials) - len(labelled),
        "outside the space, learnt from and never proposed": sum(
            use == "learning" for use in uses.values()
        ),
        "kept, since nothing here can describe them": sum(use == "kept" for use in uses.values()),
    }
    return {words: n for words, n in counts.items() if n}
