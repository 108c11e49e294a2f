"""The first event of a ledger, or the proof that a ledger is of this campaign."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from alloop.errors import RunError
from campaigns.spec import CampaignSpec
from loop.building import software_versions
from loop.ledger import Ledger
from loop.records import FORMAT, CampaignOpened
from oracles.base import Oracle

BuildOracles = Callable[[CampaignSpec], Sequence[Oracle]]


def open_campaign(
    ledger: Ledger, run: Path, spec: CampaignSpec | None, build_oracles: BuildOracles
) -> tuple[Oracle, ...]:
    """Write the first event, or check that the one there is of the same campaign.

    Returns:
        One oracle per tier.

    Raises:
        RunError: if the ledger is of another campaign, or its values came from other settings.
    """
    first = next(iter(ledger.entries()), None)
    if first is None:
        if spec is None:
            raise RunError(
                "no campaign has begun here", where=str(run), remedy="Use `alloop launch SPEC`."
            )
        oracles = tuple(build_oracles(spec))
        ledger.append(
            CampaignOpened(
                spec=spec_to_json(spec),
                fingerprints=tuple(oracle.fingerprint() for oracle in oracles),
                versions=dict(software_versions()),
            )
        )
        return oracles
    opened = first.event
    if not isinstance(opened, CampaignOpened) or opened.format > FORMAT:
        raise RunError(
            "the run was written by a newer version of Alloop",
            where=str(run),
            remedy="Update Alloop: `git pull`, then `make install`.",
        )
    recorded = CampaignSpec.model_validate(opened.spec)
    if spec is not None and spec != recorded:
        raise RunError(
            f"the run is of another campaign ({_diff(recorded, spec)})",
            where=str(run),
            remedy="Choose another folder with --run, or `alloop resume` to continue this one.",
        )
    oracles = tuple(build_oracles(recorded))
    for tier, (oracle, fingerprint) in enumerate(zip(oracles, opened.fingerprints, strict=True)):
        if oracle.fingerprint() != fingerprint:
            raise RunError(
                f"tier {tier} ({oracle.name}) would measure differently than it did so far; "
                "its potential, settings or version changed",
                where=str(run),
                remedy="Restore them (the first event lists the versions), or start a new run.",
            )
    return oracles


def spec_to_json(spec: CampaignSpec) -> dict[str, Any]:
    """Return the full form of a spec, defaults filled in, as plain JSON values."""
    return spec.model_dump(mode="json")


def spec_to_yaml(spec: dict[str, Any]) -> str:
    """Return the full form as YAML for people."""
    return str(yaml.safe_dump(spec, sort_keys=False, allow_unicode=True, default_flow_style=None))


def _diff(old: CampaignSpec, new: CampaignSpec) -> str:
    """Return what differs, in one line: ``budget.rounds: 5 there, 3 asked for``."""
    there, asked = _leaves(spec_to_json(old)), _leaves(spec_to_json(new))
    return "; ".join(
        f"{key}: {there.get(key, 'nothing')} there, {asked.get(key, 'nothing')} asked for"
        for key in dict.fromkeys((*there, *asked))
        if there.get(key) != asked.get(key)
    )


def _leaves(value: Any, path: str = "") -> dict[str, Any]:
    match value:
        case dict() if value:
            parts = [_leaves(v, f"{path}.{k}" if path else str(k)) for k, v in value.items()]
        case list() if value:
            parts = [_leaves(v, f"{path}.{i}") for i, v in enumerate(value)]
        case _:
            return {path: value}
    return {key: leaf for part in parts for key, leaf in part.items()}
