"""Changing the terms of a campaign that has begun: an event, checked before it is written."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alloop.campaigns.changes import differences, lost_meaning
from alloop.campaigns.load import overridden
from alloop.campaigns.spec import CampaignSpec
from alloop.errors import AlloopError, RunError, SpecError
from alloop.loop.checking import require_candidates
from alloop.loop.opening import BuildOracles, folded, spec_to_json
from alloop.loop.ownership import require_trust
from alloop.loop.people.who import checked_reason, user_name
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.by_hand.changes import SpecChanged
from alloop.loop.record.events import CampaignClosed, Stage
from alloop.loop.record.ledger import Ledger
from alloop.loop.run_folder import open_to_write
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.folding.fold import Fold
from alloop.loop.state.folding.terms import Terms, begins_afresh
from alloop.loop.steps import Close, next_step
from alloop.models.options import StartsFromCheckpoint
from alloop.oracles.base import Status


@dataclass(frozen=True)
class Changed:
    """A change that was recorded."""

    terms: Terms
    """Terms in force from now on."""
    closed: str | None
    """Reason for which the campaign is over under these terms, too; None where it goes on."""
    head: str
    """Hash of the ledger's last entry."""


def change(
    run: Path,
    settings: Iterable[str] | Mapping[str, Any],
    *,
    why: str,
    who: str = "",
    build_oracles: BuildOracles = CampaignSpec.build_oracles,
    is_trusted: bool = False,
) -> Changed:
    """Change the terms of a campaign, which may have ended.

    Args:
        run: the run's folder.
        settings: ``key.path=value`` over the spec in force, values read as YAML; or plain values
            by key path.
        why: reason, in words.
        who: name of whoever changes it; by default the user's.
        build_oracles: makes one oracle per tier, to see that they measure as before.
        is_trusted: whether the user trusts the run, if somebody else began it.

    Raises:
        SpecError: if the settings make no spec, change nothing, or leave the space empty.
        RunError: if labels would lose their meaning, if a controller is working on the run, or if
            somebody else began it.
        AlloopError: if an oracle cannot be built, such as by a potential without an element.
    """
    reason, place = checked_reason(why), str(run)
    with open_to_write(run) as (folder, ledger):
        fold, telling = folded(folder.entries)
        state = folder.state
        if not is_trusted:  # before anything is built that could start something
            require_trust(state.spec, telling, place)
        old, new = state.spec, overridden(state.spec, as_texts(settings))
        if not (changes := differences(spec_to_json(old), spec_to_json(new))):
            raise SpecError(
                "the campaign goes by these terms already",
                where=place,
                remedy="`alloop audit` and `alloop status` show those in force.",
            )
        _require_meaning(state, new, place)
        _require_use(state, new)
        _require_same_values(state, new, build_oracles, place)
        require_candidates(new)
        _require_start(state, new, folder.store)
        event = SpecChanged(
            changes={path: after for path, (_, after) in changes.items()},
            who=who or user_name(),
            why=reason,
        )
        fold.add(ledger.append(event))
        closed = close_if_over(ledger, fold)
        after = fold.state()
        assert after is not None
        return Changed(after.terms[-1], closed, ledger.head())


def as_texts(settings: Iterable[str] | Mapping[str, Any]) -> Iterable[str]:
    """Return settings as ``key.path=value``, values as YAML."""
    if not isinstance(settings, Mapping):
        return settings
    return [f"{path}={json.dumps(value)}" for path, value in settings.items()]


def close_if_over(ledger: Ledger, fold: Fold) -> str | None:
    """Close a campaign that something has opened again and that has nothing left to do; return the
    reason, None where it has something to do."""
    state = fold.state()
    assert state is not None
    step = next_step(state) if state.requested else None
    if not isinstance(step, Close):
        return None
    fold.add(ledger.append(CampaignClosed(reason=step.reason)))
    return step.reason


def _require_meaning(state: CampaignState, new: CampaignSpec, place: str) -> None:
    """Refuse a change after which labels or models would not mean what they did."""
    if (problem := lost_meaning(state.spec, new)) is not None:
        raise _refused(problem, place)
    for tier, options in enumerate(new.tiers):
        required = new.required_properties(tier)
        lacking = [
            missing
            for m in (*state.recorded.values(), *state.partial.values())
            if m.tier == tier
            and m.status is Status.OK
            and not m.is_partial
            and (missing := [name for name in required if name not in m.properties])
        ]
        if lacking:
            names = ", ".join(dict.fromkeys(name for missing in lacking for name in missing))
            raise _refused(
                f"{len(lacking)} measurements by tier {tier} ({options.kind}) hold no {names}, "
                "which the campaign would go by",
                place,
            )


def _require_use(state: CampaignState, new: CampaignSpec) -> None:
    """Refuse a change that comes too late to do anything."""
    is_begun = any(p.stage is Stage.INITIAL for p in state.proposals)
    if is_begun and new.budget.initial != state.spec.budget.initial:
        raise SpecError(
            "the initial candidates are drawn already, and another number changes nothing",
            where="budget.initial",
            remedy="Leave it out; budget.rounds and budget.measurements give the campaign more.",
        )


def _require_same_values(
    state: CampaignState, new: CampaignSpec, build_oracles: BuildOracles, place: str
) -> None:
    """Refuse a change after which a tier would measure other values than it did.

    Raises:
        AlloopError: if an oracle cannot be built.
    """
    new.execution.check_ready()
    oracles = build_oracles(new)
    for tier, (oracle, fingerprint) in enumerate(zip(oracles, state.fingerprints, strict=True)):
        if oracle.fingerprint() != fingerprint:
            n = sum(m.tier == tier for m in state.recorded.values())
            raise _refused(
                f"tier {tier} ({oracle.name}) would measure other values than it did: its "
                f"fingerprint would be {oracle.fingerprint()[:10]}, and the {n} measurements so "
                f"far are by {fingerprint[:10]}",
                place,
            )


def _require_start(state: CampaignState, new: CampaignSpec, store: ArtifactStore) -> None:
    """Refuse a change after which the model could not start again from its checkpoint.

    Raises:
        ModelError: with the reason.
    """
    options, names, start = new.model, new.property_names(), state.start_checkpoint
    if start and isinstance(options, StartsFromCheckpoint) and begins_afresh(state.spec, new):
        store.read(start, lambda path: options.start(path, new.space, names))


def _refused(problem: str, place: str) -> AlloopError:
    return RunError(
        f"the campaign cannot go on like this: {problem}",
        where=place,
        remedy="Leave that as it is, or begin a new run, which reuses the labels that still count.",
    )
