"""Run folders of any length, written as a campaign of two tiers would have written them.

The events go through the real records and hash chain; materials are the real JSON of crystals of
16 atoms. What is made up are the values, by a formula. A round has about 73 events: a fit, 16
measurements of the acquisition and five iterations of local search with 10 each.
"""

import hashlib
import itertools
import json
import random
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from alloop.campaigns.load import parse_spec
from alloop.canonical import canonical_json, sha256
from alloop.loop.record.events import (
    EVENT,
    CampaignClosed,
    CampaignOpened,
    Decision,
    Event,
    Lineage,
    Measured,
    ModelFitted,
    Posterior,
    Proposed,
    SessionClosed,
    SessionOpened,
    Stage,
)
from alloop.loop.record.hash_chain import START, StoredRow, entry_hash
from alloop.loop.record.ledger import Ledger
from alloop.loop.record.ledger_file import LEDGER
from alloop.loop.state.campaign_state import evaluation_id
from alloop.materials import material_to_json
from alloop.models.lattice.parent import ParentLattice
from alloop.oracles.base import FailureKind, Status

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
ELEMENTS = ("Ni", "Fe", "Cr")
ATOMS = 16
INITIAL, BATCH, OUTSCORED, SCREENED = 64, 16, 16, 8
ITERATIONS, SWAPS, DUPLICATES = 5, 10, 2
PROMOTED = 3
FAIL_EVERY = 17
"""Every so many-th measurement failed."""

SPEC: dict[str, Any] = {
    "name": "long",
    "seed": 7,
    "space": {
        "elements": list(ELEMENTS),
        "fractions": {symbol: [0.1, 0.6] for symbol in ELEMENTS},
        "lattices": ["fcc", "bcc"],
        "atoms": ATOMS,
    },
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "constraints": [{"property": "formation_energy_per_atom", "max": 0.08}],
    "acquisition": {"batch": BATCH, "pool": BATCH + OUTSCORED},
    "augmentation": {"parents": 2, "iterations": ITERATIONS, "swaps": SWAPS // 2},
    "tiers": [
        {"kind": "lammps", "potential": "NiFeCr-Wu2017"},
        {"kind": "dft", "engine": "chgnet", "promote": PROMOTED},
    ],
    "budget": {"initial": INITIAL, "rounds": 1_000_000, "measurements": [10_000_000, 1000]},
}


HULL = {"property": "energy_above_hull", "max": 0.5}
"""A constraint on what is derived from all measurements together."""


def write_run(
    run: Path, n_events: int, *, with_artifacts: bool = True, with_hull: bool = False
) -> str:
    """Write a closed run of so many events, and return its best candidate's id.

    Nothing is synced: these files need not survive a power cut.

    Args:
        run: the run directory, made by this.
        n_events: events of its ledger.
        with_artifacts: whether to write the materials too, which are three for an event.
        with_hull: whether the campaign constrains the energy above the hull as well.
    """
    with Ledger.open(run, writable=True):
        pass
    made = _Campaign(run / "artifacts" if with_artifacts else None, with_hull=with_hull)
    events = itertools.chain(itertools.islice(made.events(), n_events - 2), made.ending())
    connection = sqlite3.connect(run / LEDGER)
    with connection:
        connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", _rows(events))
    connection.close()
    return made.best


def made_events(artifacts: Path | None = None) -> Iterator[Event]:
    """Yield the events of a campaign that never ends, its artifacts written to a folder, if any."""
    return _Campaign(artifacts, with_hull=False).events()


def _rows(events: Iterator[Event]) -> Iterator[StoredRow]:
    previous = START
    for seq, event in enumerate(events, start=1):
        time = (BEGAN + timedelta(seconds=0.9 * seq)).isoformat(timespec="milliseconds")
        text = canonical_json(EVENT.dump_python(event, mode="json"))
        hash = entry_hash(seq, time, text, previous)
        yield StoredRow(seq, time, text, previous, hash)
        previous = hash


class _Campaign:
    """Events of a made-up campaign, one after the other, and the artifacts they name."""

    def __init__(self, artifacts: Path | None, *, with_hull: bool) -> None:
        self._artifacts = artifacts
        self._draw = random.Random(7)
        constraints = [*SPEC["constraints"], *([HULL] if with_hull else [])]
        spec = parse_spec(SPEC | {"constraints": constraints}, where="long run")
        self._spec = spec.model_dump(mode="json")
        self._fingerprints = tuple(sha256(f"tier {n}") for n in range(len(spec.tiers)))
        self._parents = {
            name: material_to_json(
                ParentLattice.of_size(name, ATOMS).structure([ELEMENTS[0]] * ATOMS)
            )
            for name in ("fcc", "bcc")
        }
        self._best = (-1.0, "")
        self._n_measured = 0

    @property
    def best(self) -> str:
        """Candidate with the largest bulk modulus so far."""
        return self._best[1]

    def events(self) -> Iterator[Event]:
        """Yield the events of a campaign that never ends."""
        yield CampaignOpened(spec=self._spec, fingerprints=self._fingerprints, versions={})
        yield SessionOpened()
        first = [self._chosen(Lineage(source="random", seed=n)) for n in range(INITIAL)]
        yield from self._proposal(0, Stage.INITIAL, first)
        for n in itertools.count(1):
            model = self._put(f"model {n}".encode())
            yield ModelFitted(
                round=n,
                checkpoint=model,
                n_labelled=self._n_measured,
                n_unlabelled=2048,
                epochs=60,
                seconds=8.5,
                metrics={"bulk_modulus_mae": 2 / n, "reconstructed": 1 - 1 / n},
            )
            yield from self._proposal(n, Stage.ACQUISITION, self._acquired(n, model))
            for iteration in range(1, ITERATIONS + 1):
                swapped = [
                    self._chosen(Lineage(source="swap", parent=self.best, swap=(i, i + 1), seed=i))
                    for i in range(SWAPS)
                ]
                twins = [self._rejected("duplicate", -1.0) for _ in range(DUPLICATES)]
                decisions = [*swapped, *twins]
                yield from self._proposal(n, Stage.AUGMENTATION, decisions, iteration)

    def ending(self) -> Iterator[Event]:
        """Yield the last two events."""
        yield CampaignClosed(reason="all rounds are done")
        yield SessionClosed(reason="campaign closed")

    def _acquired(self, round: int, model: str) -> list[Decision]:
        latents = self._put(f"latents {round}".encode())
        decisions = []
        for row in range(BATCH + OUTSCORED):
            lineage = Lineage(source="latent", model=model, latents=latents, row=row, seed=round)
            posterior = {
                "bulk_modulus": Posterior(mean=self._draw.gauss(170, 8), std=3.1),
                "formation_energy_per_atom": Posterior(mean=self._draw.gauss(0.05, 0.02), std=0.02),
            }
            score = -self._draw.random() - row
            made = (
                self._chosen(lineage)
                if row < BATCH
                else self._rejected("acquisition", -0.2 * row, lineage)
            )
            made = made.model_copy(update={"acquisition": score, "posterior": posterior})
            decisions.append(made)
        return decisions + [self._rejected("min_distance", -0.31) for _ in range(SCREENED)]

    def _proposal(
        self, round: int, stage: Stage, decisions: list[Decision], iteration: int = 0
    ) -> Iterator[Event]:
        notes: dict[str, float | str] = (
            {"trust_region_edge": 0.4, "decoded": 32.0, "aim": "first-tier"}
            if stage is Stage.ACQUISITION
            else {}
        )
        yield Proposed(
            round=round,
            stage=stage,
            iteration=iteration,
            decisions=tuple(decisions),
            notes=notes,
        )
        for decision in decisions:
            if decision.chosen:
                yield self._measured(round, stage, decision.candidate)

    def _measured(self, round: int, stage: Stage, candidate: str) -> Measured:
        self._n_measured += 1
        failed = self._n_measured % FAIL_EVERY == 0
        modulus = self._draw.gauss(170 + min(round, 100) / 10, 8)
        formation = self._draw.gauss(0.05, 0.02)
        if not failed and formation <= 0.08:
            self._best = max(self._best, (modulus, candidate))
        return Measured(
            evaluation=evaluation_id(candidate, self._fingerprints[0]),
            candidate=candidate,
            round=round,
            stage=stage,
            tier=0,
            oracle="lammps NiFeCr-Wu2017",
            wall_seconds=self._draw.expovariate(2),
            core_hours=self._draw.expovariate(7200),
            status=Status.FAILED if failed else Status.OK,
            properties={}
            if failed
            else {
                "bulk_modulus": modulus,
                "density": self._draw.gauss(7.8, 0.1),
                "energy_per_atom": self._draw.gauss(-4.2, 0.1),
                "formation_energy_per_atom": formation,
                "volume_per_atom": self._draw.gauss(11.7, 0.1),
            },
            failure_kind=FailureKind.NOT_CONVERGED if failed else None,
            failure_message="no step lowers the energy" if failed else "",
            relaxed=None if failed else self._material(self._draw.gauss(1, 0.01))[0],
            fingerprint=self._fingerprints[0],
        )

    def _chosen(self, lineage: Lineage) -> Decision:
        candidate, formula, lattice = self._material()
        return Decision(
            candidate=candidate,
            formula=formula,
            lattice=lattice,
            chosen=True,
            reason="drawn at random"
            if lineage.source == "random"
            else f"exchange of two atoms around {lineage.parent[:10]}"
            if lineage.parent
            else f"choice {lineage.row} of {BATCH} by acquisition",
            lineage=lineage,
        )

    def _rejected(self, rule: str, margin: float, lineage: Lineage | None = None) -> Decision:
        candidate, formula, lattice = self._material()
        return Decision(
            candidate=candidate,
            formula=formula,
            lattice=lattice,
            chosen=False,
            rule=rule,
            margin=margin + self._draw.random() / 10,
            reason=f"its {rule} misses what is asked by {margin + self._draw.random() / 10:.3f}",
            lineage=lineage or Lineage(source="random", seed=1),
        )

    def _material(self, scale: float = 1.0) -> tuple[str, str, str]:
        """Store a random crystal and return its id, formula and lattice."""
        lattice = self._draw.choice(("fcc", "bcc"))
        n_cr, n_fe = self._draw.randint(2, 7), self._draw.randint(2, 7)
        counts = {"Cr": n_cr, "Fe": n_fe, "Ni": ATOMS - n_cr - n_fe}
        species = [symbol for symbol, n in counts.items() for _ in range(n)]
        self._draw.shuffle(species)
        parent = self._parents[lattice]
        # A hair of strain makes each one its own.
        strain = scale + self._draw.random() / 1000
        cell = [[round(strain * x, 8) for x in row] for row in parent["lattice"]]
        material = parent | {"species": species, "lattice": cell}
        content = json.dumps(material, sort_keys=True, separators=(",", ":")).encode()
        formula = "".join(f"{symbol}{n}" for symbol, n in counts.items())
        return self._put(content), formula, lattice

    def _put(self, content: bytes) -> str:
        id = hashlib.sha256(content).hexdigest()
        if self._artifacts is not None:
            path = self._artifacts / id[:2] / id
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return id
