"""Genetic algorithm: children of the best that are known, by crossover and mutation."""

from collections.abc import Sequence
from itertools import islice

import numpy as np

from alloop.loop.choose.screening import Seen
from alloop.loop.choose.strategies.batch import Batch
from alloop.loop.choose.strategies.surroundings import surroundings_of
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Measured, Proposed, Stage
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.ranking.pareto import best_first
from alloop.seeds import derive_seed

P_CROSSOVER = 0.6
"""Probability of a child of two parents; the others are one parent's, with a move made."""
TRIES = 8
"""Pairs of parents tried for each child that is wanted, before the rest is drawn at random."""


def propose_genetic(
    state: CampaignState, store: ArtifactStore, seen: Seen, *, round: int
) -> Proposed:
    """Propose children of the population, which is the best of everything measured so far.

    Elitist selection from parents and children together (μ + λ: Bäck and Schwefel, Evolutionary
    Computation 1, 1, 1993), parents by binary tournament (Goldberg and Deb, 1991), crossover of
    orderings by cut and splice (Deaven and Ho, Phys. Rev. Lett. 75, 288, 1995). Where the Pareto
    front is sought, the population is sorted front by front, as NSGA-II does (``best_first``).
    """
    seed = derive_seed(state.spec.seed, Stage.ACQUISITION, round)
    surroundings = surroundings_of(state, store, seen, seed=seed)
    size = state.spec.acquisition.population
    assert size is not None  # the spec fills it in where it counts
    known = (m for m in best_first(state, state.known_answers()) if surroundings.has(m.candidate))
    population = list(islice(known, size))
    batch, rng = Batch(state, seen, round), np.random.default_rng(seed)
    for _ in range(TRIES * batch.size if population else 0):
        if not batch.n_missing:
            break
        first, second = _tournament(population, rng), _tournament(population, rng)
        if rng.random() < P_CROSSOVER and first != second:
            drafts = surroundings.between(first, second, rng)
            reason = f"a child of {first[:10]} and {second[:10]}"
        else:
            drafts, reason = surroundings.near(first, rng), f"a mutation of {first[:10]}"
        batch.take(drafts, 1, reason=reason)
    batch.fill()
    return batch.proposed(store, {"population": float(len(population))})


def _tournament(population: Sequence[Measured], rng: np.random.Generator) -> str:
    """Return the better of two that are drawn; the population is sorted, the best first."""
    return population[int(rng.integers(len(population), size=2).min())].candidate
