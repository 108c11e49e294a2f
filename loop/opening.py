"""Opening of a ledger: its first event, or the check that it is of this campaign."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from alloop.campaigns.changes import (
    change_command,
    described,
    differences,
    lost_meaning,
)
from alloop.campaigns.spec import CampaignSpec
from alloop.errors import RunError
from alloop.loop.moved_files import with_moved_files, without_folders
from alloop.loop.ownership import TELLING, is_own, require_trust, sealed_opening, trust_seal
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.by_hand.brought import LabelsBrought
from alloop.loop.record.events import FORMAT, CampaignOpened, LedgerEntry
from alloop.loop.record.ledger import Ledger
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.state.folding.fold import Fold
from alloop.loop.versions import packages_of, software_versions
from alloop.models.options import StartsFromCheckpoint
from alloop.oracles.base import Oracle

BuildOracles = Callable[[CampaignSpec], Sequence[Oracle]]


@dataclass(frozen=True)
class Opening:
    """Opened campaign, checked against its ledger."""

    fold: Fold
    """Fold of its ledger's entries."""
    spec: CampaignSpec
    """Spec as it is run now."""
    oracles: tuple[Oracle, ...]
    """Oracles, one per tier."""
    scheduling: dict[str, Any] | None
    """Scheduling from now on, where that is to change; to be recorded."""
    seal: str = ""
    """Seal by which the user trusts a run that somebody else began; to be recorded."""


def open_campaign(
    ledger: Ledger,
    run: Path,
    spec: CampaignSpec | None,
    build_oracles: BuildOracles,
    *,
    is_trusted: bool = False,
) -> Opening:
    """Write the first event, or check that the one there is of the same campaign.

    Where, how long and how often it runs may change: ``CampaignSpec.scheduling``.

    Args:
        ledger: of the run, opened for writing.
        run: the run's folder.
        spec: the campaign; None to continue the one there is.
        build_oracles: makes one oracle per tier.
        is_trusted: whether the user trusts the run, if somebody else began it.

    Raises:
        RunError: if somebody else began the run and it is not trusted, if the ledger is of another
            campaign, or if its values came from other settings.
        ModelError: if the model cannot start from the checkpoint that the spec names.
        DataError, MaterialError: if labels that it starts with cannot be used.
    """
    fold, telling = folded(_of_this_format(ledger.entries(), run))
    state = fold.state()
    if state is not None:
        if not is_trusted:  # before anything is built that could start something
            require_trust(state.spec, telling, str(run))
        opening = _go_on(fold, state, run, spec, build_oracles)
        return opening if is_own(telling) else replace(opening, seal=trust_seal(telling))
    if spec is None:
        raise RunError(
            "no campaign has begun here", where=str(run), remedy="Use `alloop launch SPEC`."
        )
    spec.execution.check_ready()
    oracles = tuple(build_oracles(spec))
    opened = CampaignOpened(
        spec=spec_to_json(spec),
        fingerprints=tuple(oracle.fingerprint() for oracle in oracles),
        versions=software_versions(spec),
        packages=packages_of(spec),
        start_checkpoint=_stored_start(spec, ArtifactStore.of_run(run)),
    )
    # Together, so that no crash leaves a campaign without what it was to begin with.
    brought = _stored_labels(spec, opened.fingerprints, ArtifactStore.of_run(run))
    for entry in ledger.append_together([sealed_opening(opened), *brought]):
        fold.add(entry)
    return Opening(fold, spec, oracles, None)


def folded(entries: Iterable[LedgerEntry]) -> tuple[Fold, list[LedgerEntry]]:
    """Return the fold of a ledger's entries, and those of them that say whose the run is."""
    fold, telling = Fold(), list[LedgerEntry]()
    for entry in entries:
        fold.add(entry)
        if isinstance(entry.event, TELLING):
            telling.append(entry)
    return fold, telling


def _of_this_format(entries: Iterable[LedgerEntry], run: Path) -> Iterator[LedgerEntry]:
    """Yield entries.

    Raises:
        RunError: if another version of Alloop began the run.
    """
    for entry in entries:
        if isinstance(entry.event, CampaignOpened) and entry.event.format != FORMAT:
            raise RunError(
                "the run was written by another version of Alloop",
                where=str(run),
                remedy="Continue it with that version, named in the first event.",
            )
        yield entry


def _go_on(
    fold: Fold,
    state: CampaignState,
    run: Path,
    spec: CampaignSpec | None,
    build_oracles: BuildOracles,
) -> Opening:
    current = with_moved_files(state.spec, run) if spec is None else spec
    is_unchanged = without_folders(current) == without_folders(state.spec)
    scheduling = None if is_unchanged else current.scheduling()
    if scheduling is not None and not _is_same_search(state.spec, current):
        raise _another_search(state.spec, current, run)
    current.execution.check_ready()
    oracles = tuple(build_oracles(current))
    for tier, (oracle, fingerprint) in enumerate(zip(oracles, state.fingerprints, strict=True)):
        if oracle.fingerprint() != fingerprint:
            raise RunError(
                f"tier {tier} ({oracle.name}) would measure differently than it did so far; "
                "its potential, settings or version changed",
                where=str(run),
                remedy="Restore them (the first event lists the versions), or start a new run.",
            )
    return Opening(fold, current, oracles, scheduling)


def _is_same_search(old: CampaignSpec, new: CampaignSpec) -> bool:
    """Return whether two campaigns differ at most in where, how long and how often they run."""
    if len(old.tiers) != len(new.tiers):
        return False
    return without_folders(old.with_scheduling(new.scheduling())) == without_folders(new)


def _stored_labels(
    spec: CampaignSpec, fingerprints: Sequence[str], store: ArtifactStore
) -> tuple[LabelsBrought, ...]:
    """Store the materials that the campaign begins with, and return the events of their labels."""
    if spec.start is None:
        return ()
    from alloop.loop.people.bringing import labels_at_start  # noqa: PLC0415 (most bring nothing)

    brought = labels_at_start(spec, fingerprints)
    store.put_materials(brought.materials)
    return brought.events


def _stored_start(spec: CampaignSpec, store: ArtifactStore) -> str | None:
    """Store a copy of the checkpoint that the model starts from, once it has proved to fit."""
    options = spec.model
    if not isinstance(options, StartsFromCheckpoint) or (path := options.start_from) is None:
        return None
    options.start(path, spec.space, spec.property_names())
    stored = store.put_file(path)
    # The file may have changed since; what counts is what is stored.
    store.read(stored, lambda copy: options.start(copy, spec.space, spec.property_names()))
    return stored


def spec_to_json(spec: CampaignSpec) -> dict[str, Any]:
    """Return the full form of a spec, defaults filled in, as plain JSON values."""
    return spec.model_dump(mode="json")


def spec_to_yaml(spec: dict[str, Any]) -> str:
    """Return the full form as YAML for people."""
    return str(yaml.safe_dump(spec, sort_keys=False, allow_unicode=True, default_flow_style=None))


def _another_search(old: CampaignSpec, new: CampaignSpec, run: Path) -> RunError:
    """Return the error about a spec that is not the run's: what differs, and the command by which
    the run can be changed to it, where it can."""
    found = differences(without_folders(old), without_folders(new))
    shown = "; ".join(
        f"{path}: {described(there)} there, {described(asked)} asked for"
        for path, (there, asked) in found.items()
    )
    if (problem := lost_meaning(old, new)) is not None:
        return RunError(
            f"the run is of another campaign ({shown}), and cannot be changed to this one "
            f"({problem})",
            where=str(run),
            remedy="Choose another folder with --run, or `alloop resume` to continue this one.",
        )
    everything = differences(spec_to_json(old), spec_to_json(new))
    changes = {path: pair for path, pair in everything.items() if path in found}
    return RunError(
        f"this is another campaign than the run's ({shown})",
        where=str(run),
        remedy=f"Change it with `{change_command(str(run), changes)}`, choose another folder with "
        "--run, or `alloop resume` to continue it as it is.",
    )


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Return the values in nested mappings and lists, by their paths: ``budget.rounds``."""
    match value:
        case dict() if value:
            parts = [leaves(v, f"{path}.{k}" if path else str(k)) for k, v in value.items()]
        case list() if value:
            parts = [leaves(v, f"{path}.{i}") for i, v in enumerate(value)]
        case _:
            return {path: value}
    return {key: leaf for part in parts for key, leaf in part.items()}
