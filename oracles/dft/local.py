"""Flows run in this process by jobflow, each in its own folder, each once."""

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path
from traceback import format_exception_only
from types import MappingProxyType
from typing import Any, Protocol

from filelock import FileLock, Timeout
from jobflow import Flow, JobStore, run_locally
from maggma.stores import MemoryStore

from alloop.canonical import canonical_json
from alloop.durable import write_durably
from alloop.oracles.base import FailureKind
from alloop.oracles.dft.failure import FlowFailed, failure_of, output_tails
from alloop.oracles.dft.orphans import MARK, end_orphans
from alloop.user_key import seal, verify_seal

DOCUMENT = "document.json"
_OUTCOME = "outcome of a flow"
"""Purpose of the seal on an outcome."""
_CUSTODIAN_START = "CUSTODIAN_WALLTIME_START"


@dataclass(frozen=True)
class FlowOutcome:
    """Result of a finished flow."""

    document: Any
    """Output of the flow's last job, plain JSON."""
    seconds: float
    """Seconds that the flow took when it was run."""
    is_new: bool
    """Whether it was run now, rather than found finished."""


class Manager(Protocol):
    """Runner of flows. The same submission is run once, however often and by whomever it is
    asked."""

    @property
    def longest_job(self) -> float:
        """Time after which a job is ended by where it runs, s."""

    def run(self, submission: str, flow: Flow) -> FlowOutcome:
        """Return the output of the flow's last job, running the flow unless its outcome is kept.

        Args:
            submission: names the flow by its content: plain letters and digits.
            flow: its output is that of one job, and plain JSON.

        Raises:
            FlowFailed: if a job raised, from what it raised.
        """


class LocalManager:
    """Manager that runs flows in this process with jobflow's ``run_locally``.

    A submission has a folder with one subfolder per attempt, kept for those who want to know, and
    the document, written when the flow has succeeded. A lock that dies with its process keeps two
    workers from running the same. Jobs see memory stores only.

    Args:
        folder: of the submissions.
        environment: variables of the programs that jobs start, over this process's own.
        sealed_only: whether an outcome that lies in the folder counts only with this user's seal;
            for a folder that a spec names, and that may have come with it.
    """

    longest_job = inf
    """See ``Manager.longest_job``; nothing but the caller ends a job here."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str] = MappingProxyType({}),
        *,
        sealed_only: bool = False,
    ) -> None:
        self._folder = folder
        self._environment = environment
        self._sealed_only = sealed_only

    def run(self, submission: str, flow: Flow) -> FlowOutcome:
        """See ``Manager.run``; waits if another process runs the same."""
        home = self._folder / submission
        home.mkdir(parents=True, exist_ok=True)
        with FileLock(home / "lock"):
            if (found := self.find(submission)) is not None:
                return found
            # Whoever ran it before is dead, since the lock was free; its VASP may live on.
            end_orphans(lambda name: name == submission or self._is_abandoned(name))
            began = time.monotonic()
            document = self._run(submission, flow, home)
            outcome = FlowOutcome(document, time.monotonic() - began, is_new=True)
            content = {"document": document, "seconds": outcome.seconds}
            sealed = content | {"seal": seal(_OUTCOME, *_sealed_parts(submission, content))}
            write_durably(home / DOCUMENT, canonical_json(sealed).encode())
        return outcome

    def find(self, submission: str) -> FlowOutcome | None:
        """Return the outcome of a finished submission; None if there is none that can be read."""
        try:
            data = json.loads((self._folder / submission / DOCUMENT).read_bytes())
            content = {key: data[key] for key in ("document", "seconds")}
            outcome = FlowOutcome(content["document"], float(content["seconds"]), is_new=False)
            if self._sealed_only and not verify_seal(
                str(data.get("seal")), _OUTCOME, *_sealed_parts(submission, content)
            ):
                return None
            return outcome
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            # Nothing half-written has this name: what cannot be read was damaged, and is run again.
            return None

    def _run(self, submission: str, flow: Flow, home: Path) -> Any:
        """Run a flow; once more if a program was killed, which need not be the material's fault."""
        first = _new_attempt(home)
        try:
            return self._attempt(submission, flow, first)
        except FlowFailed as error:
            if failure_of(error).kind is not FailureKind.WORKER_DIED:
                raise
        return self._attempt(submission, flow, _new_attempt(home))

    def _attempt(self, submission: str, flow: Flow, folder: Path) -> Any:
        with _environment({**self._environment, MARK: submission}):
            return _run(flow, folder)

    def _is_abandoned(self, submission: str) -> bool:
        lock = self._folder / submission / "lock"
        if not lock.exists():
            return False
        try:
            with FileLock(lock, timeout=0):
                return True
        except Timeout:
            return False


def _sealed_parts(submission: str, content: Mapping[str, Any]) -> tuple[bytes, bytes]:
    return submission.encode(), canonical_json(content).encode()


def _new_attempt(home: Path) -> Path:
    attempt = home / f"attempt-{len(list(home.glob('attempt-*'))) + 1}"
    attempt.mkdir()
    return attempt


def _run(flow: Flow, folder: Path) -> Any:
    """Run a flow and return the output of the job that its output refers to."""
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    try:
        responses = run_locally(
            flow,
            log=False,
            store=store,
            create_folders=True,
            root_dir=folder,
            ensure_success=True,
            raise_immediately=True,
        )
        last = responses[flow.output.uuid]
        return last[max(last)].output
    except Exception as error:
        # What the programs printed often says more plainly what went wrong.
        text = f"{output_tails(folder)}\n{''.join(format_exception_only(error))}"
        raise FlowFailed(text, str(folder)) from error


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Give every process started within the block these variables: the user's, and the mark by
    which it is known as the submission's."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    # custodian would count wall time from the first flow of this process.
    os.environ.pop(_CUSTODIAN_START, None)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
