"""A small campaign that asks any oracle, with worker processes or quickly without."""

import json
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from alloop.campaigns.load import parse_spec
from alloop.campaigns.spec import CampaignSpec, ExecutionOptions
from alloop.canonical import canonical_json
from alloop.loop import controller
from alloop.loop.measure.spool import Spool
from alloop.loop.record.events import Event, LedgerEntry
from alloop.loop.record.ledger import Ledger
from alloop.loop.state.campaign_state import CampaignState
from alloop.materials import material_from_json
from alloop.oracles.base import Cost, FailureKind, Measurement, Oracle
from tests.loop.flaky import Flaky
from tests.loop.observers import Silent

SPEC: dict[str, Any] = {
    "name": "flaky",
    "seed": 5,
    "space": {"elements": ["Ni", "Fe", "Cr"], "atoms": 16},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "budget": {"initial": 6, "rounds": 0, "measurements": [100]},
    "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
}


class Gone(Exception):
    """Stands for the death of a worker."""


@dataclass(frozen=True)
class Mortal(Flaky):
    """Flaky without processes."""

    def die(self) -> NoReturn:
        raise Gone


class ThreadPool:
    """Does what ``MeasuringPool`` does as far as a controller sees it, in threads."""

    def __init__(
        self,
        oracles: Sequence[Oracle],
        timeouts: Sequence[float],
        options: ExecutionOptions,
        spool: Spool,
    ) -> None:
        self.oracles, self.spool = oracles, spool
        spool.make()
        self.threads = ThreadPoolExecutor(options.workers)

    def submit(self, evaluation: str, tier: int, question: str) -> Future[Measurement]:
        return self.threads.submit(self._measure, evaluation, self.oracles[tier], question)

    def _measure(self, evaluation: str, oracle: Oracle, question: str) -> Measurement:
        if (done := self.spool.load(evaluation, oracle.fingerprint())) is not None:
            return done
        try:
            answer = oracle.measure(material_from_json(json.loads(question)))
        except Gone:
            answer = Measurement.failed(
                FailureKind.WORKER_DIED,
                "gone",
                oracle=oracle.name,
                fingerprint=oracle.fingerprint(),
                cost=Cost(calls=1),
            )
        content = canonical_json(answer.to_json()).encode()
        self.spool.write(evaluation, oracle.fingerprint(), content)
        return answer

    def watch(self) -> None:
        pass

    def shutdown(self) -> None:
        self.threads.shutdown(cancel_futures=True)


class Watcher(Silent):
    """Keeps the events; fails, as a power cut would, when one of a kind is written."""

    def __init__(self, fatal: str = "") -> None:
        self.fatal = fatal
        self.events: list[Event] = []

    def event(self, entry: LedgerEntry) -> None:
        self.events.append(entry.event)
        if entry.event.kind == self.fatal:
            raise PowerCut


class PowerCut(Exception):
    pass


def spec_of(**changes: Any) -> CampaignSpec:
    """Return the small campaign with keys of its only tier, or of the whole, changed."""
    tier = {key: changes.pop(key) for key in ("attempts", "workers", "timeout") if key in changes}
    return parse_spec(SPEC | {"tiers": [SPEC["tiers"][0] | tier]} | changes, where="flaky")


def run_campaign(
    run: Path, spec: CampaignSpec | None, oracle: Oracle, watcher: Watcher | None = None
) -> CampaignState:
    """Run or continue a campaign to its end; worker processes are for oracles that can die."""
    with controller.Controller(
        run, spec, build_oracles=lambda _: [oracle], observer=watcher or Watcher()
    ) as running:
        return running.run()


def entries_of(run: Path) -> Sequence[LedgerEntry]:
    with Ledger.open(run, writable=False) as ledger:
        return list(ledger.entries())
