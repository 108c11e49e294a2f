"""Events by which people change what a campaign goes by: its terms, and the labels it believes."""

from typing import Any, Literal

from pydantic import Field

from alloop.loop.record.records import ArtifactId, Name, Reason, Record


class SpecChanged(Record):
    """Event: the campaign goes on under other terms. It is open again, if it had been closed."""

    kind: Literal["spec_changed"] = "spec_changed"
    changes: dict[str, Any] = Field(min_length=1)
    """New values by key path of the full spec: ``{"budget.rounds": 8}``."""
    who: Name
    why: Reason


class Retracted(Record):
    """Event: measurements are not believed any more. They stay in the ledger, and what they cost
    stays paid; nothing is fitted to them, compared with them or promoted by them from here on."""

    kind: Literal["retracted"] = "retracted"
    evaluations: tuple[str, ...] = ()
    """Evaluations whose measurements are taken back."""
    brought: tuple[ArtifactId, ...] = ()
    """Candidates whose labels that were brought are taken back: they stay as materials without
    values."""
    fingerprint: str = ""
    """Fingerprint of whose measurements all were taken back; empty where they were named."""
    again: bool = False
    """Whether they are to be measured once more."""
    who: Name
    why: Reason
