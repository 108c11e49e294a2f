"""Promotion: sending the best candidates of one tier to the next, higher one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Composition

from alloop.loop.choose.fidelity import FidelityMap, corrections
from alloop.loop.choose.relaxation_checks import promotion_rejection
from alloop.loop.choose.screening import CandidateRejection
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Decision, Lineage, Measured, Posterior, Proposed, Stage
from alloop.loop.state.budgets import predicted_core_hours
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.disagreement import Disagreement, disagreement
from alloop.loop.state.promotion_size import batch_size
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
    waiting = _feasible(state, tier)
    trusted, refused = [], []
    for answer in waiting:
        rejection = promotion_rejection(state, store, answer)
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


def _feasible(state: CampaignState, tier: int) -> list[Measured]:
    """Return the candidates that may be promoted, best by the tier below first."""
    asked = {e.candidate for e in state.evaluations if e.tier == tier}
    below = [m for m in state.answers(tier - 1) if m.candidate not in asked]
    feasible = [m for m in below if state.utility.is_feasible(m.properties)]
    return sorted(feasible, key=lambda m: state.utility.rank(m.properties), reverse=True)


def _ranked(
    state: CampaignState,
    tier: int,
    round: int,
    trusted: Sequence[Measured],
    lines: Mapping[str, FidelityMap],
) -> list[PromotionCandidate]:
    """Return the trusted candidates in the order of the campaign's rule, the first to be promoted
    first."""
    expected = [_expected(answer, lines) for answer in trusted]
    if state.spec.promotion.rule == "top":
        return [
            PromotionCandidate(answer, each, -float(place), f"place {place + 1} among the feasible")
            for place, (answer, each) in enumerate(zip(trusted, expected, strict=True))
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


def expected_gains(
    state: CampaignState,
    tier: int,
    round: int,
    answers: Sequence[Measured],
    lines: Mapping[str, FidelityMap],
) -> list[float]:
    """Return the expected improvement of each candidate on the tier's feasible best, in the unit of
    the utility; what misses the constraints improves nothing.

    While the tier has no feasible best, the least promising of the candidates stands for it.
    The same draws serve all candidates, so that none is lucky.
    """
    utility, names = state.utility, state.spec.property_names()
    rng = np.random.default_rng(derive_seed(state.spec.seed, Stage.PROMOTION, round, tier))
    degrees = lines[names[0]].degrees if names else 1.0
    draws = rng.standard_t(degrees, size=(GAIN_SAMPLES, len(names)))
    values = []
    for answer in answers:
        columns = []
        for i, name in enumerate(names):
            mean, scale = lines[name].predict(np.array([answer.properties[name]]))
            columns.append(mean[0] + scale[0] * draws[:, i])
        rows = [dict(zip(names, map(float, row), strict=True)) for row in np.column_stack(columns)]
        values.append([utility.value(row) if utility.is_feasible(row) else -np.inf for row in rows])
    measured = [m.properties for m in state.answers(tier) if utility.is_feasible(m.properties)]
    best = max((utility.value(properties) for properties in measured), default=None)
    if best is None:
        best = min((utility.value(answer.properties) for answer in answers), default=0.0)
    return [float(np.maximum(np.array(row) - best, 0.0).mean()) for row in values]


def _expected(answer: Measured, lines: Mapping[str, FidelityMap]) -> dict[str, Posterior]:
    return {name: line.posterior(answer.properties[name]) for name, line in lines.items()}


def _atoms(state: CampaignState, candidate: str) -> int:
    return round(Composition(state.decisions[candidate].formula).num_atoms)


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
    return _decision(state, answer, _expected(answer, lines), reason.reason, reason)


def _decision(
    state: CampaignState,
    answer: Measured,
    expected: Mapping[str, Posterior],
    reason: str,
    rejection: CandidateRejection | None = None,
) -> Decision:
    origin = state.decisions[answer.candidate]
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
