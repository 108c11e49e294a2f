"""A first spec, written from a few answers and commented for whoever edits it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from alloop.errors import SpecError
from alloop.kinds import ORACLES, installed_kinds, options_of
from alloop.oracles.options import ListsMaterials, OracleOptions, SuggestsTier, TierWish

BATCH = 8
"""Candidates of a round of a first campaign."""
FEWEST_MEASUREMENTS = 4


@dataclass(frozen=True)
class SpaceChoice:
    """A kind of space, as a first spec writes it."""

    words: str
    """What its materials are, for people."""
    keys: Mapping[str, Any]
    """Keys beside the elements."""
    has_sites: bool
    """Whether its materials are structures."""
    elements: tuple[str, ...]
    """Elements that show it, where none are named."""
    strategy: str
    """Strategy that needs no more than a few labels and little time."""


SPACES: Mapping[str, SpaceChoice] = MappingProxyType(
    {
        "decorations": SpaceChoice(
            "orderings of the elements on a crystal lattice",
            {"lattices": ["fcc", "bcc"], "atoms": 54},
            True,
            ("Ni", "Fe", "Cr"),
            "latent-bo",
        ),
        "structures": SpaceChoice(
            "crystals of any structure",
            {"kind": "structures", "max_atoms": 20},
            True,
            ("Ni", "Al", "Fe"),
            "surrogate-bo",
        ),
        "compositions": SpaceChoice(
            "alloys known by their composition alone",
            {"kind": "compositions"},
            False,
            ("Ni", "Fe", "Cr"),
            "surrogate-bo",
        ),
    }
)
"""Kinds of space by name."""


@dataclass(frozen=True)
class FirstAnswers:
    """Answers that a first spec is written from."""

    name: str = "first-campaign"
    elements: tuple[str, ...] = ()
    """Symbols; those of the kind of space where none are named."""
    space: str = "decorations"
    goal: str = "maximise"
    property: str = "bulk_modulus"
    measured_by: str = "lammps"
    measurements: int = 60
    file: Path | None = None
    """File of the tier, where its kind reads one."""
    labels: Path | None = None
    """What is known already."""


def tier_kinds() -> tuple[str, ...]:
    """Return the kinds of tier that can suggest themselves for a first spec."""
    return tuple(kind for kind in installed_kinds(ORACLES) if _suggests(kind))


def _suggests(kind: str) -> bool:
    try:
        return isinstance(options_of(ORACLES, kind, OracleOptions), SuggestsTier)
    except Exception:
        return False


def first_spec(answers: FirstAnswers, schema: str) -> str:
    """Return the text of a spec; whether it can be run is for ``alloop check``.

    Args:
        answers: to the questions.
        schema: path or address of the JSON schema that its first line names.

    Raises:
        SpecError: if an answer is none of those that there are.
        AlloopError: if a tier of that kind cannot measure what is wanted.
    """
    if answers.space not in SPACES:
        raise SpecError(
            f"{answers.space!r} is no kind of space", remedy=f"There are {', '.join(SPACES)}."
        )
    if answers.measured_by not in tier_kinds():
        raise SpecError(
            f"a first spec cannot be written for {answers.measured_by!r}",
            remedy=f"There are {', '.join(tier_kinds())}.",
        )
    if answers.measurements < FEWEST_MEASUREMENTS:
        raise SpecError(
            f"{answers.measurements} measurements are too few to learn from",
            remedy=f"Give at least {FEWEST_MEASUREMENTS}.",
        )
    options: Any = options_of(ORACLES, answers.measured_by, OracleOptions)
    choice = SPACES[answers.space]
    elements = answers.elements or choice.elements
    wish = TierWish(elements, (answers.property,), choice.has_sites, answers.file)
    tier = options.suggested_tier(wish)
    from_table = issubclass(options, ListsMaterials)
    initial = min(max(answers.measurements // 4, 2), 64)
    rounds = math.ceil((answers.measurements - initial) / BATCH)
    strategy = "surrogate-bo" if from_table else choice.strategy
    acquisition = {"strategy": strategy, "batch": BATCH}
    if from_table:
        acquisition["candidates"] = "table"
    budget = {"initial": initial, "rounds": rounds, "measurements": [answers.measurements]}
    lines = [
        f"# yaml-language-server: $schema={schema}",
        f"# {answers.goal} {answers.property}: {choice.words}. Check it, then run it:",
        "#",
        f"#     alloop check {answers.name}.yaml",
        f"#     alloop launch {answers.name}.yaml",
        f"name: {answers.name}",
        "seed: 1  # the same seed gives the same campaign",
        "",
        "# What may be proposed. fractions: {Ni: [0.1, 0.6]} bounds an element.",
        f"space: {_flow({'elements': list(elements), **choice.keys})}",
        "",
        "# What is wanted: maximise, minimise, or goal: window with window: [low, high].",
        "objectives:",
        f"  - {_flow({'property': answers.property, 'goal': answers.goal})}",
        "# constraints: [{property: formation_energy_per_atom, max: 0.05}]",
        "",
        "# How candidates are chosen; `alloop check` shows the keys with their defaults.",
        f"acquisition: {_flow(acquisition)}",
        "",
        "# Who measures, the cheapest first; a second one needs promote, and a second total below.",
        "tiers:",
        f"  - {_flow(tier)}",
        "",
    ]
    if answers.labels is None:
        lines.append("# What is known already: start: {labels: known.csv}; initial may be 0 then.")
    else:
        lines.append("# What is known already, at no cost; initial may be 0 where it is enough.")
        lines.append(f"start: {_flow({'labels': str(answers.labels)})}")
    lines += [
        "",
        "# Random candidates first, then rounds of a batch each, up to a total per tier.",
        f"budget: {_flow(budget)}",
    ]
    return "\n".join(lines) + "\n"


def _flow(value: Mapping[str, Any]) -> str:
    text: str = yaml.safe_dump(
        dict(value), default_flow_style=True, sort_keys=False, allow_unicode=True, width=10_000
    )
    return text.strip()
