"""What would have had to differ for a rejected candidate to be chosen, all else as it was."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from alloop.campaigns.spec import CampaignSpec
from alloop.loop.explain.improvement import mean_for_gain
from alloop.loop.explain.places import Place
from alloop.loop.record.events import Decision, Measured
from alloop.loop.state.campaign_state import CampaignState, evaluation_id


@dataclass(frozen=True)
class Requirement:
    """One thing that would have had to be otherwise; of several, each by itself unless ``all``."""

    what: str
    """Name of what had to differ: a property, a fraction, a score, a rule's own quantity."""
    found: float | str | None
    """What it was."""
    needed: float | str
    """What it would have had to be, at least or at most."""
    unit: str = ""
    bound: str = "at least"
    """``at least``, ``at most``, or ``other than``."""
    about: bool = False
    """Whether it is an estimate by the expected improvement of this candidate alone."""

    def __str__(self) -> str:
        """Return it for people."""
        about = "about " if self.about else ""
        found = "" if self.found is None else f", and was {_shown(self.found)}"
        needed = f"{about}{_shown(self.needed)} {self.unit}".strip()
        return f"{self.what} {self.bound} {needed}{found}"

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return dict(vars(self))


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"


def requirements(
    state: CampaignState,
    spec: CampaignSpec,
    decision: Decision,
    tier: int,
    *,
    place: Place | None,
    best: Measured | None,
) -> tuple[Requirement, ...]:
    """Return what would have had to differ for a candidate to be chosen; nothing for a chosen one.

    Args:
        state: of the campaign, for what was measured.
        spec: in force at the decision.
        decision: about the candidate.
        tier: that it was considered for.
        place: among the others.
        best: best measurement of the first tier at the time of the decision.
    """
    if decision.chosen or decision.margin is None:
        return ()
    match decision.rule:
        case "elements" | "fractions":
            # Most explanations are read without numpy.
            from alloop.loop.state.hull import amounts_in  # noqa: PLC0415

            return tuple(_composition(spec, amounts_in(decision.formula), decision))
        case "acquisition":
            return tuple(_acquisition(spec, decision, place, best))
        case "promotion":
            return tuple(_promotion(state, spec, decision, tier, place))
        case "duplicate" | "infeasible" | "table":
            return (Requirement("the material", None, decision.reason, bound="other than"),)
        case _:
            return (_by_margin(decision),)


def _by_margin(decision: Decision) -> Requirement:
    """Return the requirement in a rule's own unit."""
    assert decision.margin is not None
    what = f"{decision.rule}, in its own unit,"
    return Requirement(what, decision.reason, -decision.margin, bound="better by")


def _composition(
    spec: CampaignSpec, amounts: Mapping[str, float], decision: Decision
) -> Iterator[Requirement]:
    """Yield the bound of each element that is broken; all of them would have had to be met."""
    total = sum(amounts.values())
    if not total:
        yield _by_margin(decision)
        return
    for symbol in dict.fromkeys((*spec.space.elements, *amounts)):
        fraction = amounts.get(symbol, 0.0) / total
        if symbol not in spec.space.elements:
            yield Requirement(f"the fraction of {symbol}", fraction, 0.0, bound="at most")
            continue
        low, high = spec.space.bounds(symbol)
        if fraction < low:
            yield Requirement(f"the fraction of {symbol}", fraction, low)
        elif fraction > high:
            yield Requirement(f"the fraction of {symbol}", fraction, high, bound="at most")


def _acquisition(
    spec: CampaignSpec, decision: Decision, place: Place | None, best: Measured | None
) -> Iterator[Requirement]:
    """Yield the score that was needed, and what would have given it: about what expected value at
    the same uncertainty, where there is one objective to be large or small."""
    if place is None or place.rival is None or place.score is None or place.margin is None:
        yield _by_margin(decision)
        return
    yield Requirement("its acquisition score", place.score, place.score - place.margin)
    objective = spec.objectives[0]
    posterior = decision.posterior.get(objective.property)
    is_simple = len(spec.objectives) == 1 and objective.goal != "window"
    aims_higher = spec.acquisition.aim == "top-tier" and decision.high_fidelity
    if not is_simple or aims_higher or posterior is None or best is None or posterior.std <= 0:
        return
    mean = mean_for_gain(
        objective.utility(posterior.mean),
        posterior.std,
        objective.utility(best.properties[objective.property]),
        -place.margin,
    )
    if mean is not None:
        yield Requirement(
            f"or, at the same uncertainty, its expected {objective.property}",
            posterior.mean,
            objective.value_at(mean),
            spec.units()[objective.property],
            "at least" if objective.goal == "maximise" else "at most",
            about=True,
        )


def _promotion(
    state: CampaignState, spec: CampaignSpec, decision: Decision, tier: int, place: Place | None
) -> Iterator[Requirement]:
    """Yield the value of the last that was promoted, where the best by value are promoted."""
    rival = None if place is None else place.rival
    if rival is None or spec.promotion.rule != "top" or len(spec.objectives) > 1:
        yield _by_margin(decision)
        return
    objective = spec.objectives[0]
    below = (_measured(state, id, tier - 1) for id in (decision.candidate, rival.candidate))
    own, last = (None if m is None else m.properties.get(objective.property) for m in below)
    if own is None or last is None or objective.goal == "window":
        yield _by_margin(decision)
        return
    yield Requirement(
        f"its {objective.property} by tier {tier - 1}",
        own,
        last,
        spec.units()[objective.property],
        "at least" if objective.goal == "maximise" else "at most",
    )


def _measured(state: CampaignState, candidate: str, tier: int) -> Measured | None:
    id = evaluation_id(candidate, state.fingerprints[tier])
    found = state.recorded.get(id)
    taken_back = (r.measured for r in state.retractions if r.measured.evaluation == id)
    return found or next(taken_back, None)
