"""What a user types, from launch to audit, with the real potential at a tiny budget."""

import csv
import io
import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from pymatgen.core import Structure

from alloop.campaigns.load import ready_campaigns
from alloop.errors import RunError
from alloop.loop.run_folder import RunFolder
from alloop.public_data.datasets import known
from benchmarks.ftcp.intermetallics import draw_prototypes
from tests.end_to_end.perovskites import write_perovskites
from tests.end_to_end.small_budgets import SMALL_DECORATIONS
from tests.end_to_end.tables import write_binaries, write_plate
from tests.typed import Typed, typed_at

sys.path.insert(0, str(Path(__file__).parents[1] / "loop"))
from alloys import write_hea

TINY = (
    *SMALL_DECORATIONS,
    "tiers=[{kind: lammps, potential: NiFeCr-Wu2017}]",
    "promotion={}",
    "budget.measurements=[600]",
)

SET = [word for setting in TINY for word in ("--set", setting)]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    return typed_at(200, monkeypatch, capsys)


def command(*words: str | Path) -> list[str]:
    """Return an alloop command for a process of its own."""
    return [
        sys.executable,
        "-c",
        "from alloop.loop.commands.app import main; main()",
        *map(str, words),
    ]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("finished") / "run"
    subprocess.run(
        command("launch", "nifecr-bulk-modulus", "--run", run, *SET), check=True, timeout=300
    )
    return run


@pytest.mark.parametrize("name", sorted(ready_campaigns()))
def test_every_ready_campaign_passes_the_check(
    typed: Typed, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_hea(tmp_path)
    metals = draw_prototypes(10, seed=0, elements=["Li", "Mg", "Ti", "Ni", "Al", "Si"])
    write_perovskites(tmp_path / "perov_5" / "train.csv", metals)
    write_plate(tmp_path / known("oer-3496").table)
    write_binaries(tmp_path / known("binary-elasticity").table)
    monkeypatch.setenv("ALLOOP_DATA", str(tmp_path))
    code, out, _ = typed("check", name)
    assert code == 0
    assert f"name: {name}" in out


def test_potentials_are_listed_by_the_elements_they_cover(typed: Typed) -> None:
    code, out, _ = typed("potentials", "Ni", "Fe", "Cr")
    assert code == 0
    assert "NiFeCr-Wu2017" in out
    assert "NiFeCr-Wu2017" not in typed("potentials", "Al")[1]


def test_a_campaign_ends_with_its_best_structure_and_a_report(finished: Path) -> None:
    folder = RunFolder.read(finished)
    best = folder.state.best()
    assert folder.state.closed == "all 1 rounds are done"
    assert best is not None
    assert best.oracle == "lammps NiFeCr-Wu2017"
    structure = Structure.from_file(finished / "best.cif")
    assert len(structure) == 16
    assert best.candidate in (finished / "report.html").read_text("utf-8")


@pytest.mark.nightly  # in CI the small copies of the ready campaigns promote
def test_the_best_are_promoted_to_the_dearer_tier(typed: Typed, tmp_path: Path) -> None:
    run = tmp_path / "run"
    dearer = [
        "tiers=[{kind: lammps, potential: NiFeCr-Wu2017}, "
        f"{{kind: dft, engine: chgnet, promote: 1, folder: {tmp_path / 'jobs'}}}]",
        "budget.measurements=[600, 1]",
        "budget.rounds=0",
        "budget.initial=4",
        "constraints=[]",  # no formation energies, and no elements for them
    ]
    words = [word for setting in dearer for word in ("--set", setting)]
    assert typed("launch", "nifecr-bulk-modulus", "--run", run, *SET, *words)[0] == 0
    state = RunFolder.read(run).state
    best = state.best()
    assert best is not None
    (promoted,) = state.answers(tier=1)
    assert promoted.candidate == best.candidate
    assert "CHGNet" in promoted.oracle
    assert "a learned potential" in promoted.oracle
    # The two potentials agree on what a bcc or fcc alloy of Ni, Fe and Cr roughly is.
    volumes = [m.properties["volume_per_atom"] for m in (best, promoted)]
    assert volumes[0] == pytest.approx(volumes[1], rel=0.06)


@pytest.mark.parametrize(
    ("dearer", "words"),
    [
        ("engine: vasp, profile: empty", ("no_such_vasp", "engine: chgnet")),
        ("engine: vasp, profile: here", ("POTCAR", "PMG_VASP_PSP_DIR")),
        ("engine: espresso, profile: empty", ("no_such_pw.x", "make espresso")),
        ("engine: vasp, profile: cluster", ("no profile 'cluster'", "profiles.cluster")),
        ("engine: vasp, vasp: {command: x}", ("profiles.NAME.vasp.command", "alloop settings")),
        ("magmoms: {Xx: 1.0}", ("Xx is no element", "write symbols such as Fe")),
    ],
)
def test_what_the_dearer_tier_lacks_stops_the_launch_with_what_to_do(
    typed: Typed,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings_of: Callable[[object], Path],
    dearer: str,
    words: tuple[str, str],
) -> None:
    empty = {"vasp": {"command": ["no_such_vasp"]}, "espresso": {"command": ["no_such_pw.x"]}}
    settings_of({"empty": empty, "here": {"vasp": {"command": [sys.executable]}}})
    monkeypatch.setattr("pymatgen.io.vasp.inputs.SETTINGS", {})
    tiers = (
        "tiers=[{kind: lammps, potential: NiFeCr-Wu2017}, "
        f"{{kind: dft, promote: 1, folder: {tmp_path / 'jobs'}, {dearer}}}]"
    )
    settings = [*SET, "--set", tiers, "--set", "budget.measurements=[600, 1]"]
    code, _, errors = typed("launch", "nifecr-bulk-modulus", "--run", tmp_path / "run", *settings)
    assert code != 0
    assert all(word in errors for word in words)
    with pytest.raises(RunError):  # nothing has begun
        RunFolder.read(tmp_path / "run")


def test_the_same_command_on_a_closed_run_changes_nothing(typed: Typed, finished: Path) -> None:
    before = RunFolder.read(finished).head
    code, out, _ = typed("launch", "nifecr-bulk-modulus", "--run", finished, *SET)
    assert code == 0
    assert before in out
    assert RunFolder.read(finished).head == before


def test_status_report_and_audit_read_the_run(typed: Typed, finished: Path) -> None:
    state = RunFolder.read(finished).state
    best = state.best()
    assert best is not None
    code, out, _ = typed("status", finished)
    assert code == 0
    assert best.candidate[:10] in out
    code, out, _ = typed("explain", finished, best.candidate[:12])
    assert code == 0
    assert state.decisions[best.candidate].formula in out
    code, out, _ = typed("audit", finished, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == sum(len(p.decisions) for p in state.proposals)
    measured = [
        row for row in rows if row["candidate"] == best.candidate and row["chosen"] == "True"
    ]
    assert float(measured[0]["bulk_modulus"]) == best.properties["bulk_modulus"]
    code, out, _ = typed("audit", finished, "--round", "1", "--format", "json")
    assert {row["round"] for row in json.loads(out)} == {1}
    assert typed("report", finished)[0] == 0


def test_a_round_follows_again_from_what_was_stored(typed: Typed, finished: Path) -> None:
    code, out, err = typed("replay", finished, "1")
    assert code == 0, err
    assert "follow again" in out
    assert typed("replay", finished, "7")[0] == 2


def test_verify_tells_a_whole_record_from_a_changed_one(
    typed: Typed, finished: Path, tmp_path: Path
) -> None:
    head = RunFolder.read(finished).head
    assert typed("verify", finished, "--head", head)[0] == 0
    assert typed("verify", finished, "--head", "f" * 64)[0] == 1
    copy = tmp_path / "copy"
    copy.mkdir()
    with sqlite3.connect(finished / "ledger.sqlite") as original:
        original.execute("VACUUM INTO ?", (str(copy / "ledger.sqlite"),))
    (copy / "artifacts").symlink_to((finished / "artifacts").resolve())
    assert typed("verify", copy)[0] == 0
    with sqlite3.connect(copy / "ledger.sqlite") as changed:
        (table,) = changed.execute(
            "SELECT name FROM sqlite_master WHERE type='table' AND name LIKE '%e%'"
        ).fetchone()
        changed.execute(f"DELETE FROM {table} WHERE seq = 5")
    code, _, err = typed("verify", copy)
    assert code == 1
    assert "event 5" in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("launch", "no-such-campaign"), "no ready campaign"),
        (("check", "nifecr-bulk-modulus", "--set", "budget.rounds=-1"), "budget.rounds"),
        (
            ("check", "nifecr-bulk-modulus", "--set", "tiers.0.potential=Unknown2000"),
            "Unknown2000",
        ),
        (("check", "nifecr-bulk-modulus", "--set", "tiers.0.promote=3"), "no tier below"),
        (
            ("check", "nifecr-bulk-modulus", "--set", "space.elements=[Ni, Fe, Cr, Al]"),
            "Al",
        ),
        (("resume", "{empty}"), ""),
        (("status", "{foreign}"), ""),
        (("launch", "nifecr-bulk-modulus", "--run", "{foreign}"), ""),
        (("digest", "{missing}"), ""),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    typed: Typed, tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    folders = {name: tmp_path / name for name in ("empty", "foreign", "missing")}
    folders["empty"].mkdir()
    folders["foreign"].mkdir()
    (folders["foreign"] / "thesis.tex").write_text("mine")
    code, _, err = typed(*(word.format(**folders) for word in words))
    assert code == 2
    assert err.startswith("error: ")
    assert len(err.strip().splitlines()) == 1
    assert says in err
    assert [path.name for path in folders["foreign"].iterdir()] == ["thesis.tex"]


def test_another_campaign_on_a_run_is_refused_with_the_difference(
    typed: Typed, finished: Path
) -> None:
    code, _, err = typed(
        "launch", "nifecr-bulk-modulus", "--run", finished, *SET, "--set", "seed=8"
    )
    assert code == 2
    assert "seed: 7 there, 8 asked for" in err


def test_ctrl_c_stops_between_measurements_and_resume_goes_on(tmp_path: Path, typed: Typed) -> None:
    run = tmp_path / "run"
    slow = [*SET, "--set", "budget.initial=60", "--set", "budget.rounds=0"]
    with subprocess.Popen(
        command("launch", "nifecr-bulk-modulus", "--run", run, *slow),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        wait_for_a_measurement(run)
        code, _, err = typed("resume", run)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert (code, "another controller" in err) == (2, True)
    assert process.returncode == 130
    assert f"alloop resume {run}" in out
    interrupted = RunFolder.read(run).state
    assert 0 < len(interrupted.measured) < 60
    assert not list((run / "spool").glob("*.json"))
    assert typed("resume", run)[0] == 0
    assert len(RunFolder.read(run).state.measured) == 60


def wait_for_a_measurement(run: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with suppress(RunError):  # not begun yet
            if RunFolder.read(run).state.measured:
                return
        time.sleep(0.05)
    pytest.fail("nothing was measured in two minutes")
