"""Campaigns told in a few lines: what was chosen, and what each tier answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from alloop.canonical import sha256
from alloop.loop.record.events import Event, LedgerEntry, Posterior, Stage
from alloop.loop.state.campaign_state import CampaignState
from tests.loop.ledger import decision, entries, entry, measured, opened, proposed, state_after

FINGERPRINTS = ("cheap", "dear")
SPEC: dict[str, Any] = {
    "name": "told",
    "space": {"elements": ["Ni", "Fe"], "atoms": 16},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "constraints": [{"property": "formation_energy_per_atom", "max": 0.1}],
    "budget": {"initial": 2, "rounds": 3, "measurements": [100, 50]},
    "tiers": [
        {"kind": "lammps", "potential": "NiFeCr-Wu2017"},
        {"kind": "lammps", "potential": "NiFeCr-Wu2017", "promote": 2, "core_hour_price": 2.0},
    ],
}


@dataclass
class Told:
    """A campaign that is told step by step."""

    changes: Mapping[str, Any] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        spec = SPEC | dict(self.changes)
        self.events.append(opened(spec, FINGERPRINTS[: len(spec["tiers"])]))

    def entry(self, event: Event) -> LedgerEntry:
        """Return an event as the ledger's next entry; its hashes do not matter to the fold."""
        return entry(len(self.events) + 1, event)

    @property
    def entries(self) -> list[LedgerEntry]:
        return entries(*self.events)

    @property
    def state(self) -> CampaignState:
        return state_after(self.events)

    def choose(
        self,
        round: int,
        stage: Stage,
        formulas: Sequence[str],
        *,
        tier: int = 0,
        expected: float | None = None,
    ) -> None:
        """Choose candidates; a name's part before a colon tells orderings of a formula apart."""
        posterior = {} if expected is None else {"bulk_modulus": Posterior(mean=expected, std=1.0)}
        decisions = [
            decision(name, formula=name.split(":")[-1], posterior=posterior) for name in formulas
        ]
        self.events.append(proposed(round, stage, decisions, tier=tier))

    def answer(
        self,
        round: int,
        stage: Stage,
        name: str,
        modulus: float | None,
        energy: float = 0.0,
        *,
        tier: int = 0,
        core_hours: float = 0.0,
        money: float = 0.0,
        volume: float = 11.0,
        relaxed: str | None = None,
    ) -> None:
        """Answer with a bulk modulus, or None for a failure."""
        properties = {
            "bulk_modulus": modulus or 0.0,
            "formation_energy_per_atom": energy,
            "volume_per_atom": volume,
        }
        self.events.append(
            measured(
                round,
                stage,
                sha256(name),
                None if modulus is None else properties,
                fingerprint=FINGERPRINTS[tier],
                tier=tier,
                relaxed=relaxed,
                core_hours=core_hours,
                money=money,
            )
        )

    def measure(self, round: int, stage: Stage, values: Mapping[str, tuple[float, float]]) -> None:
        """Choose candidates of tier 0 and answer with bulk modulus and formation energy."""
        self.choose(round, stage, list(values))
        for name, (modulus, energy) in values.items():
            self.answer(round, stage, name, modulus, energy)

    def promote(
        self, round: int, values: Mapping[str, float | None], *, core_hours: float = 0.0
    ) -> None:
        """Promote candidates and answer with the higher tier's bulk modulus."""
        self.choose(round, Stage.PROMOTION, list(values), tier=1)
        for name, modulus in values.items():
            self.answer(
                round, Stage.PROMOTION, name, modulus, tier=1, core_hours=core_hours, volume=11.2
            )
