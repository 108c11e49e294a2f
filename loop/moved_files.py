"""Runs that were moved together with the files of their tiers: potentials, tables.

A ledger names such a file by its absolute path. Where that is gone, a file of the same name is
looked for beside the run; whether it is the same file is for the oracle's fingerprint to say, which
is made of the content.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from alloop.campaigns.spec import CampaignSpec


def with_moved_files(spec: CampaignSpec, run: Path) -> CampaignSpec:
    """Return the spec with each missing file of its tiers replaced by the one that was moved.

    Of a missing ``/old/place/potentials/a.eam``, the nearest folder above the run that holds
    ``place/potentials/a.eam``, ``potentials/a.eam`` or ``a.eam`` has it; where none does, the path
    stays.
    """
    folders = (run.absolute(), *run.absolute().parents)

    def found(path: Path) -> Path:
        if path.exists():
            return path
        ends = [path.parts[place:] for place in range(1, len(path.parts))]
        candidates = (folder.joinpath(*end) for folder in folders for end in ends)
        return next((each for each in candidates if each.is_file()), path)

    tiers = [tier.model_dump() for tier in spec.tiers]
    moved = _with_paths(tiers, found)
    if moved == tiers:
        return spec
    return CampaignSpec.model_validate(spec.model_dump() | {"tiers": moved})


def without_folders(spec: CampaignSpec) -> dict[str, Any]:
    """Return a spec as plain JSON values, the files that it names by their names
    alone: what they hold is compared elsewhere, where they lie is of no matter.
    """
    data = spec.model_dump()
    for part in ("tiers", "model", "start"):
        data[part] = _with_paths(data[part], lambda path: Path(path.name))
    plain: dict[str, Any] = to_jsonable_python(data)
    return plain


def _with_paths(value: Any, change: Callable[[Path], Path]) -> Any:
    match value:
        case Path():
            return change(value)
        case dict():
            return {key: _with_paths(each, change) for key, each in value.items()}
        case list() | tuple():
            return type(value)(_with_paths(each, change) for each in value)
        case _:
            return value
