"""The model's training set: everything that was learnt, labelled or not, relaxed or as proposed."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice

import numpy as np

from alloop.loop.choose.candidate_pool import available_rows
from alloop.loop.choose.known_values import known_values
from alloop.loop.choose.screening import SCREENING_RULES, Seen
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Stage
from alloop.loop.state.brought import brought_materials
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.outliers import winsorised
from alloop.materials import Material
from alloop.models.base import Dataset, GenerativeModel, LearnsRelaxed, LearnsWithoutLabels
from alloop.oracles.base import Status
from alloop.seeds import derive_seed


def training_set(
    state: CampaignState, store: ArtifactStore, seen: Seen, model: GenerativeModel
) -> Dataset:
    """Return what a model is trained on: all that is known, then materials without a label.

    A model that learns where atoms come to rest gets the relaxed material of each that a tier has
    relaxed: the first such tier's, since labels are on its scale.

    Args:
        state: with labels.
        store: of its materials.
        seen: everything measured or pending.
        model: to be trained; it says how many unlabelled materials are worth their time.
    """
    names, known = state.spec.property_names(), known_values(state)
    labelled = [each.candidate for each in known]
    n = _n_unlabelled(state, model, len(known))
    unvalued = list(_without_value(state, set(labelled))) if n else []
    ids = labelled + unvalued
    unlabelled = list(_unlabelled(state, store, seen, set(ids), n))
    labels = np.full((len(ids) + len(unlabelled), len(names)), np.nan)
    values = [[each.properties.get(name, np.nan) for name in names] for each in known]
    labels[: len(known)] = winsorised(np.array(values))
    is_augmented = np.zeros(len(labels), dtype=bool)
    is_augmented[: len(known)] = [each.stage is Stage.AUGMENTATION for each in known]
    relaxed: tuple[Material | None, ...] = ()
    if isinstance(model, LearnsRelaxed) and model.learns_relaxed():
        at_rest = _relaxed_ids(state)
        found = [at_rest.get(id) for id in ids]
        known_relaxed = [None if id is None else store.get_material(id) for id in found]
        relaxed = (*known_relaxed, *[None] * len(unlabelled))
    return Dataset(
        materials=(*map(store.shared_material, ids), *unlabelled),
        property_names=names,
        labels=labels,
        is_augmented=is_augmented,
        relaxed=relaxed,
    )


def _relaxed_ids(state: CampaignState) -> dict[str, str]:
    """Return the artifact of each candidate's relaxed material, by the lowest tier that made one:
    labels are on the first tier's scale."""
    found: dict[str, str] = {}
    for measured in sorted(state.recorded.values(), key=lambda m: -m.tier):
        if measured.status is Status.OK and measured.relaxed is not None:
            found[measured.candidate] = measured.relaxed
    return found


def _without_value(state: CampaignState, known: set[str]) -> Iterator[str]:
    """Yield candidates that some tier measured and of which no value can be learnt: it is in doubt,
    or of a higher tier whose scale is not known yet. Their crystals teach all the same."""
    measured = (m.candidate for m in state.recorded.values() if m.status is Status.OK)
    return (id for id in dict.fromkeys(measured) if id not in known)


def _n_unlabelled(state: CampaignState, model: GenerativeModel, n_labelled: int) -> int:
    if not isinstance(model, LearnsWithoutLabels):
        return 0
    return min(state.spec.learning.unlabelled, model.most_unlabelled(n_labelled))


def _unlabelled(
    state: CampaignState, store: ArtifactStore, seen: Seen, known: set[str], n: int
) -> Iterable[Material]:
    # Somebody took the trouble to bring them: they come before what was only drawn.
    brought = [
        id for id, b in brought_materials(state).items() if b.use != "kept" and id not in known
    ][:n]
    if state.spec.acquisition.candidates == "table":
        first = [store.get_material(id) for id in brought]
        return [*first, *_unlabelled_rows(state, seen, set(brought), n - len(brought))]
    ids = list(islice(dict.fromkeys(chain(brought, _never_measured(state, known))), n))
    return [store.get_material(id) for id in reversed(ids)]


def _unlabelled_rows(
    state: CampaignState, seen: Seen, brought: set[str], n: int
) -> Iterable[Material]:
    """Return n rows of the table that were not measured, in one order for all rounds: they change
    only as rows are measured."""
    if n == 0:
        return []
    rows = [each for each in available_rows(state, seen) if each.id not in brought]
    rng = np.random.default_rng(derive_seed(state.spec.seed, "unlabelled"))
    order = sorted(rng.permutation(len(rows))[:n].tolist())
    return [rows[place].material for place in order]


def _never_measured(state: CampaignState, known: set[str]) -> Iterator[str]:
    """Yield candidates that could have been measured and were not, the newest first.

    What the screening refused is no example of the space, and what proved infeasible is none to
    learn from.
    """
    passed_over = known | set(state.infeasible)
    for proposal in reversed(state.proposals):
        for decision in reversed(proposal.decisions):
            id = decision.candidate
            if proposal.tier or decision.rule in SCREENING_RULES or id in passed_over:
                continue
            passed_over.add(id)
            yield id
