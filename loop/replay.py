"""Result of a replay: whether the decisions of a round follow again from the stored model and
data."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from alloop.errors import AlloopError
from alloop.loop.choose.promotion import propose_promotion
from alloop.loop.choose.screening import Seen
from alloop.loop.choose.strategies.dispatch import propose_batch
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Decision, LedgerEntry, Proposed, Stage
from alloop.loop.state.folding.fold import fold

RELATIVE_TOLERANCE = 1e-6
"""Relative tolerance of replayed scores against the recorded ones; on one machine they are
equal."""


@dataclass(frozen=True)
class Replay:
    """Result of a replay: whether the decisions of a round follow again from the stored model and
    data."""

    round: int
    n_decisions: int
    differences: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Return whether every decision and score came out as recorded."""
        return not self.differences


def replay(entries: Sequence[LedgerEntry], store: ArtifactStore, round: int) -> Replay:
    """Recompute a round's acquisition from the labels known then and its checkpoint, if its
    strategy uses a model, and its promotions from what the tiers had measured by then.

    Raises:
        AlloopError: if the round has no acquisition.
    """
    place = next(
        (
            i
            for i, entry in enumerate(entries)
            if isinstance(entry.event, Proposed)
            and entry.event.stage is Stage.ACQUISITION
            and entry.event.round == round
        ),
        None,
    )
    before = None if place is None else fold(entries[:place])
    if place is None or before is None:
        raise AlloopError(f"round {round} holds no acquisition that could be recomputed")
    recorded = entries[place].event
    assert isinstance(recorded, Proposed)
    seen = Seen()
    seen.follow(before, store)
    again = propose_batch(before, store, seen, round=round)
    pairs = [(recorded, again), *promotions_again(entries, store, round)]
    differences = [
        each for old, new in pairs for each in _differences(old.decisions, new.decisions)
    ]
    return Replay(round, sum(len(old.decisions) for old, _ in pairs), tuple(differences))


def promotions_again(
    entries: Sequence[LedgerEntry], store: ArtifactStore, round: int
) -> Iterable[tuple[Proposed, Proposed]]:
    """Yield each promotion of a round as it was recorded and as it comes out again."""
    for place, entry in enumerate(entries):
        old = entry.event
        if not isinstance(old, Proposed) or (old.stage, old.round) != (Stage.PROMOTION, round):
            continue
        before = fold(entries[:place])
        assert before is not None, "a campaign is opened before it promotes"
        yield (
            old,
            propose_promotion(before, store, round=round, tier=old.tier, iteration=old.iteration),
        )


def _differences(recorded: Sequence[Decision], again: Sequence[Decision]) -> Iterable[str]:
    if len(recorded) != len(again):
        yield f"{len(recorded)} decisions were recorded, {len(again)} come out"
    for old, new in zip(recorded, again, strict=False):
        name = old.candidate[:10]
        if (old.candidate, old.chosen, old.rule) != (new.candidate, new.chosen, new.rule):
            yield f"{name} was {_verdict(old)}; now {new.candidate[:10]} is {_verdict(new)}"
        elif not _close(old.acquisition, new.acquisition):
            yield f"{name} scored {old.acquisition}; now {new.acquisition}"


def _verdict(decision: Decision) -> str:
    return "chosen" if decision.chosen else f"rejected by {decision.rule}"


def _close(old: float | None, new: float | None) -> bool:
    if old is None or new is None:
        return old is new
    return math.isclose(old, new, rel_tol=RELATIVE_TOLERANCE)
