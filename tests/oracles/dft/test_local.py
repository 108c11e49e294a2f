import multiprocessing
import os
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from jobflow import Flow, job

from alloop.oracles.dft.failure import FlowFailed
from alloop.oracles.dft.local import DOCUMENT, LocalManager
from alloop.oracles.dft.orphans import MARK


@job
def count(log: str, seconds: float = 0.0) -> dict:
    with Path(log).open("a") as file:
        file.write("x")
    time.sleep(seconds)
    return {"answer": 42}


@job
def fail() -> None:
    raise ValueError("no such luck")


def flow_of(work) -> Flow:
    return Flow([work], output=work.output)


def run_slowly(folder: Path, log: str, answers) -> None:
    outcome = LocalManager(folder).run("same", flow_of(count(log, 0.5)))
    answers.put((outcome.document, outcome.is_new))


def test_a_submission_is_run_once(tmp_path):
    log = tmp_path / "log"
    first = LocalManager(tmp_path).run("one", flow_of(count(str(log))))
    again = LocalManager(tmp_path).run("one", flow_of(count(str(log))))
    assert first.document == again.document == {"answer": 42}
    assert (first.is_new, again.is_new) == (True, False)
    assert again.seconds == first.seconds
    assert log.read_text() == "x"


def test_an_outcome_that_came_with_a_folder_is_not_believed(tmp_path, monkeypatch):
    log = tmp_path / "log"

    def run(folder: Path, *, sealed_only: bool):
        return LocalManager(folder, sealed_only=sealed_only).run("one", flow_of(count(str(log))))

    assert run(tmp_path / "ours", sealed_only=True).is_new
    assert not run(tmp_path / "ours", sealed_only=True).is_new
    path = tmp_path / "ours" / "one" / DOCUMENT
    whole = path.read_text()
    path.write_text(whole.replace("42", "12345"))
    assert not run(tmp_path / "ours", sealed_only=False).is_new  # a folder of the user's own
    assert run(tmp_path / "ours", sealed_only=True).document == {"answer": 42}
    moved = tmp_path / "ours" / "two"
    moved.mkdir()
    (moved / DOCUMENT).write_text(whole)  # the outcome of something else
    assert LocalManager(tmp_path / "ours", sealed_only=True).find("two") is None
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "somebody"))
    assert LocalManager(tmp_path / "ours", sealed_only=True).find("one") is None


@job
def label() -> dict:
    return {"label": os.environ.get("LABEL")}


def test_programs_get_the_environment_of_the_settings_and_nobody_else_does(tmp_path):
    manager = LocalManager(tmp_path, {"LABEL": "as set"})
    assert manager.run("one", flow_of(label())).document == {"label": "as set"}
    assert "LABEL" not in os.environ
    assert LocalManager(tmp_path).run("two", flow_of(label())).document == {"label": None}


def test_two_workers_that_need_the_same_run_it_once(tmp_path):
    log, answers = tmp_path / "log", multiprocessing.Queue()
    workers = [
        multiprocessing.Process(target=run_slowly, args=(tmp_path, str(log), answers))
        for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    found = [answers.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()
    assert log.read_text() == "x"
    assert sorted(is_new for _, is_new in found) == [False, True]


def test_a_damaged_document_is_run_again(tmp_path):
    log = tmp_path / "log"
    manager = LocalManager(tmp_path)
    manager.run("one", flow_of(count(str(log))))
    (tmp_path / "one" / DOCUMENT).write_text('{"document": {"answ')
    assert manager.run("one", flow_of(count(str(log)))).document == {"answer": 42}
    assert log.read_text() == "xx"


def test_a_failure_is_told_with_its_folder_and_not_kept(tmp_path):
    manager = LocalManager(tmp_path)
    with pytest.raises(FlowFailed, match="no such luck") as caught:
        manager.run("one", flow_of(fail()))
    assert Path(caught.value.where).is_dir()
    assert manager.find("one") is None


def test_programs_of_a_dead_worker_are_ended_and_those_of_a_live_one_are_not(tmp_path):
    def started(submission: str) -> subprocess.Popen:
        environment = os.environ | {MARK: submission}
        return subprocess.Popen(["sleep", "60"], env=environment, start_new_session=True)

    manager = LocalManager(tmp_path)
    (tmp_path / "dead").mkdir()
    (tmp_path / "dead" / "lock").touch()
    orphan, own, stranger = started("dead"), started("next"), started("elsewhere")
    try:
        manager.run("next", flow_of(count(str(tmp_path / "log"))))
        assert [psutil.pid_exists(each.pid) for each in (orphan, own, stranger)] == [
            False,
            False,
            True,
        ]
    finally:
        for process in (orphan, own, stranger):
            process.kill()
            process.wait()
