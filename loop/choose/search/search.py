"""A round's search: surrogates by evidence, climbs from many starts, and a batch chosen jointly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from alloop.errors import MaterialError
from alloop.loop.choose.draft import Draft
from alloop.loop.choose.fidelity import FidelityMaps, maps_to_top_tier, propagate_posterior
from alloop.loop.choose.known_values import KnownMaterials, known_materials
from alloop.loop.choose.moves.base import FloatArray, IntArray, Moves
from alloop.loop.choose.moves.equivalents import known_orderings
from alloop.loop.choose.moves.of_space import moves_of
from alloop.loop.choose.numerics import side_by_side, single_threaded
from alloop.loop.choose.rows.rows import compositions_of_rows
from alloop.loop.choose.screening import CandidateRejection, Seen
from alloop.loop.choose.search.aimed import aimed
from alloop.loop.choose.search.base import CHEAP_ROWS
from alloop.loop.choose.search.climb import Climbed, climb
from alloop.loop.choose.search.descriptors import Fractions, descriptors_of
from alloop.loop.choose.search.evidence import Surrogates, fit_surrogates
from alloop.loop.choose.search.front_score import Score, score_of
from alloop.loop.choose.search.hull import HullEnergies
from alloop.loop.choose.search.joint import JointAcquisition, choose_batch, joint_acquisition
from alloop.loop.choose.search.recalibration import interval_scale
from alloop.loop.choose.search.score import Marginals
from alloop.loop.choose.search.starts import Decoded, Starts, decode_around, starts_of_climb
from alloop.loop.choose.strategies.batch import Batch
from alloop.loop.choose.trust_region import trust_region_edge
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Decision, Posterior, Proposed, Stage
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.outliers import outlying_labels
from alloop.materials import Material
from alloop.models.base import GenerativeModel
from alloop.seeds import derive_seed

NEIGHBOURS = 24
"""Number of neighbours that a chain looks at in a step."""
FEWEST_STEPS, MOST_STEPS = 6, 40
CODES_AT_ONCE = 256
"""Number of codes that are scored together, whatever the number of cores, so that it changes no
result."""
MOST_LOOKED_AT = 1024
"""Number of candidates from a climb that are screened, at most."""
SHORTLIST = 128
"""Number of candidates that the batch is chosen from jointly: the best by their own scores."""
MAX_STD = 0.5
"""Largest standard deviation that a climb counts on, in standard deviations of the labels. Far from
everything measured the surrogate's own is so large that the acquisition would look nowhere else."""
N_CENTRES = 16
"""Number of best measured candidates that latent points are scattered around."""


def propose_by_search(
    state: CampaignState,
    store: ArtifactStore,
    seen: Seen,
    model: GenerativeModel | None,
    *,
    round: int,
) -> Proposed:
    """Propose a batch that was searched for under the acquisition.

    The best measured candidates, what the model decodes around them and, in a space of orderings,
    symmetric orderings are climbed from by moves of the space.

    Args:
        state: with at least two labels.
        store: receives every candidate that is recorded, and the latent points.
        seen: everything measured or pending.
        model: fitted in this round; None to search without one.
        round: whose seeds to use.
    """
    seed = derive_seed(state.spec.seed, Stage.ACQUISITION, round)
    rng = np.random.default_rng(seed)
    known_values = known_materials(state, store)
    materials = known_values.materials
    batch = Batch(state, seen, round)
    with single_threaded(), torch.random.fork_rng():
        torch.manual_seed(seed)
        generated = _generated(state, store, model, materials, round, seed)
        # What the model made can be moved from as well: a crystal's frame may be its own.
        own = {draft.id: draft.material for draft in generated}
        moves = moves_of(
            state.spec.space, own | materials, compositions=compositions_of_rows(state)
        )
        task = SearchTask.of(state, model, moves, known_values)
        codes = _codes(moves, materials)
        decoded = _sorted_by_score(Decoded.of(generated, moves), task)
        best = {id: codes[id] for id in list(materials)[:N_CENTRES] if id in codes}
        starts = starts_of_climb(state.spec.space, moves, best, decoded, rng, seed=seed)
        n_chains = sum(len(group.starts) for group in starts.groups)
        climbed = climb(
            task.score_codes,
            starts.groups,
            rng,
            steps=_steps(task.surrogates.rows_per_round, n_chains),
            neighbours=NEIGHBOURS,
            most=MOST_LOOKED_AT,
            is_known=known_orderings(state.spec.space, codes.values()),
        )
        known = {code.tobytes() for code in codes.values()}
        rows = [row for row, code in enumerate(climbed.codes) if code.tobytes() not in known]
        passed, passed_rows, n_known = _shortlist(batch, moves, starts, climbed, rows, seed)
        last = passed_rows[-1] if len(passed) == SHORTLIST else len(climbed.codes)
        n_known += last - sum(row < last for row in rows)
        decided = task.decide(passed, climbed.codes[passed_rows], batch.size, seed)
    batch.decide(decided)
    n_filled = batch.n_missing
    batch.fill()
    origin = [starts.groups[climbed.group[row]].name for row in passed_rows]
    chosen = [name for name, (_, decision) in zip(origin, decided, strict=True) if decision.chosen]
    return batch.proposed(
        store,
        {
            "decoded": float(decoded.n_decoded),
            "decoded_in_space": float(len(decoded.codes)),
            "scored": float(climbed.n_scored),
            "known_already": float(n_known),
            "shortlisted": float(len(passed)),
            "drawn_at_random": float(n_filled),
            **{
                f"chosen_from_{group.name}": float(chosen.count(group.name))
                for group in starts.groups
            },
            **task.notes(),
        },
    )


@dataclass(frozen=True)
class SearchTask:
    """What a round searches for: surrogates of what is known, and the score they are used for."""

    state: CampaignState
    surrogates: Surrogates
    score: Score
    label_stds: FloatArray
    """Standard deviation of each property's labels, shape (p,)."""
    lines: FidelityMaps
    """Maps to the top tier, once they are known."""

    @classmethod
    def of(
        cls,
        state: CampaignState,
        model: GenerativeModel | None,
        moves: Moves | None,
        known: KnownMaterials,
    ) -> "SearchTask":
        """Return the task of a round.

        Args:
            state: with labels.
            model: fitted in the round; None where there is none.
            moves: of the space; None to choose from a table.
            known: materials with what is known of them, the best first.
        """
        names = state.spec.property_names()
        materials, values = known.materials, known.values
        lines = maps_to_top_tier(state)
        surrogates = fit_surrogates(
            descriptors_of(state.spec.space, model, moves),
            list(materials.values()),
            values,
            names,
            [interval_scale(state, name) for name in names],
            HullEnergies.of(state, moves),
            Fractions(state.spec.space.elements, moves) if lines else None,
        )
        labels = Marginals(names, values, np.zeros_like(values))
        fractions = surrogates.fractions(surrogates.known)
        mean = aimed(labels, cls._aim(state, lines), fractions).mean
        whole = mean[np.isfinite(mean).all(axis=1)]
        rows = [dict(zip(names, row, strict=True)) for row in whole.tolist()]
        score = score_of(state.utility, rows)
        return cls(state, surrogates, score, np.nanstd(values, axis=0), lines)

    def score_codes(self, codes: IntArray) -> FloatArray:
        """Return the score of codes, (n,)."""
        if self.surrogates.rows_per_round < CHEAP_ROWS:  # a model's networks are one thread's
            return self._score_few(codes)
        parts = [codes[i : i + CODES_AT_ONCE] for i in range(0, len(codes), CODES_AT_ONCE)]
        return np.concatenate(side_by_side(self._score_few, parts))

    def _score_few(self, codes: IntArray) -> FloatArray:
        return self.score_features(self.surrogates.of_codes(codes))

    def score_features(self, features: FloatArray) -> FloatArray:
        """Return the score of features, (n,)."""
        marginals = self.surrogates.predict(features)
        most = np.where(self.label_stds > 0, MAX_STD * self.label_stds, np.inf)
        believed = replace(marginals, std=np.minimum(marginals.std, most))
        fractions = self.surrogates.fractions(features)
        return self.score(aimed(believed, self._aim(self.state, self.lines), fractions))

    def decide(
        self, drafts: Sequence[Draft], codes: IntArray, size: int, seed: int
    ) -> list[tuple[Draft, Decision]]:
        """Return the decision on every draft: a batch chosen jointly, the others rejected."""
        if not drafts:
            return []
        return self.decide_on_features(drafts, self.surrogates.of_codes(codes), size, seed)

    def decide_on_features(
        self, drafts: Sequence[Draft], features: FloatArray, size: int, seed: int
    ) -> list[tuple[Draft, Decision]]:
        """Return the decision on every draft, given their features (n, d)."""
        acquisition = self._acquisition(features, seed)
        choice = choose_batch(acquisition, len(drafts), size)
        posteriors = self.surrogates.posteriors(features)
        fractions = self.surrogates.fractions(features)
        last = choice.scores[choice.order[-1]]
        places = {row: place for place, row in enumerate(choice.order)}
        decided = []
        for row, draft in enumerate(drafts):
            score = choice.scores[row]
            rejection, reason = None, ""
            if row in places:
                reason = f"choice {places[row] + 1} of {size} by acquisition"
            else:
                text = f"its acquisition {score:.3g} is below {last:.3g}, the last that was chosen"
                rejection = CandidateRejection("acquisition", min(score - last, 0.0), text)
            posterior = posteriors[row]
            decision = draft.decide(
                self.state.spec.space,
                rejection=rejection,
                reason=reason,
                acquisition=score,
                posterior=posterior,
                high_fidelity=propagate_posterior(self.lines, posterior, fractions[row]),
            )
            decided.append((draft, decision))
        return decided

    def assess(
        self, features: FloatArray, seed: int
    ) -> list[tuple[dict[str, Posterior], dict[str, Posterior], float]]:
        """Return of every row of features, shape (n, d), the posteriors of the first tier and of
        the top tier, and the acquisition of the candidate alone."""
        acquisition = self._acquisition(features, seed)
        with torch.no_grad():
            scores = acquisition(range(len(features))).tolist()
        return [
            (posterior, propagate_posterior(self.lines, posterior, shares), score)
            for posterior, shares, score in zip(
                self.surrogates.posteriors(features),
                self.surrogates.fractions(features),
                scores,
                strict=True,
            )
        ]

    def _acquisition(self, features: FloatArray, seed: int) -> JointAcquisition:
        """Return the joint acquisition of rows of features, shape (n, d)."""
        return joint_acquisition(
            self.surrogates,
            self.surrogates.known,
            features,
            self.state.utility,
            seed=seed,
            lines=self._aim(self.state, self.lines),
        )

    def notes(self) -> dict[str, float | str]:
        """Return what is worth recording: the surrogates, what they were chosen among, and how
        their intervals were corrected."""
        notes: dict[str, float | str] = {}
        for name, chosen, scale in zip(
            self.surrogates.property_names,
            self.surrogates.chosen,
            self.surrogates.interval_scales,
            strict=True,
        ):
            notes[f"surrogate_{name}"] = chosen.name
            notes[f"interval_scale_{name}"] = scale
            for tried, evidence in chosen.evidence.items():
                notes[f"evidence_{name}: {tried}"] = evidence
        aim = self._aim(self.state, self.lines)
        for label in outlying_labels(self.state):
            key = f"outlying_{label.property_name}"
            notes[key] = float(notes.get(key, 0.0)) + 1.0
        notes["aim"] = "top-tier" if aim else "first-tier"
        return notes

    @staticmethod
    def _aim(state: CampaignState, lines: FidelityMaps) -> FidelityMaps:
        return lines if state.spec.acquisition.aim == "top-tier" else ()


def _codes(moves: Moves, materials: "dict[str, Material]") -> dict[str, IntArray]:
    """Return the codes of the materials that have one, by candidate."""
    codes = {}
    for id, material in materials.items():
        try:
            codes[id] = moves.encode([material])[0]
        except MaterialError:
            continue  # a person may report what is not in the space
    return codes


def _generated(
    state: CampaignState,
    store: ArtifactStore,
    model: GenerativeModel | None,
    materials: Mapping[str, Material],
    round: int,
    seed: int,
) -> list[Draft]:
    """Decode latent points around the best."""
    if model is None:
        return []
    n = state.spec.acquisition.pool
    assert n is not None  # the spec fills it in where it counts
    everything = list(materials.values())
    return decode_around(
        model,
        state.models[round].checkpoint,
        everything[:N_CENTRES],
        everything,
        store,
        n=n,
        edge=trust_region_edge(state, round),
        space=state.spec.space,
        seed=seed,
    )


def _sorted_by_score(decoded: Decoded, task: SearchTask) -> Decoded:
    """Return each of what was decoded once, the best by its score first."""
    if not len(decoded.codes):
        return decoded
    first = np.sort(np.unique(decoded.codes, axis=0, return_index=True)[1])
    order = first[np.argsort(-task.score_codes(decoded.codes[first]), kind="stable")]
    lineages = tuple(decoded.lineages[row] for row in order)
    return Decoded(decoded.codes[order], lineages, decoded.n_decoded)


def _shortlist(
    batch: Batch,
    moves: Moves,
    starts: Starts,
    climbed: Climbed,
    rows: Sequence[int],
    seed: int,
) -> tuple[list[Draft], list[int], int]:
    """Return the best candidates that pass the screening, their rows, and how many on the way were
    equivalent to what is known."""
    passed: list[Draft] = []
    passed_rows: list[int] = []
    n_known = 0
    for start in range(0, len(rows), SHORTLIST):
        part = rows[start : start + SHORTLIST]
        for row, material in zip(part, moves.decode(climbed.codes[part]), strict=True):
            group, chain = int(climbed.group[row]), int(climbed.chain[row])
            draft = Draft(material, starts.lineage(group, chain, climbed.codes[row], moves, seed))
            if batch.knows(draft):
                n_known += 1
                continue  # equivalents of what is measured lie around everything that is good
            if batch.screen([draft]):
                passed.append(draft)
                passed_rows.append(row)
            if len(passed) == SHORTLIST:
                return passed, passed_rows, n_known
    return passed, passed_rows, n_known


def _steps(rows_per_round: int, n_chains: int) -> int:
    steps = rows_per_round // (NEIGHBOURS * max(1, n_chains))
    return min(max(steps, FEWEST_STEPS), MOST_STEPS)
