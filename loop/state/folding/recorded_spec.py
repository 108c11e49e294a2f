"""The spec that a ledger's first event holds, and what later events made of it."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from alloop import __version__
from alloop.campaigns.changes import changed_spec, lost_meaning
from alloop.campaigns.parts import BAD_KIND
from alloop.campaigns.spec import CampaignSpec
from alloop.errors import PluginError, RunError, one_line
from alloop.loop.record.events import CampaignOpened

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]{0,127}")
"""Pattern of a distribution's name, and of a version."""


def recorded_spec(opened: CampaignOpened) -> CampaignSpec:
    """Return the campaign's spec as it was recorded.

    Raises:
        PluginError: if a kind of tier or model that it uses is not installed any more, with the
            package that brought it.
        RunError: if this version cannot read the spec.
    """
    try:
        return CampaignSpec.model_validate(opened.spec)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if first["type"] != BAD_KIND:
            raise _unreadable("the campaign's spec", error, opened) from error
        context = first["ctx"]
        packages = dict.fromkeys(opened.packages.values())
        # What a ledger says is pasted by nobody unless it is a package's name and version.
        plain = all(
            _PLAIN.fullmatch(name) and _PLAIN.fullmatch(opened.versions.get(name, ""))
            for name in packages
        )
        needed = " ".join(f"{n}=={opened.versions[n]}" for n in packages) if plain else ""
        begun_with = f"Install what it was begun with: `pip install {needed}`."
        remedy = begun_with if needed else context["remedy"]
        raise PluginError(context["what"], remedy=remedy) from error


def rescheduled_spec(
    spec: CampaignSpec, scheduling: dict[str, Any], opened: CampaignOpened
) -> CampaignSpec:
    """Return the campaign, run from here on as a later session recorded.

    Raises:
        RunError: if this version cannot read that.
    """
    try:
        return spec.with_scheduling(scheduling)
    except (ValidationError, KeyError, TypeError, ValueError) as error:
        raise _unreadable("what a session says of where it runs", error, opened) from error


def amended_spec(
    spec: CampaignSpec, changes: Mapping[str, Any], opened: CampaignOpened
) -> CampaignSpec:
    """Return the campaign under the terms that people changed it to.

    Raises:
        RunError: if this version cannot read them.
        ValueError: if labels or models would lose their meaning.
    """
    try:
        amended = changed_spec(spec, changes)
    except (ValidationError, LookupError) as error:
        raise _unreadable("what the campaign was changed to", error, opened) from error
    if (problem := lost_meaning(spec, amended)) is not None:
        raise ValueError(problem)
    return amended


def _unreadable(what: str, error: Exception, opened: CampaignOpened) -> RunError:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        why = f"{place}: {first['msg'].removeprefix('Value error, ')}"
    else:
        why = one_line(error)
    version = opened.versions.get("alloop", "")
    is_other = version != __version__ and _PLAIN.fullmatch(version) is not None
    wrote = f"Use Alloop {version}, which wrote it, or begin" if is_other else "Begin"
    return RunError(
        f"{what} is not something that this version reads ({why})",
        remedy=f"{wrote} a new run.",
    )
