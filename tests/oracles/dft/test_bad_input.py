"""What is missing or goes wrong on the machine is named, with what to do."""

import errno
import os
import sys

import pytest

from alloop.errors import MissingSoftware
from alloop.oracles.base import FailureKind, Status
from alloop.oracles.dft import local
from alloop.oracles.dft.factory import make_engine, make_manager
from alloop.oracles.dft.local import FlowOutcome, LocalManager
from alloop.oracles.dft.options import DftOptions
from alloop.oracles.dft.oracle import DftOracle
from alloop.settings.profiles import Profile

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def hidden(monkeypatch):
    """Return a function that makes a package look as if it were not installed."""

    def hide(package: str, *users: str) -> None:
        monkeypatch.setitem(sys.modules, package, None)
        for user in users:
            monkeypatch.delitem(sys.modules, user, raising=False)

    return hide


def test_an_engine_whose_package_is_missing_is_named(hidden):
    engines = "alloop.oracles.dft.engines"
    hidden("atomate2.forcefields.jobs", f"{engines}.chgnet", f"{engines}.learned")
    with pytest.raises(MissingSoftware, match=r"engine chgnet needs the package atomate2.*another"):
        make_engine(DftOptions(), Profile())


def test_chgnet_s_absence_is_named(monkeypatch):
    monkeypatch.setattr("alloop.oracles.mlip.potentials.definition.find_spec", lambda name: None)
    with pytest.raises(MissingSoftware, match=r"CHGNet is not installed.*pip install chgnet"):
        DftOracle(DftOptions(), elements=["Ni"])


def test_a_manager_whose_package_is_missing_is_named(hidden):
    hidden("jobflow_remote.jobs.jobcontroller", "alloop.oracles.dft.remote")
    with pytest.raises(MissingSoftware, match=r"jobflow-remote needs .*alloop\[remote\]"):
        make_manager(DftOptions(manager="jobflow-remote"), Profile())


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (None, "the flow returned None"),
        ([None], "the flow returned None, no calculation"),
        ([{"state": "successful", "stress": [], "force": 0.0}], "no finite energy"),
        ([{"state": "successful", "energy": -9.0, "stress": [], "force": 0.0}], "no structure"),
    ],
)
def test_a_flow_without_energy_or_structure_is_a_failure(
    tmp_path, feni, monkeypatch, document, words
):
    def run(*_: object) -> FlowOutcome:
        return FlowOutcome(document, seconds=1.0, is_new=True)

    monkeypatch.setattr(LocalManager, "run", run)
    failed = DftOracle(DftOptions(folder=tmp_path, protocol="static")).measure(feni)
    assert failed.status is Status.FAILED
    assert failed.properties == {}
    assert words in failed.failure.message
    assert failed.cost.wall_seconds == 1.0  # it was paid for


def test_a_full_disk_at_the_end_of_a_job_costs_a_retryable_failure(tmp_path, feni, monkeypatch):
    def full(*_: object) -> None:
        raise FULL

    oracle = DftOracle(DftOptions(folder=tmp_path, protocol="static"))
    with monkeypatch.context() as patch:
        patch.setattr("alloop.durable.os.fsync", full)
        failed = oracle.measure(feni)
    assert failed.status is Status.FAILED
    assert failed.failure.kind is FailureKind.WORKER_DIED
    assert failed.failure.retryable
    assert "disk is full: make room" in failed.failure.message
    assert oracle.measure(feni).status is Status.OK  # there is room again


def test_a_full_disk_during_a_job_costs_a_retryable_failure(tmp_path, feni, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise FULL

    monkeypatch.setattr("alloop.oracles.dft.engines.chgnet.ChgnetRelaxMaker.run_ase", full)
    failed = DftOracle(DftOptions(folder=tmp_path, protocol="static")).measure(feni)
    assert failed.failure.kind is FailureKind.WORKER_DIED
    assert "disk is full: make room" in failed.failure.message
    assert not list(tmp_path.rglob(local.DOCUMENT))


def test_a_full_disk_before_a_job_costs_a_retryable_failure(tmp_path, feni, monkeypatch):
    def full(*_: object) -> None:
        raise FULL

    monkeypatch.setattr(local, "_new_attempt", full)
    failed = DftOracle(DftOptions(folder=tmp_path, protocol="static")).measure(feni)
    assert "disk is full: make room" in failed.failure.message
