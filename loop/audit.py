"""Reading a ledger back: why each candidate was chosen, and whether that can be recomputed."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from alloop.errors import AlloopError
from loop.artifacts import ArtifactStore
from loop.building import load_model
from loop.proposal import propose_by_acquisition
from loop.records import Decision, LedgerEntry, Measured, Proposed, Stage
from loop.screening import Seen
from loop.state import CampaignState, evaluation_id, fold
from loop.trust_region import trust_region_edge

RELATIVE_TOLERANCE = 1e-6
"""Replayed scores agree with the recorded ones within this; on one machine they are equal."""


@dataclass(frozen=True)
class Row:
    """A decision, and the measurement that followed where there was one."""

    proposal: Proposed
    decision: Decision
    measured: Measured | None

    def flat(self) -> dict[str, Any]:
        """Return one level of plain values, for tables and CSV."""
        d, m = self.decision, self.measured
        flat: dict[str, Any] = {
            "round": self.proposal.round,
            "stage": self.proposal.stage.value,
            "iteration": self.proposal.iteration,
            "tier": self.proposal.tier,
            "candidate": d.candidate,
            "formula": d.formula,
            "lattice": d.lattice,
            "chosen": d.chosen,
            "rule": d.rule,
            "margin": d.margin,
            "reason": d.reason,
            "acquisition": d.acquisition,
            "source": d.lineage.source,
            "parent": d.lineage.parent,
        }
        for name, posterior in d.posterior.items():
            flat[f"expected_{name}"] = posterior.mean
            flat[f"expected_{name}_std"] = posterior.std
        flat["status"] = None if m is None else m.status.value
        for name, value in (m.properties if m else {}).items():
            flat[name] = value
        if m is not None and m.failure_kind is not None:
            flat["failure"] = f"{m.failure_kind.value}: {m.failure_message}"
        return flat


def rows(
    state: CampaignState, *, round: int | None = None, candidate: str | None = None
) -> list[Row]:
    """Return the decisions in order, of one round or one candidate where asked."""
    return [
        Row(
            proposal,
            decision,
            state.measured.get(
                evaluation_id(decision.candidate, state.fingerprints[proposal.tier])
            ),
        )
        for proposal in state.proposals
        if round is None or proposal.round == round
        for decision in proposal.decisions
        if candidate is None or decision.candidate == candidate
    ]


def find_candidate(state: CampaignState, prefix: str) -> str:
    """Return the full id that begins with a prefix.

    Raises:
        AlloopError: if none or several do.
    """
    ids = {d.candidate for p in state.proposals for d in p.decisions}
    matches = sorted(id for id in ids if id.startswith(prefix))
    if len(matches) == 1:
        return matches[0]
    problem = "no candidate" if not matches else f"{len(matches)} candidates"
    raise AlloopError(
        f"{problem} with an id that begins with {prefix!r}",
        remedy="`alloop audit RUN --format csv` lists all ids.",
    )


def ancestry(state: CampaignState, candidate: str) -> list[Decision]:
    """Return the decisions that led to a chosen candidate, the candidate's own first."""
    chain = []
    id: str | None = candidate
    while id is not None and id in state.decisions:
        decision = state.decisions[id]
        chain.append(decision)
        id = decision.lineage.parent if decision.lineage.parent != id else None
    return chain


@dataclass(frozen=True)
class Replay:
    """Whether the decisions of a round follow again from the stored model and data."""

    round: int
    n_decisions: int
    differences: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Return whether every decision and score came out as recorded."""
        return not self.differences


def replay(entries: Sequence[LedgerEntry], store: ArtifactStore, round: int) -> Replay:
    """Recompute a round's acquisition from its checkpoint and the labels known then.

    Raises:
        AlloopError: if the round has no acquisition by a model.
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
    if place is None or before is None or round not in before.models:
        raise AlloopError(f"round {round} holds no acquisition that could be recomputed")
    recorded = entries[place].event
    assert isinstance(recorded, Proposed)
    seen = Seen()
    for evaluation in before.evaluations:
        seen.add(evaluation.candidate, store.get_material(evaluation.candidate))
    path = store.path(before.models[round].checkpoint)
    again = propose_by_acquisition(
        before,
        store,
        seen,
        load_model(before.spec, path),
        round=round,
        edge=trust_region_edge(before, round),
    )
    differences = _differences(recorded.decisions, again.decisions)
    return Replay(round, len(recorded.decisions), tuple(differences))


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
