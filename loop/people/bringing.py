"""Recording of labels that one has already: at a campaign's opening, or while it runs."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from alloop.campaigns.spec import CampaignSpec
from alloop.campaigns.start import LabelSource
from alloop.errors import DataError, SpecError
from alloop.loop.choose.screening import Seen, lattice_of
from alloop.loop.people.known_labels import KnownLabel, KnownLabels
from alloop.loop.people.label_files import read_label_file
from alloop.loop.people.label_runs import is_run, read_labels_of_run
from alloop.loop.people.use_in_space import SpaceUse
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.by_hand.brought import MOST_LABELS, BroughtLabel, LabelsBrought
from alloop.loop.run_folder import open_to_write
from alloop.loop.state.brought import brought_materials, labels_in
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.steps import FEWEST_LABELS
from alloop.materials import Material, formula_of, material_id

SAME = 1e-6
"""Relative tolerance of equal values: what is lost where numbers are printed with seven digits."""


@dataclass(frozen=True)
class Brought:
    """Labels ready to be recorded, with what to say of them."""

    events: tuple[LabelsBrought, ...]
    materials: tuple[Material, ...]
    """Materials that are new; to be stored before the events are written."""
    remarks: tuple[str, ...]
    """Sentences for people: how they were read, and what cannot be made of them."""

    @property
    def n_labelled(self) -> int:
        """Number of materials with a value."""
        return sum(bool(label.properties) for _, label in labels_in(self.events))

    @property
    def has_some_in_space(self) -> bool:
        """Whether the space holds any of them."""
        return any(label.use == "space" for _, label in labels_in(self.events))

    @property
    def n_unlabelled(self) -> int:
        """Number of materials without one."""
        return sum(not label.properties for _, label in labels_in(self.events))


def read_sources(
    sources: Sequence[LabelSource], spec: CampaignSpec, fingerprints: Sequence[str] = ()
) -> tuple[KnownLabels, ...]:
    """Return the labels in files and runs.

    Args:
        sources: as ``start`` names them.
        spec: of the campaign that they are for.
        fingerprints: of its tiers; empty while their oracles are not built.

    Raises:
        DataError, MaterialError, RunError, LedgerError: naming what cannot be used, and where.
    """
    found: list[KnownLabels] = []
    for source in sources:
        if is_run(source.file):
            found += read_labels_of_run(source, spec, fingerprints)
        else:
            found.append(read_label_file(source, spec))
    return tuple(found)


def labels_at_start(spec: CampaignSpec, fingerprints: Sequence[str] = ()) -> Brought:
    """Return what a campaign begins with.

    Args:
        spec: of the campaign.
        fingerprints: of its tiers; empty while their oracles are not built, and it is not known yet
            whose values another run's are.

    Raises:
        DataError, MaterialError, RunError, LedgerError: as ``read_sources`` and ``prepared``.
        SpecError: if no initial candidates are wanted, and the labels are too few to learn from.
    """
    if spec.start is None:
        return Brought((), (), ())
    known = read_sources(spec.start.labels, spec, fingerprints)
    empty = CampaignState(spec, tuple(fingerprints) or ("",) * len(spec.tiers))
    brought = prepared(known, empty, None)
    begun = replace(empty, brought=brought.events)
    is_told = bool(fingerprints) or not any(each.fingerprint for each in known)
    if is_told and not spec.budget.initial and len(begun.known_answers()) < FEWEST_LABELS:
        names = ", ".join(spec.property_names())
        raise SpecError(
            f"{len(begun.known_answers())} of the materials brought have all of {names} as values "
            "of tier 0, too few to learn from",
            where="budget.initial",
            remedy="Give initial candidates, or more labels; tier: 0 says that a source's values "
            "are that tier's.",
        )
    return brought


def bring_labels(
    run: Path, known: Sequence[KnownLabels], *, who: str = "", why: str = ""
) -> Brought:
    """Record labels in a run: all of them, or nothing. What was recorded before is not again.

    Args:
        run: of the campaign, which no controller works on meanwhile.
        known: labels, such as ``labels_from_python`` or ``read_sources`` gives.
        who: person who brings them.
        why: reason, for the record.

    Raises:
        RunError: if there is no campaign, or a controller is working on it.
        DataError: naming materials whose values disagree.
    """
    with open_to_write(run) as (folder, ledger):
        store = folder.store
        brought = prepared(known, folder.state, store, who=who, why=why)
        store.put_materials(brought.materials)
        ledger.append_together(brought.events)
    return brought


@dataclass
class _Merged:
    """What one source says of one material."""

    material: Material
    source: str
    values: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    """Values with their places, by property."""

    def add(self, label: KnownLabel) -> None:
        for name, value in label.properties.items():
            self.values.setdefault(name, []).append((value, label.where))


def prepared(
    known: Sequence[KnownLabels],
    state: CampaignState,
    store: ArtifactStore | None,
    *,
    who: str = "",
    why: str = "",
) -> Brought:
    """Return labels as events, equivalent materials under one id.

    Args:
        known: of one source and fidelity each.
        state: of the campaign; what it knows already is not said again.
        store: of its materials; None where it has none yet.
        who: person who brings them.
        why: reason, for the record.

    Raises:
        DataError: if values of one material disagree, naming both places and the remedy.
    """
    seen = _all_known(state, store)
    use = SpaceUse(state.spec.space)
    earlier = _earlier(state)
    events: list[LabelsBrought] = []
    materials: list[Material] = []
    remarks: list[str] = []
    for source in known:
        merged: dict[str, _Merged] = {}
        for label in source.labels:
            id = seen.equivalent(label.material)
            if id is None:
                id = material_id(label.material)
                seen.add(id, label.material)
                materials.append(label.material)
            merged.setdefault(id, _Merged(label.material, label.source)).add(label)
        before = earlier.setdefault(_group(source.value_of, source.fingerprint, source.source), {})
        labels = []
        for id, each in merged.items():
            values = _resolved(each, before.get(id, {}), source.duplicates)
            if id in before and values.keys() <= before[id].keys():
                continue
            before[id] = {**values, **before.get(id, {})}
            labels.append(_label(id, each, values, use))
        events += _events(source, labels, who, why)
        remarks += _remarks(source, labels, len(merged), state)
    return Brought(tuple(events), tuple(materials), tuple(remarks))


def _all_known(state: CampaignState, store: ArtifactStore | None) -> Seen:
    seen = Seen(space=state.spec.space)
    if store is not None:
        seen.follow(state, store)
        for id in brought_materials(state):
            seen.add(id, store.get_material(id))
    return seen


def _earlier(state: CampaignState) -> dict[str, dict[str, Mapping[str, float]]]:
    """Return what was brought before, by fidelity and candidate."""
    found: dict[str, dict[str, Mapping[str, float]]] = {}
    for event, label in labels_in(state.brought):
        group = found.setdefault(_group(event.value_of, event.fingerprint, event.source), {})
        group[label.candidate] = {**label.properties, **group.get(label.candidate, {})}
    return found


def _group(value_of: int | None, fingerprint: str, source: str) -> str:
    return f"tier {value_of}" if value_of is not None else fingerprint or source


def _resolved(each: _Merged, before: Mapping[str, float], duplicates: str) -> dict[str, float]:
    """Return one value of each property.

    Raises:
        DataError: if values disagree, and nothing is said of how to treat that.
    """
    found = {}
    for name, new in each.values.items():
        said = [(before[name], "brought before"), *new] if name in before else new
        first, place = said[0]
        other = next((pair for pair in said[1:] if not _same(first, pair[0])), None)
        found[name] = first
        if other is None or duplicates == "first":
            continue
        if duplicates == "refuse" or name in before:
            raise DataError(
                f"{name} of {formula_of(each.material)} is {first:.8g} ({place}) and "
                f"{other[0]:.8g}",
                where=other[1],
                remedy="Remove one; or write duplicates: first or duplicates: mean for that file, "
                "or tier: other where they were measured by different means.",
            )
        found[name] = math.fsum(value for value, _ in said) / len(said)
    return found


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=SAME, abs_tol=1e-9)


def _label(id: str, each: _Merged, values: Mapping[str, float], use: SpaceUse) -> BroughtLabel:
    what, reason = use.of(each.material)
    return BroughtLabel(
        candidate=id,
        formula=formula_of(each.material),
        lattice=lattice_of(each.material, use.space),
        properties=dict(values),
        source=each.source,
        use=what,
        outside=reason,
    )


def _events(
    source: KnownLabels, labels: Sequence[BroughtLabel], who: str, why: str
) -> Iterator[LabelsBrought]:
    for begin in range(0, len(labels), MOST_LABELS):
        yield LabelsBrought(
            labels=tuple(labels[begin : begin + MOST_LABELS]),
            value_of=source.value_of,
            fingerprint=source.fingerprint,
            source=source.source,
            checksum=source.checksum,
            who=who,
            why=why,
        )


def _remarks(
    source: KnownLabels, labels: Sequence[BroughtLabel], n_merged: int, state: CampaignState
) -> Iterator[str]:
    name = source.source
    n = len(source.labels)
    whose = "another fidelity" if source.value_of is None else f"tier {source.value_of}"
    labelled = sum(bool(label.properties) for label in labels)
    yield (
        f"{name}: {labelled} labelled and {len(labels) - labelled} unlabelled materials; values of "
        f"{whose}, brought, not measured here"
    )
    for remark in source.remarks:
        yield f"{name}: {remark}"
    if n > n_merged:
        yield f"{name}: {n - n_merged} of {n} are equivalent to others in it, and one with them"
    if known := n_merged - len(labels):
        yield f"{name}: {known} say nothing that was not brought before"
    for what, words in (
        ("learning", "outside the space: learnt from, never proposed"),
        ("kept", "which nothing here can describe: kept in the record, not learnt from"),
    ):
        found = [label for label in labels if label.use == what]
        if found:
            example = f"{found[0].formula}: {found[0].outside}"
            yield f"{name}: {len(found)} {words}; for example {example}"
    if source.value_of is not None:
        own = {m.candidate for m in state.answers(source.value_of)}
        if measured := sum(label.candidate in own for label in labels):
            yield f"{name}: {measured} are measured here already, and these measurements stand"
