"""Local search with oracle feedback: new labels made around the round's best.

The procedure is the AlloGen paper's: from a parent, exchange two unlike atoms, relax and
measure; the next iteration starts from the best of the parent and its neighbours. Composition
is kept, ordering improves.
"""

import json
from collections.abc import Iterator

import numpy as np
from pymatgen.core import Structure

from alloop.canonical import canonical_json, sha256
from alloop.errors import MaterialError
from alloop.exchanges import Exchange, exchanged_structure, unlike_pairs
from alloop.loop.choose.draft import Draft, take
from alloop.loop.choose.screening import Seen
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Decision, Lineage, Proposed, Stage
from alloop.loop.state.campaign_state import CampaignState, Evaluation
from alloop.loop.state.ranking.pareto import best_first
from alloop.materials import Material
from alloop.models.lattice.decorations import DecorationSpace
from alloop.parents.layout import FIXED
from alloop.seeds import derive_seed
from alloop.space import AnySpace, Decorations

DRAWS_PER_SWAP = 10
"""Number of exchanges drawn per neighbour before a neighbourhood is given up as exhausted."""


def propose_neighbours(
    state: CampaignState, store: ArtifactStore, seen: Seen, *, round: int, iteration: int
) -> Proposed:
    """Propose exchanges of unlike atoms around the centre of each of the round's searches."""
    search = state.spec.augmentation
    assert search is not None
    known = seen.overlay()
    decisions: list[Decision] = []
    for chain, centre in enumerate(search_centres(state, round)):
        seed = derive_seed(state.spec.seed, Stage.AUGMENTATION, round, iteration, chain)
        material = store.get_material(centre)
        pairs = _exchangeable(material, state.spec.space)
        drafts = _neighbours(material, pairs, centre, seed, search.swaps)
        size = min(search.swaps, state.remaining() - sum(decision.chosen for decision in decisions))
        taken = take(
            state, known, drafts, size, reason=f"exchange of two atoms around {centre[:10]}"
        )
        store.put_materials([draft.material for draft, _ in taken])
        decisions.extend(decision for _, decision in taken)
    return Proposed(
        round=round, stage=Stage.AUGMENTATION, iteration=iteration, decisions=tuple(decisions)
    )


def search_centres(state: CampaignState, round: int) -> tuple[str, ...]:
    """Return the centre of each of the round's searches: the best of its chain so far.

    The chains begin at the best candidates of the round's acquisition; a neighbour belongs to
    the chain whose centre it was made from.
    """
    assert state.spec.augmentation is not None
    answers = {m.candidate: m for m in state.answers() if m.round == round}
    by_rank = best_first(state, [m for m in answers.values() if m.stage is Stage.ACQUISITION])
    centres = [m.candidate for m in by_rank[: state.spec.augmentation.parents]]
    for proposal in state.proposals:
        if proposal.round != round or proposal.stage is not Stage.AUGMENTATION:
            continue
        children = [d for d in proposal.decisions if d.chosen and d.candidate in answers]
        for i, centre in enumerate(centres):
            chain = [centre, *(d.candidate for d in children if d.lineage.parent == centre)]
            centres[i] = best_first(state, [answers[c] for c in chain])[0].candidate
    return tuple(centres)


def task_payload(state: CampaignState, store: ArtifactStore, evaluation: Evaluation) -> str:
    """Return the task of a worker as canonical JSON: a material or, in a local search with a warm
    start, the material that the search began at and the exchanges made since."""
    material, exchanges = _asked(state, evaluation)
    plain = store.get(material).decode()  # stored as canonical JSON, and checked by its hash
    if not exchanges:
        return plain
    return canonical_json({"start": json.loads(plain), "exchanges": exchanges})


def task_payload_id(state: CampaignState, evaluation: Evaluation) -> str:
    """Return the id of a task payload, the same in every campaign: the material's id, or a hash of
    the start's and the exchanges."""
    material, exchanges = _asked(state, evaluation)
    if not exchanges:
        return material
    return sha256(canonical_json({"start": material, "exchanges": exchanges}))


def _asked(state: CampaignState, evaluation: Evaluation) -> tuple[str, list[tuple[int, int]]]:
    search = state.spec.augmentation
    if evaluation.stage is Stage.AUGMENTATION and search is not None and search.warm_start:
        return _path_from_start(state, evaluation.candidate)
    return evaluation.candidate, []


def _path_from_start(state: CampaignState, candidate: str) -> tuple[str, list[tuple[int, int]]]:
    exchanges: list[tuple[int, int]] = []
    while (lineage := state.decisions[candidate].lineage).swap is not None:
        assert lineage.parent is not None
        exchanges.insert(0, lineage.swap)
        candidate = lineage.parent
    return candidate, exchanges


def _exchangeable(material: Material, space: AnySpace) -> list[Exchange]:
    """Return the pairs of unlike atoms that may change places: of one sublattice, where there are
    sublattices."""
    if not isinstance(material, Structure):
        return []  # a composition has no sites to exchange
    unlike = unlike_pairs([site.specie for site in material])
    if not isinstance(space, Decorations) or not space.parent_options:
        return unlike
    try:
        sublattice = DecorationSpace.of_space(space).sublattice_of_atoms(material)
    except MaterialError:
        return []  # a person may report what is not in the space
    return [(i, j) for i, j in unlike if sublattice[i] == sublattice[j] != FIXED]


def _neighbours(
    material: Material, unlike: list[Exchange], parent: str, seed: int, swaps: int
) -> Iterator[Draft]:
    if not isinstance(material, Structure):
        return
    order = np.random.default_rng(seed).permutation(len(unlike))
    for k in order[: DRAWS_PER_SWAP * swaps]:
        lineage = Lineage(source="swap", parent=parent, swap=unlike[k], seed=seed)
        yield Draft(exchanged_structure(material, unlike[k]), lineage)
