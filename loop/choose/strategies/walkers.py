"""Local search and simulated annealing: walkers that move from label to label, side by side.

A walker stands on a measured candidate. In each round some of its neighbours are measured; it then
moves to the best of them, or stays. Where the walkers stand follows from the record alone, so that
a resumed campaign goes on with the same.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np

from alloop.loop.choose.screening import Seen
from alloop.loop.choose.strategies.batch import Batch
from alloop.loop.choose.strategies.directions import Weights, directions
from alloop.loop.choose.strategies.surroundings import (
    FIRST,
    Surroundings,
    first_labels,
    surroundings_of,
)
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Measured, Proposed, Stage
from alloop.loop.state.campaign_state import CampaignState
from alloop.seeds import derive_seed

COOLING = 1 / 100
"""Temperature of the last round over that of the first."""

Accepts = Callable[[Measured, Measured, int, int], bool]
"""Whether a walker moves: from a label, to a label, in a round, and the walker's number."""


def propose_local_search(
    state: CampaignState, store: ArtifactStore, seen: Seen, *, round: int
) -> Proposed:
    """Propose random neighbours of each walker, which moves only to what is better.

    Where the Pareto front is sought, each walker goes for its own part of it (``directions``).
    This is AlloGen's local search (``alloop.loop.choose.augmentation``) as the whole acquisition,
    with every move of the space.
    """

    towards = _directions(state)

    def accepts(old: Measured, new: Measured, round: int, walker: int) -> bool:
        rank, weights = state.utility.rank, towards[walker]
        return rank(new.properties, weights) > rank(old.properties, weights)

    return _propose(state, store, seen, accepts, {}, round)


def propose_annealing(
    state: CampaignState, store: ArtifactStore, seen: Seen, *, round: int
) -> Proposed:
    """Propose random neighbours of each walker, which also moves to what is worse, by chance.

    Simulated annealing (Kirkpatrick, Gelatt and Vecchi, Science 220, 671, 1983) with Metropolis'
    rule. The first temperature is a share of the spread of the first labels; it falls by the same
    factor every round.
    """
    start, towards = _first_temperature(state), _directions(state)
    n_rounds = planned_rounds(state)

    def temperature(round: int) -> float:
        return start * COOLING ** ((round - 1) / max(n_rounds - 1, 1))

    def accepts(old: Measured, new: Measured, round: int, walker: int) -> bool:
        utility, weights = state.utility, towards[walker]
        if utility.rank(new.properties, weights) >= utility.rank(old.properties, weights):
            return True
        if not utility.is_feasible(new.properties):
            return False
        loss = utility.value(old.properties, weights) - utility.value(new.properties, weights)
        seed = derive_seed(state.spec.seed, "annealing", round, walker)
        return np.random.default_rng(seed).random() < math.exp(-loss / temperature(round))

    return _propose(state, store, seen, accepts, {"temperature": temperature(round)}, round)


def _propose(
    state: CampaignState,
    store: ArtifactStore,
    seen: Seen,
    accepts: Accepts,
    notes: dict[str, float | str],
    round: int,
) -> Proposed:
    seed = derive_seed(state.spec.seed, Stage.ACQUISITION, round)
    surroundings = surroundings_of(state, store, seen, seed=seed)
    batch = Batch(state, seen, round)
    standing = list(standpoints(state, surroundings, accepts))
    shares = [len(part) for part in np.array_split(np.arange(batch.size), max(len(standing), 1))]
    for walker, (place, share) in enumerate(zip(standing, shares, strict=False)):
        rng = np.random.default_rng(derive_seed(seed, walker))
        batch.take(
            surroundings.near(place.candidate, rng),
            share,
            reason=f"a move of walker {walker + 1} from {place.candidate[:10]}",
        )
    batch.fill()
    return batch.proposed(store, {"walkers": float(len(standing)), **notes})


def standpoints(
    state: CampaignState, surroundings: Surroundings, accepts: Accepts
) -> Iterator[Measured]:
    """Yield the label that each walker stands on, after all rounds so far.

    Walkers begin at the best of the first labels. What a round measured around a walker is known by
    its parent; no two walkers stand on one candidate, since none is measured twice.
    """
    answers = {m.candidate: m for m in state.known_answers()}
    rounds = [p for p in state.proposals if p.stage is Stage.ACQUISITION]
    free = first_labels(state, surroundings)
    for walker, weights in enumerate(_directions(state)[: len(free)]):

        def rank(m: Measured, weights: Weights = weights) -> tuple[bool, float]:
            return state.utility.rank(m.properties, weights)

        place = max(free, key=rank)
        free.remove(place)
        for proposal in rounds:
            made = (d for d in proposal.decisions if d.lineage.parent == place.candidate)
            children = [answers[d.candidate] for d in made if d.chosen and d.candidate in answers]
            ranked = sorted(children, key=rank, reverse=True)
            best = next((m for m in ranked if surroundings.has(m.candidate)), None)
            if best is not None and accepts(place, best, proposal.round, walker):
                place = best
        yield place


def _directions(state: CampaignState) -> tuple[Weights, ...]:
    n_walkers = state.spec.acquisition.walkers
    assert n_walkers is not None  # the spec fills it in where it counts
    return directions(state.utility, n_walkers)


def planned_rounds(state: CampaignState) -> int:
    """Return how many rounds of acquisition the budget allows, at least one."""
    budget, batch = state.spec.budget, state.spec.acquisition.batch
    left = max(budget.measurements[0] - budget.initial, 0)
    return max(min(budget.rounds, math.ceil(left / batch)), 1)


def _first_temperature(state: CampaignState) -> float:
    """Return the first temperature, in the utility's unit."""
    share = state.spec.acquisition.temperature
    assert share is not None  # the spec fills it in where it counts
    first = (m.properties for m in state.known_answers() if m.stage in FIRST)
    values = [state.utility.value(properties) for properties in first]
    spread = float(np.std(values)) if len(values) > 1 else 0.0
    return share * spread or 1.0
