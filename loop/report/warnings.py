"""What people should know before they believe a result, gathered for the head of the page."""

from collections.abc import Iterator
from dataclasses import dataclass

from alloop.loop.report.tables import oracle_name
from alloop.loop.report.words import label_of, plural
from alloop.loop.state.calibration import search_warnings
from alloop.loop.state.campaign_state import CampaignState, evaluation_id
from alloop.loop.state.disagreement import disagreement
from alloop.loop.state.hull import amounts_in
from alloop.loop.state.ranking.pareto import pareto_front
from alloop.oracles.base import Status
from alloop.space import AnySpace, Decorations

MANY_FAILED = 0.2
"""Share of failed measurements from which on it is said."""


@dataclass(frozen=True)
class PageWarning:
    """A sentence, and where to look."""

    text: str
    section: str
    """Id of the section that shows more."""
    filter: str = ""
    """Filter of the decisions that it is about; empty where no filter tells them."""


def page_warnings(state: CampaignState) -> list[PageWarning]:
    """Return all that throws doubt on what a campaign found, the gravest first."""
    return [
        *_doubts(state),
        *_taken_back(state),
        *_best(state),
        *_tiers(state),
        *(PageWarning(text, "prediction") for text in search_warnings(state)),
        *_agreement(state),
        *_front(state),
        *_failures(state),
    ]


def _doubts(state: CampaignState) -> Iterator[PageWarning]:
    n = sum(m.status is Status.OK and not state.is_reliable(m) for m in state.measured.values())
    if n:
        text = f"{plural(n, 'measurement')} gave values that are in doubt, and were set aside"
        yield PageWarning(text, "failures", "doubtful")


def _taken_back(state: CampaignState) -> Iterator[PageWarning]:
    """Yield what people took back or changed on the way."""
    if n := len(state.retractions):
        text = f"{plural(n, 'measurement')} {'was' if n == 1 else 'were'} taken back"
        yield PageWarning(text, "record", "status = retracted")
    if (n := len(state.terms) - 1) > 0:
        text = f"the campaign was changed {plural(n, 'time')}: figures span all its terms"
        yield PageWarning(text, "record")


def _best(state: CampaignState) -> Iterator[PageWarning]:
    """Yield what is wrong with the winner."""
    best = state.best()
    if best is None:
        return
    if not state.utility.is_feasible(best.properties):
        yield PageWarning("no candidate meets every constraint", "best", "measured")
    for text in bounds_reached(state, state.decisions[best.candidate].formula):
        yield PageWarning(text, "space", "best")


def bounds_reached(state: CampaignState, formula: str) -> list[str]:
    """Return a sentence for each bound of the space that a composition lies at: what is better may
    lie beyond it."""
    space = state.spec.space
    amounts = amounts_in(formula)
    total = sum(amounts.values())
    found = []
    for symbol in space.elements if total else ():
        x = amounts.get(symbol, 0.0) / total
        low, high = space.bounds(symbol)
        nearest = _nearest(space, symbol)
        for bound, near, word in ((low, nearest[0], "least"), (high, nearest[1], "most")):
            if bound not in (0.0, 1.0) and (x <= near if word == "least" else x >= near):
                found.append(
                    f"the best lies at a bound of the space: {100 * x:.1f} at.% {symbol}, of at "
                    f"{word} {100 * bound:g}; better ones may lie beyond"
                )
    return found


def _nearest(space: AnySpace, symbol: str) -> tuple[float, float]:
    """Return the fractions at or beyond which nothing nearer to an element's bounds is possible: in
    a cell by its number of atoms, elsewhere to a tenth of a percent."""
    low, high = space.bounds(symbol)
    if not isinstance(space, Decorations):
        return low + 1e-3, high - 1e-3
    fewest, most = space.count_bounds()[symbol]
    return (fewest + 1e-6) / space.most_atoms(), (most - 1e-6) / space.most_atoms()


def _tiers(state: CampaignState) -> Iterator[PageWarning]:
    """Yield the tiers that measured nothing, or not the best."""
    best = state.best()
    for tier in range(1, len(state.spec.tiers)):
        name = f"tier {tier} ({oracle_name(state, tier)})"
        if not any(m.tier == tier for m in state.measured.values()):
            if state.closed is not None or state.paused is not None:
                yield PageWarning(f"{name} has measured nothing: nothing is confirmed", "tiers")
        elif best is not None:
            key = evaluation_id(best.candidate, state.fingerprints[tier])
            if key not in state.measured:
                yield PageWarning(f"the best has not been measured by {name}", "tiers", "best")
            elif state.measured[key].status is not Status.OK:
                yield PageWarning(f"the best could not be measured by {name}", "tiers", "best")


def _agreement(state: CampaignState) -> Iterator[PageWarning]:
    for tier in range(1, len(state.spec.tiers)):
        if text := disagreement(state, tier).warning:
            yield PageWarning(text, "tiers")


def _front(state: CampaignState) -> Iterator[PageWarning]:
    if len(state.spec.objectives) > 1:
        for text in pareto_front(state).problems:
            yield PageWarning(text, "front")


def _failures(state: CampaignState) -> Iterator[PageWarning]:
    for tier in range(len(state.spec.tiers)):
        answers = [m for m in state.measured.values() if m.tier == tier]
        failed = sum(m.status is Status.FAILED for m in answers)
        if failed and failed >= MANY_FAILED * len(answers):
            text = f"{failed} of {plural(len(answers), 'measurement')} by tier {tier} failed"
            yield PageWarning(text, "failures", f"failed and tier = {tier}")


def in_words(text: str, names: tuple[str, ...]) -> str:
    """Return a sentence with the campaign's properties named as people say them."""
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, label_of(name))
    return f"{text[0].upper()}{text[1:]}."
