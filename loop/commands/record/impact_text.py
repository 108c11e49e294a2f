"""What depended on measurements, in lines for people."""

from collections.abc import Iterator

from alloop.loop.impact import Conclusion, Impact
from alloop.loop.record.events import Measured, Proposed
from alloop.loop.record.stored_events import outline_of
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.folding.terms import reason_of

SHOWN_DESCENDANTS = 8


def impact_lines(impact: Impact, state: CampaignState) -> Iterator[str]:
    """Yield one fact a line: the measurements, then what depended on them."""
    for m in impact.measured:
        retraction = next(
            (r for r in state.retractions if r.measured.evaluation == m.evaluation), None
        )
        taken = "" if retraction is None else f"; {retraction.reason} (entry {retraction.seq})"
        yield f"{m.candidate[:12]} by tier {m.tier}, {m.oracle}: {_values(m)}{taken}"
    for label in impact.brought:
        known = ", ".join(f"{name} {value:.6g}" for name, value in sorted(label.properties.items()))
        gone = next((r for r in state.retracted_labels if r.label == label), None)
        taken = "" if gone is None else f"; {reason_of(gone.event)} (entry {gone.seq})"
        yield f"{label.candidate[:12]}, brought: {known}{taken}"
    if lines := list(_dependents(impact, state)):
        yield from lines
    else:
        yield "nothing depended on it"


def _dependents(impact: Impact, state: CampaignState) -> Iterator[str]:
    for seq, model in impact.models:
        name = f"the model of round {model.round} ({model.checkpoint[:10]})"
        yield f"  {name} learnt from it (entry {seq})"
    for seq, proposed in impact.proposals:
        stage = f"{proposed.stage.value}{_nth(proposed)}"
        yield f"  round {proposed.round}, {stage}: {_chosen(proposed)} in its light (entry {seq})"
    for seq, proposed in impact.promotions:
        yield (
            f"  round {proposed.round}, promotion to tier {proposed.tier}{_nth(proposed)}: "
            f"{_chosen(proposed)} in its light (entry {seq})"
        )
    for m in impact.higher_tiers:
        yield f"  it was measured by tier {m.tier} ({m.oracle}) as well: {_values(m)}"
    if impact.descendants:
        n = len(impact.descendants)
        shown = ", ".join(id[:12] for id in impact.descendants[:SHOWN_DESCENDANTS])
        more = f" and {n - SHOWN_DESCENDANTS} more" if n > SHOWN_DESCENDANTS else ""
        yield f"  {n} candidates were made from it: {shown}{more}"
    for conclusion in impact.conclusions:
        yield f"  {_concluded(conclusion, state, impact.retracted)}"


def _nth(proposed: Proposed) -> str:
    return f" {proposed.iteration}" if proposed.iteration else ""


def _chosen(proposed: Proposed) -> str:
    n = sum(d["chosen"] for d in outline_of(proposed))
    return "1 candidate was chosen" if n == 1 else f"{n} candidates were chosen"


def _concluded(conclusion: Conclusion, state: CampaignState, is_retracted: bool) -> str:
    drawn, without = conclusion.drawn, conclusion.without
    is_, would = ("was", "is") if is_retracted else ("is", "would be")
    match conclusion.kind:
        case "best":
            instead = _candidate(without, state) if without else "nothing"
            return (
                f"{_candidate(drawn, state)} {is_} the best of tier {conclusion.tier}; "
                f"without it {instead} {would}"
            )
        case "front":
            here, there = set(drawn.split()), set(without.split())
            gone = ", ".join(_candidate(id, state) for id in sorted(here - there)) or "nothing"
            come = ", ".join(_candidate(id, state) for id in sorted(there - here)) or "nothing"
            return f"the Pareto front {is_} another: without it {gone} leaves and {come} enters"
        case "reference":
            return (
                f"the reference point {drawn} was taken from it (entry {conclusion.seq}); without "
                f"it {without}"
            )
        case _:
            instead = f"it had been over as {without}" if without else "it had gone on"
            return f"the campaign ended (entry {conclusion.seq}): {drawn}; without it {instead}"


def _candidate(id: str, state: CampaignState) -> str:
    formula = state.formulas.get(id, "")
    return f"{id[:12]} {formula}".strip()


def _values(m: Measured) -> str:
    if m.failure_message:
        return f"failed ({m.failure_message})"
    return ", ".join(f"{name} {value:.6g}" for name, value in sorted(m.properties.items()))
