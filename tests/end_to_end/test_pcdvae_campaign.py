"""The ready campaign of the crystal generator, with the real potential at a tiny budget."""

from pathlib import Path

import pytest

from alloop.campaigns.load import load_spec
from alloop.loop.controller import Controller
from alloop.loop.record.events import Stage
from alloop.loop.record.verification import verify
from alloop.loop.run_folder import RunFolder
from alloop.oracles.base import Status
from tests.end_to_end.small_budgets import SMALL
from tests.loop.observers import Silent


@pytest.mark.nightly  # in CI a small copy of the ready campaign nifecr-pcdvae
def test_crystals_are_generated_screened_and_measured(tmp_path: Path) -> None:
    spec = load_spec("nifecr-pcdvae", SMALL["nifecr-pcdvae"])
    run = tmp_path / "run"
    with Controller(run, spec, observer=Silent()) as controller:
        controller.run()
    folder = RunFolder.read(run)
    (proposal,) = [p for p in folder.state.proposals if p.stage is Stage.ACQUISITION]
    assert proposal.notes["decoded"] == spec.acquisition.pool
    assert len(proposal.decisions) >= spec.acquisition.batch
    assert all(d.chosen or (d.rule and d.reason) for d in proposal.decisions)
    assert {d.lineage.source for d in proposal.decisions} <= {"latent", "climbed", "symmetric"}
    answers = folder.state.answers()
    assert sum(answer.status is Status.OK for answer in answers) >= spec.budget.initial - 1
    assert folder.write_best_cif() is not None
    assert verify(run).ok
