"""Promotion: sending the best candidates of one tier to the next, higher one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Composition

from alloop.loop.choose.fidelity import FidelityMap, corrections, fractions_of
from alloop.loop.choose.moves.base import FloatArray
from alloop.loop.choose.relaxation_checks import promotion_rejection
from alloop.loop.choose.screening import CandidateRejection
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Decision, Lineage, Measured, Posterior, Proposed, Stage
from alloop.loop.state.brought import brought_answers, brought_materials
from alloop.loop.state.budgets import predicted_core_hours
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.disagreement import MIN_PAIRS, Disagreement, disagreement
from alloop.loop.state.promotion_size import batch_size
from alloop.loop.state.ranking.front import front_numbers
from alloop.loop.state.ranking.pareto import best_first
from alloop.loop.state.ranking.utility import Utility
from alloop.seeds import derive_seed

GAIN_SAMPLES = 512
"""Number of samples of the high-fidelity values behind each expected gain."""
MAX_CONSIDERED = 64
"""Number of best candidates of the tier below whose expected gain is computed."""


@dataclass(frozen=True)
class PromotionCandidate:
    """Feasible, trusted candidate of the tier below."""

    answer: Measured
    expected: Mapping[str, Posterior]
    """Posterior of the higher tier's values, by property."""
    score: float
    """Score that the promotion rule orders by; higher is better."""
    why: str


def propose_promotion(
    state: CampaignState, store: ArtifactStore, *, round: int, tier: int, iteration: int = 0
) -> Proposed:
    """Propose candidates of the tier below that this tier has not measured, by the campaign's
    rule. As many again, which just missed, are recorded with how far they did; and every better
    one whose result is not trusted, with the reason.

    Raises:
        LedgerError: if an artifact that the ledger names is missing or was changed.
    """
    agreement = disagreement(state, tier)
    size = batch_size(state, round, tier)
    lines = corrections(state, tier)
    waiting = _feasible(state, tier, lines)
    trusted, refused = [], []
    for answer in waiting:
        rejection = _veto(state, answer) or promotion_rejection(state, store, answer)
        if rejection is None:
            trusted.append(answer)
        elif len(trusted) < size:  # it would have been considered
            refused.append((answer, rejection))
    ranked = _ranked(state, tier, round, trusted, lines)[: 2 * size]
    decisions = [_decide(state, one, place, ranked, size) for place, one in enumerate(ranked)]
    decisions += [_refuse(state, answer, lines, reason) for answer, reason in refused]
    return Proposed(
        round=round,
        stage=Stage.PROMOTION,
        iteration=iteration,
        tier=tier,
        decisions=tuple(decisions),
        notes=_notes(agreement, lines),
    )


def _veto(state: CampaignState, answer: Measured) -> CandidateRejection | None:
    why = state.by_hand.reasons_vetoed.get(answer.candidate)
    return None if why is None else CandidateRejection("vetoed", -1.0, why)


def _feasible(state: CampaignState, tier: int, lines: Mapping[str, FidelityMap]) -> list[Measured]:
    """Return the candidates that may be promoted, those that were brought with the values of the
    tier below among them, best first: where the Pareto front is sought, its members by their
    contribution to the hypervolume, then the fronts behind.

    What is good is judged by the values of the tier below or, once the map to this tier is known
    well enough, by those that it is expected to measure.
    """
    asked = {e.candidate for e in state.evaluations if e.tier == tier}
    asked |= {m.candidate for m in brought_answers(state, tier)}
    materials = brought_materials(state)
    below = [
        m
        for m in state.known_answers(tier - 1)
        if m.candidate not in asked
        and (m.stage is not Stage.BROUGHT or materials[m.candidate].use == "space")
    ]
    feasible = {m.candidate: m for m in below if state.utility.is_feasible(m.properties)}
    judged = _judged(state, list(feasible.values()), lines)
    return [feasible[m.candidate] for m in best_first(state, judged)]


def _judged(
    state: CampaignState, answers: Sequence[Measured], lines: Mapping[str, FidelityMap]
) -> list[Measured]:
    """Return answers with the values that they are judged by: those that the higher tier is
    expected to measure, once the map to it is known well enough; else their own."""
    if not _are_known(state, lines):
        return list(answers)
    fractions = fractions_of(state, [m.candidate for m in answers])
    means = {
        name: line.predict(np.array([m.properties[name] for m in answers]), fractions)[0].tolist()
        for name, line in lines.items()
    }
    return [
        m.model_copy(update={"properties": {**m.properties, **{k: means[k][i] for k in means}}})
        for i, m in enumerate(answers)
    ]


def _are_known(state: CampaignState, lines: Mapping[str, FidelityMap]) -> bool:
    """Return whether the maps are believed: they are learnt from enough pairs."""
    enough = all(line.n_pairs >= MIN_PAIRS for line in lines.values())
    return bool(lines) and enough and state.spec.learning.higher_tiers


def _ranked(
    state: CampaignState,
    tier: int,
    round: int,
    trusted: Sequence[Measured],
    lines: Mapping[str, FidelityMap],
) -> list[PromotionCandidate]:
    """Return the trusted candidates in the order of the campaign's rule, the first to be promoted
    first."""
    expected = [_expected(state, answer, lines) for answer in trusted]
    if state.spec.promotion.rule == "top":
        by = " by what the higher tier is expected to say" if _are_known(state, lines) else ""
        places = [words + by for words in _places(state, _judged(state, trusted, lines))]
        return [
            PromotionCandidate(answer, each, -float(place), words)
            for place, (answer, each, words) in enumerate(
                zip(trusted, expected, places, strict=True)
            )
        ]
    gains = expected_gains(state, tier, round, trusted[:MAX_CONSIDERED], lines)
    paid = [
        (_atoms(state, m.candidate), m.worth.core_hours)
        for m in state.recorded.values()
        if m.tier == tier
    ]
    aspirants = []
    for answer, each, gain in zip(trusted, expected, gains, strict=False):
        cost = predicted_core_hours(_atoms(state, answer.candidate), paid)
        unit = "core-hours" if paid else "atoms"
        why = f"an expected gain of {gain:.3g} for {cost:.3g} {unit}"
        aspirants.append(PromotionCandidate(answer, each, gain / cost, why))
    return sorted(aspirants, key=lambda one: one.score, reverse=True)


def _places(state: CampaignState, trusted: Sequence[Measured]) -> list[str]:
    """Return in words where each candidate stands among the others."""
    utility = state.utility
    places = [f"place {place + 1} among the feasible" for place in range(len(trusted))]
    if not utility.seeks_front or not trusted:
        return places
    numbers = front_numbers(np.array([utility.scaled(m.properties) for m in trusted]))
    return [
        f"{place}, on {'the Pareto front' if number == 0 else f'front {number + 1}'} of those "
        "not promoted yet"
        for place, number in zip(places, numbers.tolist(), strict=True)
    ]


def expected_gains(
    state: CampaignState,
    tier: int,
    round: int,
    answers: Sequence[Measured],
    lines: Mapping[str, FidelityMap],
) -> list[float]:
    """Return the expected improvement of each candidate on the tier's feasible best, in the unit of
    the utility; what misses the constraints improves nothing. Where the Pareto front is sought it
    is the improvement of the tier's hypervolume, in the objectives' scales.

    While the tier has no feasible best, the least promising of the candidates stands for it, and
    the reference point for a front. The same draws serve all candidates, so that none is lucky.
    """
    utility, names = state.utility, state.spec.property_names()
    rng = np.random.default_rng(derive_seed(state.spec.seed, Stage.PROMOTION, round, tier))
    degrees = lines[names[0]].degrees if names else 1.0
    draws = rng.standard_t(degrees, size=(GAIN_SAMPLES, len(names)))
    measured = [m.properties for m in state.answers(tier) if utility.is_feasible(m.properties)]
    gain_of = _front_gain if utility.seeks_front else _best_gain
    gain = gain_of(utility, measured, [answer.properties for answer in answers])
    gains = []
    fractions = fractions_of(state, [answer.candidate for answer in answers])
    for answer, shares in zip(answers, fractions, strict=True):
        columns = []
        for i, name in enumerate(names):
            mean, scale = lines[name].predict(np.array([answer.properties[name]]), shares[None])
            columns.append(mean[0] + scale[0] * draws[:, i])
        rows = [dict(zip(names, map(float, row), strict=True)) for row in np.column_stack(columns)]
        improved = gain([row for row in rows if utility.is_feasible(row)])
        gains.append(float(improved.sum()) / GAIN_SAMPLES)
    return gains


Rows = Sequence[Mapping[str, float]]
"""Property values, by name."""
Gain = Callable[[Rows], FloatArray]
"""Returns the improvement that each of some feasible property values is, shape (n,)."""


def _best_gain(utility: Utility, measured: Rows, candidates: Rows) -> Gain:
    best = max((utility.value(row) for row in measured), default=None)
    if best is None:
        best = min((utility.value(row) for row in candidates), default=0.0)

    def gain(rows: Rows) -> FloatArray:
        return np.maximum(np.array([utility.value(row) for row in rows]) - best, 0.0)

    return gain


def _front_gain(utility: Utility, measured: Rows, candidates: Rows) -> Gain:
    from alloop.loop.choose.search.cells import Cells  # noqa: PLC0415 (imports torch)

    m = len(utility.scales)
    points = np.array([utility.scaled(row) for row in measured]).reshape(-1, m)
    cells = Cells.above(points, utility.scaled_reference)

    def gain(rows: Rows) -> FloatArray:
        return cells.improvement(np.array([utility.scaled(row) for row in rows]).reshape(-1, m))

    return gain


def _expected(
    state: CampaignState, answer: Measured, lines: Mapping[str, FidelityMap]
) -> dict[str, Posterior]:
    (shares,) = fractions_of(state, [answer.candidate])
    return {name: line.posterior(answer.properties[name], shares) for name, line in lines.items()}


def _atoms(state: CampaignState, candidate: str) -> int:
    return round(Composition(state.formulas[candidate]).num_atoms)


def _decide(
    state: CampaignState,
    one: PromotionCandidate,
    place: int,
    ranked: Sequence[PromotionCandidate],
    size: int,
) -> Decision:
    if place < size:
        return _decision(state, one.answer, one.expected, f"{one.why}; {size} are promoted")
    last = ranked[size - 1].score if size else one.score
    text = f"{one.why}; {size} are promoted"
    rejection = CandidateRejection("promotion", one.score - last, text)
    return _decision(state, one.answer, one.expected, text, rejection)


def _refuse(
    state: CampaignState,
    answer: Measured,
    lines: Mapping[str, FidelityMap],
    reason: CandidateRejection,
) -> Decision:
    return _decision(state, answer, _expected(state, answer, lines), reason.reason, reason)


def _decision(
    state: CampaignState,
    answer: Measured,
    expected: Mapping[str, Posterior],
    reason: str,
    rejection: CandidateRejection | None = None,
) -> Decision:
    origin = state.decisions.get(answer.candidate) or brought_materials(state)[answer.candidate]
    return Decision(
        candidate=answer.candidate,
        formula=origin.formula,
        lattice=origin.lattice,
        chosen=rejection is None,
        rule=rejection.rule if rejection else None,
        margin=rejection.margin if rejection else None,
        reason=reason,
        posterior=dict(expected),
        lineage=Lineage(source="promoted", parent=answer.candidate),
    )


def _notes(agreement: Disagreement, lines: Mapping[str, FidelityMap]) -> dict[str, float | str]:
    notes: dict[str, float | str] = {"pairs": float(agreement.n_pairs)}
    if agreement.rank_correlation is not None:
        notes["rank_correlation"] = agreement.rank_correlation
    if agreement.warning:
        notes["disagreement"] = agreement.warning
    for name, line in lines.items():
        notes[f"offset_{name}"], notes[f"slope_{name}"] = line.line
    return notes
