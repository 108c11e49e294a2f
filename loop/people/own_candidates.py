"""People's own candidates: scored by the campaign's surrogates, and queued for its next batch."""

from collections.abc import Sequence
from pathlib import Path

from alloop.errors import DataError, RunError
from alloop.loop.choose.draft import Draft
from alloop.loop.choose.own.assessment import assess, decided, own_rejection
from alloop.loop.choose.screening import Seen
from alloop.loop.people.who import checked_reason, user_name
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.by_hand.candidates import MOST_ADDED, AddedCandidate, CandidatesAdded
from alloop.loop.record.events import Decision, Lineage
from alloop.loop.record.overlay import OverlayStore
from alloop.loop.run_folder import RunFolder, open_to_write
from alloop.loop.state.campaign_state import CampaignState
from alloop.materials import Material


def score_candidates(run: Path, materials: Sequence[Material]) -> tuple[Decision, ...]:
    """Return what the campaign would make of materials, in their order; nothing is recorded.

    Each is screened by itself, and those that could be chosen are scored.

    Raises:
        RunError: if there is no campaign.
        MaterialError: if a material is disordered.
    """
    folder = RunFolder.read(run)
    store = OverlayStore(folder.store.folder)
    return _decisions(folder.state, store, materials, reason="it could be chosen", each_alone=True)


def add_candidates(
    run: Path, materials: Sequence[Material], why: str, *, who: str = ""
) -> tuple[Decision, ...]:
    """Queue materials for the next batch, and return the decision on each, in their order.

    What lies outside the space, is known already or stands in the queue is refused with the rule;
    the others are queued.

    Args:
        run: the run's folder.
        materials: of the campaign's space.
        why: the reason.
        who: name of whoever adds them; by default the user's.

    Raises:
        DataError: if none can be queued, there is no reason, or they are too many.
        RunError: if there is no campaign, it has ended, or a controller is working on it.
        MaterialError: if a material is disordered.
    """
    who, reason = who or user_name(), checked_reason(why)
    if len(materials) > MOST_ADDED:
        raise DataError(
            f"{len(materials):,} candidates are too many at once",
            remedy=f"At most {MOST_ADDED:,} are added at once.",
        )
    with open_to_write(run) as (folder, ledger):
        state, store = folder.state, folder.store
        if state.closed is not None:
            raise RunError(
                f"the campaign has ended: {state.closed}",
                where=str(run),
                remedy="`alloop score` says what is expected of a candidate all the same.",
            )
        decisions = _decisions(
            state, store, materials, reason=f"added by {who}: {reason}", each_alone=False
        )
        queued = [
            (material, decision)
            for material, decision in zip(materials, decisions, strict=True)
            if decision.chosen
        ]
        if not queued:
            reasons = "; ".join(f"{d.formula}: {d.reason}" for d in decisions[:4])
            raise DataError(f"nothing can be added: {reasons or 'there are no candidates'}")
        store.put_materials([material for material, _ in queued])
        ledger.append(
            CandidatesAdded(
                candidates=tuple(
                    AddedCandidate(candidate=d.candidate, formula=d.formula, lattice=d.lattice)
                    for _, d in queued
                ),
                who=who,
                why=reason,
            )
        )
    return decisions


def _decisions(
    state: CampaignState,
    store: ArtifactStore,
    materials: Sequence[Material],
    *,
    reason: str,
    each_alone: bool,
) -> tuple[Decision, ...]:
    known = Seen()
    known.follow(state, store)
    if not each_alone:
        for id in state.by_hand.queue:
            known.add(id, store.get_material(id))
    drafts = [Draft(material, Lineage(source="added")) for material in materials]
    rejections = []
    for draft in drafts:
        rejection = own_rejection(draft.material, state.spec.space, known)
        if rejection is None and not each_alone:
            known.add(draft.id, draft.material)
        rejections.append(rejection)
    passed = [i for i, rejection in enumerate(rejections) if rejection is None]
    found = dict(zip(passed, assess(state, store, [materials[i] for i in passed]), strict=True))
    return tuple(
        decided(draft, state.spec.space, rejection, found.get(i), reason=reason)
        for i, (draft, rejection) in enumerate(zip(drafts, rejections, strict=True))
    )
