"""The folder that an agent is let into: what it may name in there, and what it may start."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alloop.campaigns.spec import CampaignSpec
from alloop.errors import RunError, SpecError
from alloop.loop.record.ledger_file import LEDGER

MOST_NAME = 200
"""Largest number of bytes of a run's name; file systems take 255."""


@dataclass(frozen=True)
class ServedFolder:
    """A folder of runs, with what the user who serves it allows."""

    path: Path
    """Absolute path of the folder, links resolved."""
    allows_writing: bool = False
    allows_programs: bool = False
    """Whether campaigns may be started whose tiers start programs, or whose jobs leave this
    machine."""

    @classmethod
    def of(
        cls, path: Path, *, allows_writing: bool = False, allows_programs: bool = False
    ) -> "ServedFolder":
        """Return a folder to be served.

        Raises:
            RunError: if it is no folder, or a run itself.
        """
        if not path.is_dir():
            raise RunError(
                "there is no such folder", where=str(path), remedy="Make it, or name another."
            )
        if (path / LEDGER).exists():
            raise RunError(
                "this is a run", where=str(path), remedy="Name the folder that it lies in."
            )
        return cls(path.resolve(), allows_writing, allows_programs)

    def run(self, name: str) -> Path:
        """Return the path of a run, which need not exist yet.

        Raises:
            RunError: if the name is not that of an entry of the folder, or leads out of it.
        """
        # A surrogate, which has no bytes, is not printable.
        is_plain = name.isprintable() and name == name.strip() and not {"/", "\\"} & {*name}
        if not name or not is_plain or name[0] in ".-" or len(name.encode()) > MOST_NAME:
            raise RunError(
                f"{name[:MOST_NAME]!r} is no name of a run",
                remedy="Give one as `list` does: a plain name in the folder that is served, "
                "without slashes, and not too long.",
            )
        path = self.path / name
        if path.is_symlink():
            raise RunError(
                "this is a link, and no run of the folder that is served",
                where=name,
                remedy="Only what lies in the folder itself can be named.",
            )
        return path

    def require_files_inside(self, spec: CampaignSpec, known: CampaignSpec | None = None) -> None:
        """Check that every file that a spec names lies in the folder.

        Args:
            spec: as the agent wants it.
            known: spec in force, whose files the agent did not choose.

        Raises:
            SpecError: naming the file that does not.
        """
        allowed = set() if known is None else set(_paths(known.model_dump()))
        for path in _paths(spec.model_dump()):
            if path not in allowed and not path.resolve().is_relative_to(self.path):
                raise SpecError(
                    f"the file {str(path)!r} lies outside of the folder that is served",
                    remedy="Name a file in it, relative to the folder; its user can put one there.",
                )

    def require_no_programs(self, spec: CampaignSpec) -> None:
        """Refuse a campaign that starts programs, where that is not allowed.

        Raises:
            RunError: naming what would be started.
        """
        named = () if self.allows_programs else tuple(started_programs(spec))
        if named:
            raise RunError(
                f"this campaign starts programs or jobs: {'; '.join(named)}",
                remedy="Its user can start it with `alloop launch` or `alloop resume`, or serve "
                "the folder with `alloop mcp FOLDER --write --programs`.",
            )


def started_programs(spec: CampaignSpec) -> Iterator[str]:
    """Yield in words each tier that starts programs, and execution that leaves this machine."""
    for place, tier in enumerate(spec.tiers):
        if tier.starts_programs():
            yield f"tier {place} ({tier.kind})"
    if spec.execution.leaves_this_machine():
        yield f"execution ({spec.execution.kind})"


def _paths(value: Any) -> Iterator[Path]:
    match value:
        case Path():
            yield value
        case Mapping():
            for each in value.values():
                yield from _paths(each)
        case list() | tuple() | set() | frozenset():
            for each in value:
                yield from _paths(each)
