"""What is known of one candidate, for people."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from alloop.loop.commands.printing.ids import FEWEST_DIGITS, digits_needed
from alloop.loop.commands.printing.text import say
from alloop.loop.commands.record.explanation import Explanation
from alloop.loop.explain.dependents import Dependents
from alloop.loop.explain.places import Place
from alloop.loop.explain.required import Requirement
from alloop.loop.record.by_hand.brought import BroughtLabel, LabelsBrought
from alloop.loop.record.events import Decision, Lineage, Measured
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.choices import candidate_ids
from alloop.loop.state.folding.terms import reason_of
from alloop.loop.state.trials import unmeasured_reason
from alloop.properties import ENERGY_ABOVE_HULL

SHOWN_CHILDREN = 8
"""Number of candidates made from one that are named."""


def print_explanation(found: Explanation, state: CampaignState, run: str) -> None:
    """Print an explanation, one fact a line.

    Args:
        found: what is known of the candidate.
        state: of the campaign.
        run: the run's folder, for the command that computes more.
    """
    units = state.spec.units()
    say(f"candidate {found.candidate}")
    say(f"{found.lattice or ''} {found.formula}".strip())
    for line in found.by_hand:
        say(line)
    say("")
    decisions = [
        (*_decision_lines(row, units, state), *_comparison_lines(place, required, row["chosen"]))
        for row, place, required in zip(found.rows, found.places, found.required, strict=True)
    ]
    for (head, *details), several in groupby(decisions):
        n = sum(1 for _ in several)  # a model may decode one material many times in a round
        say(f"{head} ({n} times)" if n > 1 else head)
        for line in details:
            say(line)
    _print_values(found, units)
    if found.ancestors:
        say("")
        say("where it came from")
    digits = digits_needed(candidate_ids(state))
    for depth, decision in enumerate(found.ancestors):
        indent = "  " * (depth + 1)
        say(f"{indent}{decision.candidate[:digits]}: {describe_origin(decision)}")
    if lines := list(_dependent_lines(found.dependents, digits)):
        say("")
        say("what could build on it")
        for line in lines:
            say(f"  {line}")
        say(f"  `alloop impact {run} {found.candidate[:digits]}` computes what depended on it")


def _print_values(found: Explanation, units: Mapping[str, str]) -> None:
    """Print what was brought, measured and taken back."""
    if found.brought:
        say("")
    for event, label in found.brought:
        _print_brought(event, label, units)
    if found.measurements or found.retractions:
        say("")
    for measured in found.measurements:
        _print_measurement(measured, found.rows, units)
    for retraction in found.retractions:
        _print_measurement(retraction.measured, (), units)
        say(f"  {retraction.reason} (entry {retraction.seq})")
    for taken_back in found.retracted_labels:
        values = taken_back.label.properties.items()
        known = ", ".join(f"{name} {value:.6g} {units.get(name, '')}" for name, value in values)
        say(f"brought with {known}; {reason_of(taken_back.event)} (entry {taken_back.seq})")


def _comparison_lines(
    place: Place | None, required: Sequence[Requirement], is_chosen: bool
) -> Iterator[str]:
    """Yield the place of a candidate among the others, and what would have had to differ."""
    if place is not None:
        line = f"  place {place.rank} of {place.n}"
        if place.rival is not None:
            name = f"{place.rival.candidate[:FEWEST_DIGITS]} {place.rival.formula}"
            what = "the runner-up" if is_chosen else "the last that was chosen"
            line += f"; {what} was {name}"
        if place.margin is not None:
            # Scores are logarithms of expected improvements.
            line += f", {abs(place.margin):.3g} {'below' if place.margin >= 0 else 'above'} it"
        yield line
    if required:
        yield "  to be chosen it would have had to differ:"
        for each in required:
            yield f"    {each}"


def _dependent_lines(found: Dependents, digits: int) -> Iterator[str]:
    for tier in found.best_of:
        yield f"it is the best of tier {tier}"
    if found.is_on_front:
        yield "it is on the Pareto front"
    if found.children:
        shown = ", ".join(id[:digits] for id in found.children[:SHOWN_CHILDREN])
        n_more = len(found.children) - SHOWN_CHILDREN
        more = f" and {n_more} more" if n_more > 0 else ""
        yield f"chosen candidates made from it: {shown}{more}"
    if found.models:
        yield f"models fitted since: rounds {', '.join(map(str, found.models))}"
    if found.proposals:
        n = len(found.proposals)
        yield f"{n} proposal{'s' if n > 1 else ''} decided since"


def _decision_lines(
    row: Mapping[str, Any], units: Mapping[str, str], state: CampaignState
) -> Iterator[str]:
    stage = row["stage"] + (f" {row['iteration']}" if row["iteration"] else "")
    verdict = "chosen" if row["chosen"] else f"rejected by {row['rule']}"
    if row["margin"] is not None:
        verdict += f", margin {row['margin']:.4g}"
    under = f", under terms {row['terms']}" if len(state.terms) > 1 else ""
    yield f"round {row['round']}, {stage}, tier {row['tier']}{under}: {verdict}: {row['reason']}"
    if row["acquisition"] is not None:
        of_what = ""
        if state.utility.seeks_front and state.spec.acquisition.strategy == "latent-bo":
            of_what = ", the logarithm of the expected improvement of the hypervolume"
        yield f"  acquisition score {row['acquisition']:.6g}{of_what}"
    for name in units:
        for kind, tier in (("expected", ""), ("expected_high_fidelity", " by the top tier")):
            if (mean := row.get(f"{kind}_{name}")) is not None:
                std = row[f"{kind}_{name}_std"]
                yield f"  expected{tier}: {name} {mean:.6g} ± {std:.2g} {units[name]}"
    if "failed_attempts" in row:
        yield f"  failed attempts: {row['failed_attempts']}"
    if row["chosen"] and row["status"] in (None, "withdrawn"):
        yield f"  {unmeasured_reason(state, row['candidate'], row['tier'])}"


def _print_measurement(
    m: Measured, rows: tuple[Mapping[str, Any], ...], units: Mapping[str, str]
) -> None:
    say(f"measured by tier {m.tier}, {m.oracle}, in round {m.round}")
    if m.failure_kind is not None:
        verdict = "infeasible" if m.is_infeasible else "missing"
        say(f"  failed, {verdict}: {m.failure_kind.value}: {m.failure_message}")
    for name, value in m.properties.items():
        say(f"  {name} {value:.6g} {units.get(name, '')}".rstrip())
        for note in (m.doubts.get(name), m.remarks.get(name)):
            if note:
                say(f"    {note}")
    above = [row[ENERGY_ABOVE_HULL] for row in rows if row["tier"] == m.tier and _has_hull(row)]
    if above and ENERGY_ABOVE_HULL not in m.properties:
        say(f"  {ENERGY_ABOVE_HULL} {above[0]:.6g} eV/atom, of all that the tier has measured")
    if m.reuse is not None:
        say(f"  taken from {m.reuse.run}, where it took {m.reuse.wall_seconds:.3g} s")


def _print_brought(event: LabelsBrought, label: BroughtLabel, units: Mapping[str, str]) -> None:
    whose = "another fidelity's" if event.value_of is None else f"tier {event.value_of}'s"
    by = f" by {event.who}" if event.who else ""
    source = f", {label.source}" if label.source else ""
    say(f"brought{by}, not measured here: {whose} values, from {event.source}{source}")
    for name, value in label.properties.items():
        say(f"  {name} {value:.6g} {units.get(name, '')}".rstrip())
    if not label.properties:
        say("  without a value")
    for line in (event.why, label.outside):
        if line:
            say(f"  {line}")


def _has_hull(row: Mapping[str, Any]) -> bool:
    return row.get(ENERGY_ABOVE_HULL) is not None


def describe_origin(decision: Decision) -> str:
    """Return the origin of a candidate and the reason of its choice, in one line."""
    return f"{_made(decision.lineage)}; {decision.reason}"


def _made(lineage: Lineage) -> str:  # noqa: PLR0911 (a case for each source)
    match lineage:
        case Lineage(source="swap", swap=(one, other)):
            return f"sites {one} and {other} exchanged in its parent"
        case Lineage(source="moved"):
            moves = ", ".join(f"{part} to {value}" for part, value in lineage.moves)
            mate = f" and {lineage.mate[:10]}" if lineage.mate else ""
            return f"made of {(lineage.parent or '')[:10]}{mate}: {moves}"
        case Lineage(source="latent", model=str(model), latents=str(latents)):
            return (
                f"decoded by model {model[:10]} from row {lineage.row} of latents "
                f"{latents[:10]}, seed {lineage.seed}"
            )
        case Lineage(source="climbed"):
            start = (
                f"what row {lineage.row} of latents {lineage.latents[:10]} decodes to"
                if lineage.latents
                else (lineage.parent or "a symmetric ordering")[:20]
            )
            moves = ", ".join(f"{part} to {value}" for part, value in lineage.moves)
            return f"climbed to from {start}: {moves}"
        case Lineage(source="symmetric"):
            return f"a symmetric ordering, start {lineage.row} of the climb, seed {lineage.seed}"
        case Lineage(source="added"):
            return "a candidate of somebody's own"
        case Lineage(source="reported", parent=str(asked)):
            return f"reported in the place of {asked[:10]}"
    seed = "" if lineage.seed is None else f", seed {lineage.seed}"
    return f"{lineage.source}{seed}"
