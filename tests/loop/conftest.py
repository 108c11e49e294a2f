from collections.abc import Callable
from pathlib import Path

import pytest

from alloop.loop.record.by_hand.brought import BroughtLabel, LabelsBrought
from alloop.loop.record.by_hand.changes import Retracted, SpecChanged
from alloop.loop.record.events import (
    AttemptFailed,
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
from alloop.oracles.base import FailureKind, Status


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def make_events() -> Callable[..., list[Event]]:
    return events


def events(
    artifacts: tuple[str, str, str, str] = ("a" * 64, "b" * 64, "c" * 64, "d" * 64),
) -> list[Event]:
    """One event of every kind, naming a checkpoint, latents and two candidates."""
    checkpoint, latents, first, second = artifacts
    chosen = Decision(
        candidate=first,
        formula="Cr18Fe18Ni18",
        lattice="fcc",
        chosen=True,
        reason="best expected improvement",
        acquisition=-1.25,
        posterior={"bulk_modulus": Posterior(mean=180.5, std=0.1 + 0.2)},
        lineage=Lineage(source="latent", seed=7, model=checkpoint, latents=latents, row=3),
    )
    rejected = Decision(
        candidate=second,
        formula="Ni54",
        chosen=False,
        rule="fraction bounds",
        margin=-0.4,
        reason="100 % Ni is above 60 %",
        lineage=Lineage(source="swap", parent=first, swap=(0, 5)),
    )
    measured = Measured(
        evaluation="e1",
        candidate=first,
        round=1,
        stage=Stage.ACQUISITION,
        tier=0,
        status=Status.OK,
        properties={"bulk_modulus": 181.25},
        relaxed=second,
        oracle="table – été",
        fingerprint="f",
        wall_seconds=0.3,
    )
    failed_attempt = AttemptFailed(
        evaluation="e1",
        candidate=first,
        round=1,
        stage=Stage.ACQUISITION,
        tier=0,
        attempt=1,
        failure_kind=FailureKind.WORKER_DIED,
        failure_message="it was ended by SIGKILL",
        oracle="table",
    )
    failed = Measured(
        evaluation="e2",
        candidate=second,
        round=1,
        stage=Stage.ACQUISITION,
        tier=0,
        status=Status.FAILED,
        properties={},
        failure_kind=FailureKind.TIMEOUT,
        failure_message="it took longer than 1 s",
        oracle="table",
        fingerprint="f",
    )
    return [
        CampaignOpened(
            spec={"name": "x", "model": {"kind": "lattice"}}, fingerprints=("f",), versions={}
        ),
        SessionOpened(),
        ModelFitted(
            round=1,
            checkpoint=checkpoint,
            n_labelled=4,
            n_unlabelled=0,
            epochs=2,
            seconds=1.5,
            metrics={"loss": 1e-300},
        ),
        Proposed(
            round=1,
            stage=Stage.ACQUISITION,
            decisions=(chosen, rejected),
            notes={"seconds": 1.5},
        ),
        failed_attempt,
        measured,
        failed,
        LabelsBrought(
            labels=(
                BroughtLabel(
                    candidate=second,
                    formula="Ni54",
                    lattice="fcc",
                    properties={"bulk_modulus": 187.5},
                    source="Phys. Rev. B",
                ),
            ),
            value_of=0,
            source="known.csv",
            checksum="e" * 64,
            who="é",
        ),
        SpecChanged(
            changes={"budget.rounds": 8, "stop.target": None}, who="Ada", why="still rising – été"
        ),
        Retracted(
            evaluations=("e9",), brought=(second,), fingerprint="f", who="Ada", why="cracked"
        ),
        CampaignClosed(reason="all rounds are done"),
        SessionClosed(reason="campaign closed"),
    ]
