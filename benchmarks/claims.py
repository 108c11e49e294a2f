"""What the benchmarks claim: a line of text, a figure, what it is compared with, and a bar.

Claims stand in ``benchmarks/SUBJECT/claims.yaml``, figures in ``benchmarks/results/SUBJECT.json``.
Whether a claim is met is computed from the two and written nowhere by hand.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from alloop.errors import AlloopError

FOLDER = Path(__file__).parent

Figures = Mapping[str, Any]
"""Figures by name: a number, or ``{"mean": …, "std": …}`` over seeds."""


class ClaimError(AlloopError):
    """A claim or page that does not fit the figures."""


class Verdict(Enum):
    """Whether a claim's bar is met, as the page says it."""

    MET = "yes"
    NOT_MET = "**no**"
    NO_BAR = ""
    NOT_MEASURED = "not measured yet"


class Reference(BaseModel):
    """What a figure is compared with: a published number, or a baseline measured by us."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Whose number it is: the publication, or the baseline in words."""
    value: float | None = None
    """The published number, in the figure's unit."""
    figure: str | None = None
    """The baseline's figure, in the same results file."""


class Claim(BaseModel):
    """One line of the page of claims."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: str
    """What is measured, for a reader who knows the field and not the project."""
    figure: str
    """Name of the figure in the subject's results file."""
    unit: str = ""
    """Unit of the figure; "%" shows a share as a percentage."""
    against: Reference | None = None
    """What stands beside the figure."""
    at_least: float | str | None = None
    """Lowest value that is good enough: a number, or the name of another figure."""
    at_most: float | str | None = None
    """Highest value that is good enough: a number, or the name of another figure."""
    equal: float | str | None = None
    """The only value that is good enough: a number, or the name of another figure."""
    on_front_page: bool = True
    """Whether the page of all claims has it, too; the subject's page has every one."""
    not_measured_yet: bool = False
    """Whether the figure is known to be missing, as that of work to come."""

    def bars(self) -> tuple[tuple[str, float | str], ...]:
        """Return sign and limit of each bar."""
        limits = (("≥", self.at_least), ("≤", self.at_most), ("=", self.equal))
        return tuple((sign, limit) for sign, limit in limits if limit is not None)

    def figures(self) -> tuple[str, ...]:
        """Return the names of all figures that the claim speaks of."""
        limits = [limit for _, limit in self.bars() if isinstance(limit, str)]
        baseline = self.against.figure if self.against else None
        return tuple(dict.fromkeys([self.figure, *limits, *([baseline] if baseline else [])]))

    def verdict(self, figures: Figures) -> Verdict:
        """Compare the mean of the figure with every bar."""
        if any(name not in figures for name in self.figures()):
            return Verdict.NOT_MEASURED
        if not self.bars():
            return Verdict.NO_BAR
        ours = mean(figures[self.figure])
        holds = {"≥": ours.__ge__, "≤": ours.__le__, "=": ours.__eq__}
        met = all(
            holds[sign](mean(figures[limit]) if isinstance(limit, str) else float(limit))
            for sign, limit in self.bars()
        )
        return Verdict.MET if met else Verdict.NOT_MET


@dataclass(frozen=True)
class Subject:
    """One benchmark: its claims, and what was measured."""

    name: str
    claims: tuple[Claim, ...]
    result: Mapping[str, Any] | None
    """The content of results/NAME.json; None before the first measurement."""

    @property
    def figures(self) -> Figures:
        """Measured figures by name; none before the first measurement."""
        return self.result["figures"] if self.result else {}

    @classmethod
    def read(cls, name: str, folder: Path = FOLDER) -> Self:
        """Read the claims and the results of one subject.

        Raises:
            ClaimError: the claims are malformed, or name a figure that is neither measured nor
                said to be missing.
        """
        path = folder / name / "claims.yaml"
        try:
            claims = TypeAdapter(tuple[Claim, ...]).validate_python(
                yaml.safe_load(path.read_text("utf-8"))
            )
        except ValidationError as error:
            raise ClaimError(
                str(error), where=str(path), remedy="See benchmarks/claims.py."
            ) from error
        results = folder / "results" / f"{name}.json"
        subject = cls(
            name, claims, json.loads(results.read_text("utf-8")) if results.exists() else None
        )
        for claim in claims:
            missing = [each for each in claim.figures() if each not in subject.figures]
            if missing and not claim.not_measured_yet:
                raise ClaimError(
                    f"{results.name} has no figure {', '.join(missing)}",
                    where=f"{path}: {claim.what}",
                    remedy="Correct the name, or say not_measured_yet: true.",
                )
        return subject


def subjects(folder: Path = FOLDER) -> tuple[Subject, ...]:
    """Return every benchmark that has claims, by name."""
    paths = sorted(folder.glob("*/claims.yaml"))
    return tuple(Subject.read(path.parent.name, folder) for path in paths)


def mean(figure: Any) -> float:
    """Return a figure's number, or its mean over seeds."""
    return float(figure["mean"] if isinstance(figure, Mapping) else figure)
