"""A controller dies between writing a decision down and submitting its job to jobflow-remote.

The queue is jobflow-remote's own, on a Mongo database in memory, which no other process sees; so
what a worker would do is done in this one.
"""

import sys
import threading
from pathlib import Path

import pytest

pytest.importorskip("jobflow_remote", reason="jobflow-remote is not installed (extra: remote)")

from alloop.campaigns.load import parse_spec
from alloop.loop.controller import Controller
from alloop.loop.record.events import LedgerEntry, Proposed, Stage
from alloop.loop.run_folder import RunFolder
from alloop.oracles.base import Status
from alloop.oracles.dft import oracle as oracle_module
from alloop.oracles.dft.options import DftOptions
from alloop.oracles.dft.oracle import DftOracle
from alloop.oracles.dft.remote import RemoteManager
from tests.loop.observers import Silent

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "oracles" / "dft"))
from cluster import SETTINGS, Cluster
from counting_oracle import CountingOracle

DFT = DftOptions(protocol="relax", manager="jobflow-remote", promote=1)
SPEC = {
    "name": "remote",
    "space": {"elements": ["Ni", "Fe"], "lattices": ["bcc"], "atoms": 16},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "budget": {"initial": 4, "rounds": 0, "measurements": [4, 1]},
    "tiers": [
        {"kind": "lammps", "potential": "NiFeCr-Wu2017"},
        DFT.model_dump(mode="json"),
    ],
}
N_JOBS = 2 + 3 + 3
"""A relaxation, two strained cells, and two at the second strain, with a summary of each."""


class Dies(Exception):
    """The controller's end."""


class DiesOfPromotion(Silent):
    """Watches until the promotion is in the ledger."""

    def event(self, entry: LedgerEntry) -> None:
        if isinstance(entry.event, Proposed) and entry.event.stage is Stage.PROMOTION:
            raise Dies


class DiesOfSubmission(RemoteManager):
    """Submits and is gone."""

    def run(self, submission, flow):
        self.submit(submission, flow)
        raise KeyboardInterrupt


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster(tmp_path)


def test_a_crash_before_or_after_the_submission_is_recognised(cluster, tmp_path, monkeypatch):
    def oracle(kind: type[RemoteManager]) -> DftOracle:
        controller = cluster.controller()
        monkeypatch.setattr(
            oracle_module, "make_manager", lambda *_: kind(SETTINGS, controller=controller)
        )
        return DftOracle(DFT)

    run, spec = tmp_path / "run", parse_spec(SPEC, where="remote")
    oracles = (CountingOracle(tmp_path / "calls"), oracle(RemoteManager))
    with (
        pytest.raises(Dies),
        Controller(
            run, spec, build_oracles=lambda _: oracles, observer=DiesOfPromotion()
        ) as controller,
    ):
        controller.run()

    # The ledger has the decision; what it will be submitted as follows from it.
    folder = RunFolder.read(run)
    (asked,) = (each for each in folder.state.pending if each.tier == 1)
    material = folder.store.get_material(asked.candidate)
    submission = oracle(RemoteManager).submission(material)
    assert folder.state.fingerprints[1] == oracle(RemoteManager).fingerprint()
    assert cluster.manager().find(submission) is None  # it died before the submission

    with pytest.raises(KeyboardInterrupt):
        oracle(DiesOfSubmission).measure(material)
    found = cluster.manager().find(submission)
    assert found is not None  # it died after the submission; the job lives
    assert found["state"] == "READY"

    resumed = oracle(RemoteManager)
    done, stop = [], threading.Event()
    machine = threading.Thread(target=work, args=(cluster, done, stop))
    machine.start()
    try:
        measured = resumed.measure(material)
    finally:
        stop.set()
        machine.join()
    assert measured.status is Status.OK, measured.failure
    assert sum(done) == N_JOBS  # nothing was submitted twice
    assert resumed.measure(material).properties == measured.properties
    assert cluster.work() == 0


def work(cluster: Cluster, done: list[int], stop: threading.Event) -> None:
    """Be the machine that runs what is submitted."""
    while not stop.is_set():
        done.append(cluster.work())
        stop.wait(0.05)
