"""Local search in a campaign, neighbours measured from where their parent is at rest."""

from pathlib import Path
from typing import Any

import pytest
from pymatgen.core import Structure

from alloop.campaigns.load import parse_spec
from alloop.campaigns.spec import CampaignSpec
from alloop.errors import SpecError
from alloop.loop.controller import Controller, Interrupted
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import LedgerEntry, Measured, Stage
from alloop.loop.record.verification import digest
from alloop.loop.run_folder import RunFolder
from alloop.loop.state.campaign_state import CampaignState
from alloop.oracles.base import Status, exchange_fingerprint
from alloop.oracles.lammps.oracle import LammpsOracle
from tests.loop.observers import Silent

SPEC: dict[str, Any] = {
    "name": "warm",
    "seed": 5,
    "space": {"elements": ["Ni", "Cr"], "atoms": 16, "lattices": ["fcc"]},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "acquisition": {"strategy": "random", "batch": 3},
    "augmentation": {"parents": 2, "iterations": 3, "swaps": 4, "warm_start": True},
    "budget": {"initial": 4, "rounds": 1, "measurements": [40]},
    "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
}


class Impatient(Silent):
    """Stops its campaign after some measurements."""

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self.controller: Controller | None = None

    def event(self, entry: LedgerEntry) -> None:
        self.patience -= isinstance(entry.event, Measured)
        if self.patience <= 0 and self.controller is not None:
            self.controller.stop()


def run_on(run: Path, patience: int = 1000) -> bool:
    """Go on with the campaign, with fresh workers; return whether it ended."""
    spec, observer = parse_spec(SPEC, where="test"), Impatient(patience)
    with Controller(run, spec, observer=observer) as controller:
        observer.controller = controller
        try:
            controller.run()
        except Interrupted:
            return False
    return True


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "whole"
    assert run_on(run)
    return run


@pytest.mark.nightly  # in CI test_killed.py
def test_interrupted_anywhere_it_finds_the_same_values(whole: Path, tmp_path: Path) -> None:
    run, sessions = tmp_path / "run", 1
    while not run_on(run, patience=4):
        sessions += 1
    assert sessions > 2
    assert digest(RunFolder.read(run).entries) == digest(RunFolder.read(whole).entries)


def test_neighbours_have_the_values_of_measurements_from_scratch(whole: Path) -> None:
    state, store = RunFolder.read(whole).state, ArtifactStore(whole / "artifacts")
    spec = CampaignSpec.model_validate(state.spec)
    (oracle,) = spec.build_oracles()
    assert isinstance(oracle, LammpsOracle)
    neighbours = [m for m in state.answers() if m.stage is Stage.AUGMENTATION]
    depths = {_depth(state, m.candidate) for m in neighbours}
    assert max(depths) > 1, "the seed's search never moves; choose another"
    for neighbour in neighbours:
        assert neighbour.fingerprint == exchange_fingerprint(state.fingerprints[0])
        material = store.get_material(neighbour.candidate)
        assert isinstance(material, Structure)
        cold = oracle.measure(material)
        assert cold.status is Status.OK
        for name, value in cold.properties.items():
            assert neighbour.properties[name] == pytest.approx(value, rel=1e-5, abs=1e-8), name
    others = {m.fingerprint for m in state.answers() if m.stage is not Stage.AUGMENTATION}
    assert others == {state.fingerprints[0]}
    oracle.close()


def test_a_tier_that_cannot_start_warm_is_refused() -> None:
    dft = {"kind": "dft", "engine": "chgnet"}
    with pytest.raises(SpecError, match="from scratch; leave warm_start out"):
        parse_spec({**SPEC, "tiers": [dft]}, where="test")


def test_cells_too_large_to_start_warm_are_refused() -> None:
    space = {"elements": ["Ni", "Cr"], "atoms": 432}
    with pytest.raises(SpecError, match=r"up to 400 atoms, and the space's have 432"):
        parse_spec({**SPEC, "space": space}, where="test")


def _depth(state: CampaignState, candidate: str) -> int:
    lineage = state.decisions[candidate].lineage
    return 0 if lineage.parent is None else 1 + _depth(state, lineage.parent)
