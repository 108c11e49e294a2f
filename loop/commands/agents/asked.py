"""What an agent gives to a tool: names, numbers and texts, checked before anything is done."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from alloop.files.limits import SPEC_BYTES
from alloop.loop.record.records import MOST_WORDS

Run = Annotated[str, Field(description="name of a run, as `list` gives it")]
Candidate = Annotated[
    str, Field(min_length=1, max_length=200, description="id of a candidate, or its beginning")
]
Why = Annotated[str, Field(max_length=MOST_WORDS, description="the reason, for the record")]
MOST_MATERIALS = 100
MOST_TEXT = 1_000_000


class Asked(BaseModel):
    """Arguments of a tool."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OfNothing(Asked):
    """Arguments of a tool that needs none."""


class OfRun(Asked):
    """Arguments of a tool on one run."""

    run: Run


class OfCandidate(OfRun):
    """Arguments of a tool on one candidate."""

    candidate: Candidate


class GivenMaterial(Asked):
    """A material as text, never as a path."""

    format: Literal["formula", "cif", "poscar", "extxyz"] = Field(
        description="formula in a space of compositions, else one of the others"
    )
    text: str = Field(min_length=1, max_length=MOST_TEXT)


class OfMaterials(OfRun):
    """Arguments of ``score``."""

    materials: tuple[GivenMaterial, ...] = Field(min_length=1, max_length=MOST_MATERIALS)


class ToAdd(OfMaterials):
    """Arguments of ``add``."""

    why: Why


class ToSuggest(OfRun):
    """Arguments of ``suggest``."""

    n: int | None = Field(
        default=None, ge=1, le=10_000, description="number of candidates; null: the campaign's own"
    )
    why: Why


class ToLabel(OfCandidate):
    """Arguments of ``label``."""

    values: dict[str, float] = Field(
        default_factory=dict, max_length=100, description="by property, in the campaign's units"
    )
    failed: str = Field(default="", max_length=500, description="why there are no values")
    tier: int | None = Field(default=None, ge=0, description="needed where several were asked")
    why: str = Field(default="", max_length=MOST_WORDS)


class ToVeto(OfCandidate):
    """Arguments of ``veto``."""

    why: Why


class ToChange(OfRun):
    """Arguments of ``change``."""

    settings: dict[str, Any] = Field(
        min_length=1, max_length=100, description="values by key path, such as budget.rounds"
    )
    why: Why


class ToStart(OfRun):
    """Arguments of ``start``."""

    spec: str | None = Field(
        default=None,
        max_length=SPEC_BYTES,
        description="the campaign's YAML, to begin a new run; null: go on with the run",
    )
    rounds: int | None = Field(
        default=None, ge=0, le=100_000, description="rounds to begin at most; null: all"
    )
    why: Why


class ToStop(OfRun):
    """Arguments of ``stop``."""

    why: Why
