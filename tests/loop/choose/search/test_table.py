"""Rows of a table are chosen near the best, without a model, and found sooner than at random."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alloop.campaigns.load import parse_spec
from alloop.errors import SpecError
from alloop.loop.choose.search.table import FEWEST_ROWS, shares_apart
from alloop.loop.controller import Controller
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.record.events import Stage
from alloop.loop.run_folder import RunFolder
from alloop.loop.state.campaign_state import CampaignState
from alloop.materials import composition_of
from tests.loop.observers import Silent

ELEMENTS = ("Ni", "Fe", "Co")
PEAK = np.array([0.6, 0.3, 0.1])


def grid() -> np.ndarray:
    parts = np.arange(11)
    rows = [(i, j, 10 - i - j) for i in parts for j in parts if i + j <= 10]
    return np.array(rows) / 10


def spec(path: Path, **acquisition: Any) -> dict[str, Any]:
    fractions = grid()
    values = 0.3 + ((fractions - PEAK) ** 2).sum(axis=1)
    rows = np.column_stack([fractions, values])
    path.write_text("\n".join(",".join(f"{x:.6g}" for x in row) for row in rows) + "\n")
    return {
        "name": "table",
        "seed": 2,
        "space": {"kind": "compositions", "elements": list(ELEMENTS)},
        "properties": {"overpotential": {"unit": "V"}},
        "objectives": [{"property": "overpotential", "goal": "minimise"}],
        "acquisition": {"strategy": "surrogate-bo", "candidates": "table", "batch": 4}
        | acquisition,
        "tiers": [
            {
                "kind": "table",
                "file": str(path),
                "columns": [*ELEMENTS, "overpotential"],
                "properties": {"overpotential": "overpotential"},
            }
        ],
        "budget": {"initial": 6, "rounds": 3, "measurements": [18]},
        "execution": {"kind": "local", "workers": 1},
        "cache": False,
    }


def run(tmp_path: Path, **acquisition: Any) -> CampaignState:
    data = parse_spec(spec(tmp_path / "table.csv", **acquisition), where="test")
    with Controller(tmp_path / "run", data, observer=Silent()) as controller:
        controller.run()
    return RunFolder.read(tmp_path / "run").state


def test_the_best_row_is_found_without_a_model(tmp_path: Path) -> None:
    state = run(tmp_path)
    assert not state.models
    assert min(m.properties["overpotential"] for m in state.answers()) == pytest.approx(0.3)
    notes = [p.notes for p in state.proposals if p.stage is Stage.ACQUISITION]
    assert [each["available"] for each in notes] == [60.0, 56.0, 52.0]
    assert all(str(each["surrogate_overpotential"]).startswith("fractions") for each in notes)


def test_rows_lie_within_the_trust_region_of_the_best(tmp_path: Path) -> None:
    state = run(tmp_path, trust_region=0.2)
    first = next(p for p in state.proposals if p.stage is Stage.ACQUISITION)
    assert FEWEST_ROWS * 4 <= float(first.notes["considered"]) < float(first.notes["available"])
    store = ArtifactStore(tmp_path / "run" / "artifacts")
    known = {m.candidate: m.properties["overpotential"] for m in state.answers() if m.round == 0}

    def fractions(ids: list[str]) -> np.ndarray:
        materials = [composition_of(store.get_material(id)) for id in ids]
        return np.array([[float(m[s]) for s in ELEMENTS] for m in materials])

    centres = fractions(sorted(known, key=known.__getitem__)[:3])
    chosen = fractions([d.candidate for d in first.decisions if d.chosen])
    assert shares_apart(chosen, centres).min(axis=1).max() <= 0.2 + 1e-9


def test_shares_apart_are_the_atoms_to_replace() -> None:
    apart = shares_apart(np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]), np.array([[0.4, 0.3, 0.3]]))
    assert apart == pytest.approx(np.array([[0.3], [0.6]]))


def test_a_trust_region_of_rows_is_refused_for_crystals(tmp_path: Path) -> None:
    data = spec(tmp_path / "table.csv", trust_region=0.2)
    data["space"] = {"kind": "structures", "elements": list(ELEMENTS)}
    with pytest.raises(SpecError, match=r"acquisition\.trust_region: rows of a table"):
        parse_spec(data, where="test")
