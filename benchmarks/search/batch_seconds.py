"""Seconds of a choice of 16 after 500, 2,000 and 10,000 labels: surrogate fitted, batch chosen.

The ledger of a campaign is filled with so many random orderings of fcc Ni18Cr18Fe18, labelled by a
formula of their correlations in place of LAMMPS, and the controller goes on with it as with any
run. What counts is the time of the step that proposes the next batch, with everything in it but the
training of the generative model, which is a step of its own and reported beside.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from alloop.campaigns.load import parse_spec
from alloop.campaigns.spec import CampaignSpec
from alloop.loop.controller import Controller
from alloop.loop.opening import spec_to_json
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import (
    CampaignOpened,
    Decision,
    Event,
    LedgerEntry,
    Lineage,
    Measured,
    Proposed,
    Stage,
)
from alloop.loop.record.ledger import Ledger
from alloop.loop.state.campaign_state import CampaignState, evaluation_id
from alloop.loop.steps import Fit, Propose, Step
from alloop.loop.versions import software_versions
from alloop.oracles.base import Status
from benchmarks.search.baselines.ordering_script import Cell

SIZES = (500, 2000, 10_000)
BATCH = 16
TOGETHER = 500
"""Number of events that are appended to the ledger at a time."""
CAMPAIGN: dict[str, Any] = {
    "name": "batch-seconds",
    "seed": 1,
    "space": {
        "elements": ["Ni", "Cr", "Fe"],
        "fractions": {element: [0.33, 0.34] for element in ("Ni", "Cr", "Fe")},
        "lattices": ["fcc"],
        "atoms": 54,
    },
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "model": {"kind": "lattice", "epochs": 1},
    "acquisition": {"strategy": "latent-bo", "batch": BATCH},
    "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
    "cache": False,
}
"""The campaign, with a model that is hardly trained: how well it is makes no choice faster."""


def measure(sizes: Sequence[int] = SIZES) -> dict[str, float]:
    """Return the seconds of a choice, by the clock and of the processor, and of the model's one
    epoch before it, for each number of labels.
    """
    figures = {}
    for n in sizes:
        with TemporaryDirectory() as folder:
            watch = time_of_choice(Path(folder) / "run", n)
        print(f"  {n} labels: {watch.seconds}", flush=True)
        seconds, processor = watch.seconds["Propose"]
        figures[f"batch_seconds_{n}"] = seconds
        figures[f"batch_processor_seconds_{n}"] = processor
        figures[f"batch_model_epoch_seconds_{n}"] = watch.seconds["Fit"][0]
    return figures


class Chosen(Exception):
    """Raised once the batch is chosen, before any of it is measured."""


class Stopwatch:
    """Observer that times the steps of one round up to its choice."""

    def __init__(self) -> None:
        self.seconds: dict[str, tuple[float, float]] = {}
        """Seconds of each step by its class: by the clock, and of the processor on all cores."""
        self._began = self._now()
        self._step: Step | None = None

    def step(self, step: Step, state: CampaignState) -> None:
        """Begin to time a step."""
        self._step, self._began = step, self._now()

    @staticmethod
    def _now() -> tuple[float, float]:
        return time.perf_counter(), time.process_time()

    def progress(self, share: float, message: str) -> None:
        """Do nothing."""

    def event(self, entry: LedgerEntry) -> None:
        """Stop the time of the step that the event ends.

        Raises:
            Chosen: if that was the choice.
        """
        if isinstance(self._step, Fit | Propose):
            (clock, processor), began = self._now(), self._began
            self.seconds[type(self._step).__name__] = clock - began[0], processor - began[1]
        if isinstance(self._step, Propose):
            raise Chosen


def time_of_choice(run: Path, n: int) -> Stopwatch:
    """Return the times of a round of a campaign that has so many labels."""
    budget = {"initial": n, "rounds": 1, "measurements": [n + BATCH]}
    spec = parse_spec(CAMPAIGN | {"budget": budget}, where=CAMPAIGN["name"])
    fill(run, spec, n)
    watch = Stopwatch()
    try:
        with Controller(run, None, observer=watch, is_trusted=True) as controller:
            controller.run()
    except Chosen:
        return watch
    raise RuntimeError(f"a campaign of {n} labels chose nothing")


def fill(run: Path, spec: CampaignSpec, n: int) -> None:
    """Write the ledger of a campaign that has measured so many random orderings."""
    cell, rng = Cell(), np.random.default_rng(spec.seed)
    equal = np.repeat([0, 1, 2], len(cell.sites) // 3)
    orderings = np.array([rng.permutation(equal) for _ in range(n)])
    values = moduli(cell, orderings)
    with Ledger.open(run, writable=True) as ledger:
        fingerprint = spec.build_oracles()[0].fingerprint()
        store = ArtifactStore(run / "artifacts")
        ids = store.put_materials(cell.structure(each) for each in orderings)
        opened = CampaignOpened(
            spec=spec_to_json(spec), fingerprints=(fingerprint,), versions=software_versions(spec)
        )
        decisions = tuple(
            Decision(
                candidate=id,
                formula="Ni18 Cr18 Fe18",
                lattice="fcc",
                chosen=True,
                reason="drawn at random",
                lineage=Lineage(source="random"),
            )
            for id in ids
        )
        events: list[Event] = [
            opened,
            Proposed(round=0, stage=Stage.INITIAL, decisions=decisions),
            *(_measured(id, value, fingerprint) for id, value in zip(ids, values, strict=True)),
        ]
        for first in range(0, len(events), TOGETHER):
            ledger.append_together(events[first : first + TOGETHER])


def moduli(cell: Cell, orderings: np.ndarray) -> list[float]:
    """Return made-up bulk moduli, GPa: a quadratic form of the correlations, spread by 1 GPa as
    random orderings' are, and the noise of a relaxation.
    """
    rng = np.random.default_rng(0)
    x = cell.correlations(orderings)
    x = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-12)
    y = x @ rng.normal(size=x.shape[1]) + 0.3 * (x @ rng.normal(size=(x.shape[1], 3))) ** 2 @ (
        1,
        1,
        1,
    )
    noise = rng.normal(scale=0.05, size=len(y))
    return (182 + (y - y.mean()) / y.std() + noise).tolist()


def _measured(candidate: str, value: float, fingerprint: str) -> Measured:
    return Measured(
        evaluation=evaluation_id(candidate, fingerprint),
        candidate=candidate,
        round=0,
        stage=Stage.INITIAL,
        tier=0,
        oracle="made up",
        status=Status.OK,
        properties={"bulk_modulus": value},
        fingerprint=fingerprint,
    )
