"""Runs of two models that train in seconds, over labels that follow a rule."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from alloop.campaigns.load import parse_spec
from alloop.canonical import sha256
from alloop.loop import controller
from alloop.loop.analyse.trained_run import TrainedRun
from alloop.loop.run_folder import RunFolder
from alloop.materials import Material, composition_of
from alloop.oracles.base import Cost, Measurement, Status
from tests.loop.alloys import retrospective, write_table
from tests.loop.observers import Silent


@dataclass(frozen=True)
class NickelRule:
    """Measures 150 GPa, and 50 more for all nickel."""

    name: str = "nickel rule"

    def fingerprint(self) -> str:
        return sha256(self.name)

    def measure(self, material: Material) -> Measurement:
        nickel = composition_of(material).get_atomic_fraction("Ni")
        values = {"bulk_modulus": 150.0 + 50.0 * nickel}
        cost = Cost(calls=1)
        return Measurement(Status.OK, values, material, None, self.name, self.fingerprint(), cost)


ORDERINGS: Mapping[str, Any] = {
    "name": "orderings",
    "seed": 5,
    "space": {"elements": ["Ni", "Fe", "Cr"], "atoms": 16},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "model": {"width": 16, "depth": 1, "unlabelled": 256, "epochs": 12, "batch_size": 16},
    "acquisition": {"strategy": "latent-bo", "batch": 4, "pool": 8},
    "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
    "budget": {"initial": 24, "rounds": 1, "measurements": [60]},
    "execution": {"kind": "local", "workers": 1},
}


def trained(folder: RunFolder) -> TrainedRun:
    return TrainedRun.of(folder.state, folder.store)


@pytest.fixture(scope="session")
def orderings(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run of the lattice model; not to be written to."""
    run = tmp_path_factory.mktemp("orderings") / "run"
    spec = parse_spec(dict(ORDERINGS), where="orderings")
    with controller.Controller(
        run, spec, build_oracles=lambda _: [NickelRule()], observer=Silent()
    ) as running:
        running.run()
    return RunFolder.read(run)


@pytest.fixture(scope="session")
def alloys(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run of the DVAE; not to be written to."""
    folder = tmp_path_factory.mktemp("alloys")
    table = write_table(folder / "table.csv")
    run = folder / "run"
    model = {**retrospective(table)["model"], "trees": 20, "width": 16, "epochs": 40}
    budget = {"initial": 30, "rounds": 1, "measurements": [100]}
    spec = parse_spec(retrospective(table, model=model, budget=budget), where="alloys")
    with controller.Controller(run, spec, observer=Silent()) as running:
        running.run()
    return RunFolder.read(run)
