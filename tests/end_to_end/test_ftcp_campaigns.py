"""FTCP in campaigns: the ready ones at a tiny budget, and models that start from another's."""

import sys
from pathlib import Path

import pandas as pd
import pytest
from pymatgen.io.cif import CifWriter

from alloop.campaigns.load import load_spec
from alloop.campaigns.spec import CampaignSpec
from alloop.canonical import sha256
from alloop.errors import ModelError, SpecError
from alloop.loop.commands.app import main
from alloop.loop.controller import Controller
from alloop.loop.record.events import CampaignOpened, Stage
from alloop.loop.record.ledger import Ledger
from alloop.loop.record.verification import verify
from alloop.loop.run_folder import RunFolder
from alloop.materials import material_id
from alloop.models.crystal_table import read_crystal_table
from alloop.models.ftcp.model import FtcpModel
from benchmarks.ftcp.intermetallics import draw_prototypes
from tests.end_to_end.counting_oracle import CountingOracle
from tests.end_to_end.perovskites import write_perovskites
from tests.end_to_end.small_budgets import SMALL
from tests.loop.observers import Silent


def formation(*more: str) -> CampaignSpec:
    return load_spec("ftcp-formation-energy", (*SMALL["ftcp-formation-energy"], *more))


@pytest.mark.nightly  # its small copy comes to its report in CI
def test_crystals_for_a_formation_energy_are_designed_and_measured(tmp_path: Path) -> None:
    run, spec = tmp_path / "run", formation(f"tiers.0.folder={tmp_path}")
    with Controller(run, spec, observer=Silent()) as controller:
        controller.run()
    folder = RunFolder.read(run)
    assert [folder.state.models[round].epochs for round in (1, 2)] == [30, 10]  # goes on, warm
    rounds = [p for p in folder.state.proposals if p.stage is Stage.ACQUISITION]
    decisions = [d for p in rounds for d in p.decisions]
    assert {d.lineage.source for d in decisions} <= {"latent", "climbed"}
    assert any(d.lineage.model is not None for d in decisions)  # the model's own, or near it
    assert all(p.notes["decoded"] == spec.acquisition.pool for p in rounds)
    answers = folder.state.answers()
    assert len(answers) >= 6
    assert all(-3 < a.properties["formation_energy_per_atom"] < 3 for a in answers)
    assert all(answer.relaxed for answer in answers)
    assert folder.write_best_cif() is not None
    assert verify(run).ok


@pytest.mark.nightly  # in CI a small copy of the ready campaign ftcp-gap
def test_for_a_gap_crystals_are_decoded_and_answered_by_the_rows_that_they_are(
    tmp_path: Path,
) -> None:
    """With a table of eighty crystals under the columns of Perov-5."""
    few = ("Al", "Si", "Ge", "Ni", "Co", "Ti", "Nb")
    table = write_perovskites(
        tmp_path / "perovskites.csv", draw_prototypes(80, seed=4, elements=few)
    )
    spec = load_spec(
        "ftcp-gap",
        (
            *SMALL["ftcp-gap"],
            "tiers.0.dataset=null",
            f"tiers.0.file={table}",
            f"space.elements=[{', '.join(few)}]",
        ),
    )
    run = tmp_path / "run"
    with Controller(run, spec, observer=Silent()) as controller:
        controller.run()
    folder = RunFolder.read(run)
    rows = {material_id(cell) for cell in read_crystal_table(table, {}).data.materials}
    answers = folder.state.answers()
    assert len(answers) == 10
    # Each row answers once, whatever the coordinates of the crystal that asked.
    relaxed = [answer.relaxed for answer in answers]
    assert len({*relaxed}) == 10
    assert rows.issuperset(relaxed)
    decisions = [
        d for p in folder.state.proposals if p.stage is Stage.ACQUISITION for d in p.decisions
    ]
    made = [d for d in decisions if d.chosen and d.lineage.source in ("latent", "climbed")]
    assert made
    assert not rows.issuperset(d.candidate for d in made)  # of their own coordinates
    assert {d.rule for d in decisions if not d.chosen} >= {"table"}
    assert verify(run).ok
    with pytest.raises(SpecError, match="match: structure does nothing where"):
        load_spec("ftcp-gap", ("acquisition.candidates=table",))


def test_a_potential_gives_no_gap_and_the_tool_says_so() -> None:
    chgnet = "[{kind: dft, engine: chgnet}]"
    with pytest.raises(SpecError, match=r"does not measure band_gap.*band_gap comes from DFT"):
        load_spec("ftcp-gap", (f"tiers={chgnet}",))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Labelled prototypes in CDVAE's format; two of thirty rows are no crystals."""
    cells = draw_prototypes(30, seed=4)
    frame = pd.DataFrame(
        {
            "material_id": [f"m-{row}" for row in range(30)],
            "cif": [str(CifWriter(cell)) for cell in cells],
            "energy": [cell.volume / len(cell) / 100 for cell in cells],
        }
    )
    frame.loc[[3, 17], "cif"] = "torn"
    frame.to_csv(tmp_path / "table.csv")
    return tmp_path / "table.csv"


@pytest.fixture
def checkpoint(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Path:
    """What `alloop pretrain` makes of the table."""
    path = table.parent / "deep" / "start.safetensors"
    settings = [word for setting in SMALL["ftcp-formation-energy"] for word in ("--set", setting)]
    words = ["pretrain", "ftcp-formation-energy", str(table), "--out", str(path), *settings]
    words += ["--column", "formation_energy_per_atom=energy"]
    monkeypatch.setattr(sys, "argv", ["alloop", *words])
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    out = capsys.readouterr().out
    assert "2 rows skipped" in out
    assert "row 3 (m-3): it cannot be read as CIF" in out
    assert "28 materials" in out
    assert sha256(path.read_bytes()) in out
    return path


def test_a_campaign_starts_from_a_model_trained_on_other_data(
    checkpoint: Path, tmp_path: Path
) -> None:
    run, spec = tmp_path / "run", formation(f"model.start_from={checkpoint}")
    oracle, trained = CountingOracle(tmp_path / "calls"), checkpoint.read_bytes()
    with Controller(run, spec, build_oracles=lambda _: (oracle,), observer=Silent()) as controller:
        checkpoint.unlink()  # the run has its own copy
        controller.run()
    with Ledger.open(run, writable=False) as ledger:
        opened = next(iter(ledger.entries())).event
    assert isinstance(opened, CampaignOpened)
    assert opened.start_checkpoint == sha256(trained)
    folder = RunFolder.read(run)
    assert folder.store.get(sha256(trained)) == trained
    fitted = folder.state.models[1]
    assert fitted.epochs == 10  # steps of a later fit, one batch each: it went on from the weights
    model = FtcpModel.load(folder.store.path(fitted.checkpoint))
    decoded = model.decode(model.encode(draw_prototypes(30, seed=4)), seed=0)
    assert {str(el) for cell in decoded for el in cell.elements} <= set(spec.space.elements)
    assert verify(run).ok
    folder.store.path(sha256(trained)).write_bytes(b"another")
    assert "changed" in verify(run).problem


def test_a_start_that_does_not_fit_is_refused_before_anything_is_measured(
    checkpoint: Path, tmp_path: Path
) -> None:
    def launch(*more: str) -> None:
        spec = formation(f"model.start_from={checkpoint}", *more)
        Controller(
            tmp_path / "run",
            spec,
            build_oracles=lambda _: (CountingOracle(tmp_path / "calls"),),
            observer=Silent(),
        )

    with pytest.raises(ModelError, match=r"of latents 8, the campaign's model is of 16"):
        launch("model.latents=16")
    with pytest.raises(SpecError, match="room for 5 sites"):
        launch("space.max_atoms=8")
    checkpoint.write_bytes(b"no checkpoint")
    with pytest.raises(ModelError, match="not a readable checkpoint"):
        launch()
    checkpoint.unlink()
    with pytest.raises(ModelError, match="not a readable checkpoint"):
        launch()
    assert not (tmp_path / "calls").exists()


def test_what_cannot_be_pretrained_is_refused(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refusal(spec: str, column: str) -> str:
        words = [spec, str(table), "--out", str(table.parent / "m"), "--column", column]
        monkeypatch.setattr(sys, "argv", ["alloop", "pretrain", *words])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == 2
        return " ".join(capsys.readouterr().err.split())

    assert "'energy' names no column" in refusal("ftcp-formation-energy", "energy")
    assert "does not speak of band_gap" in refusal("ftcp-formation-energy", "band_gap=energy")
    # None of the table's crystals is an ordering of that campaign's space.
    assert "rows is a crystal; row 0: " in refusal("nifecr-bulk-modulus", "bulk_modulus=energy")
    assert "no column 'gap'" in refusal("ftcp-formation-energy", "formation_energy_per_atom=gap")
