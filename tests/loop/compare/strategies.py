"""Runs of made-up strategies, as ledgers in folders: what each label gave, and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alloop.canonical import sha256
from alloop.loop.record.events import CampaignClosed, Event, Stage
from alloop.loop.record.ledger import Ledger
from tests.loop.ledger import decision, measured, opened, proposed

SPEC: dict[str, Any] = {
    "name": "made-up",
    "space": {"elements": ["Ni", "Fe"], "atoms": 16},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "constraints": [{"property": "formation_energy_per_atom", "max": 0.1}],
    "budget": {"initial": 2, "rounds": 3, "measurements": [100]},
    "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
}


@dataclass(frozen=True)
class Doubtful:
    """A bulk modulus that is not to be relied on, GPa."""

    modulus: float


Values = float | Mapping[str, float] | Doubtful | None
"""A feasible bulk modulus, properties by name, or None for a failure."""


def run_of(
    folder: Path,
    values: Sequence[Values],
    *,
    seed: int = 1,
    strategy: str = "random",
    fingerprint: str = "oracle",
    closed: bool = True,
    more: Sequence[Event] = (),
    **changes: Any,
) -> Path:
    """Write the ledger of a run and return its folder; the first two labels are initial ones, the
    same for every strategy of a seed."""
    acquisition = {"acquisition": {"strategy": strategy}}
    spec = SPEC | {"seed": seed} | acquisition | changes
    events: list[Event] = [opened(spec, [fingerprint, "top tier"][: len(spec["tiers"])])]
    names = [
        f"{seed} {i}" if i < 2 else f"{strategy} {seed} {i} {values[i]}" for i in range(len(values))
    ]
    for stage, round, part in (
        (Stage.INITIAL, 0, slice(2)),
        (Stage.ACQUISITION, 1, slice(2, None)),
    ):
        if names[part]:
            events.append(proposed(round, stage, [decision(name) for name in names[part]]))
        for name, value in zip(names[part], values[part], strict=True):
            candidate = sha256(name)
            doubts = {"bulk_modulus": "two strains disagree"} if isinstance(value, Doubtful) else {}
            properties = _properties(value)
            events.append(
                measured(
                    round, stage, candidate, properties, fingerprint=fingerprint, doubts=doubts
                )
            )
    events += more
    if closed:
        events.append(CampaignClosed(reason="the budget is spent"))
    with Ledger.open(folder, writable=True) as ledger:
        ledger.append_together(events)
    return folder


def _properties(value: Values) -> Mapping[str, float] | None:
    if isinstance(value, Doubtful):
        return _properties(value.modulus)
    if isinstance(value, float | int):
        return {"bulk_modulus": float(value), "formation_energy_per_atom": 0.0}
    return value
