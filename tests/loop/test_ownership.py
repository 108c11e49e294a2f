"""A run of one's own goes on; one that was received asks, once, and says what it would run."""

import shutil
from pathlib import Path

import pytest

from alloop.campaigns.load import parse_spec
from alloop.errors import RunError
from alloop.loop.controller import Controller
from alloop.loop.ownership import is_own, what_would_run
from alloop.loop.record.events import SessionOpened
from alloop.loop.record.ledger import Ledger
from alloop.loop.record.verification import verify
from alloop.loop.run_folder import RunFolder
from tests.loop.lab import fill_in, go, state_of
from tests.typed import Typed, typed_at


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    return typed_at(200, monkeypatch, capsys)


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """A run that this user began, and that waits for people."""
    go(tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def somebody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user, with another key."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "somebody"))


def sessions(run: Path) -> list[SessionOpened]:
    return [e.event for e in RunFolder.read(run).entries if isinstance(e.event, SessionOpened)]


def test_a_run_of_one_s_own_goes_on_wherever_it_was_moved(
    ours: Path, tmp_path: Path, typed: Typed
) -> None:
    moved = tmp_path / "elsewhere" / "moved"
    shutil.copytree(ours, moved)
    code, _, err = typed("label", moved, "--file", fill_in(moved, tmp_path / "results.csv"))
    assert code == 0, err
    assert len(state_of(moved).answers()) == 4  # and it went on to the next round
    assert {proposal.round for proposal in state_of(moved).proposals} == {0, 1}
    assert all(session.seal == "" for session in sessions(moved))


@pytest.mark.usefixtures("somebody")
def test_another_s_run_asks_once(
    ours: Path, tmp_path: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    received = ours
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "third"))
    before = RunFolder.read(received).head
    for words in (
        ["resume", received],
        ["label", received, "--file", fill_in(received, tmp_path / "r.csv")],
    ):
        code, _, err = typed(*words)
        assert code == 2
        for said in (
            "you did not begin this run",
            "tier 0: person of the package alloop",
            "--trust",
        ):
            assert said in err
        assert all(s.seal == "" for s in sessions(received))
    code, _, err = typed("resume", received, "--trust")
    assert code == 0, err
    (trusted,) = (s for s in sessions(received) if s.seal)
    assert typed("resume", received)[0] == 0  # said once
    assert verify(received).ok
    assert before in {entry.hash for entry in RunFolder.read(received).entries}
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "fourth"))
    assert typed("resume", received)[0] == 2  # by that user, not by this one
    assert trusted.seal != ""


def test_looking_at_another_s_run_asks_nothing(
    ours: Path, tmp_path: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "somebody"))
    for command in ("status", "audit", "verify", "report", "digest", "corrections"):
        code, _, err = typed(command, ours)
        assert code == 0, (command, err)
    assert not (tmp_path / "somebody").exists()  # no key is needed to look


def test_a_first_event_that_was_changed_is_nobody_s_own(ours: Path) -> None:
    entries = RunFolder.read(ours).entries
    assert is_own(entries)
    first, *others = entries
    for change in ({"spec": {**first.event.spec, "seed": 4}}, {"seal": ""}, {"seal": "0" * 64}):
        changed = type(first)(
            first.seq, first.time, first.event.model_copy(update=change), first.previous, first.hash
        )
        assert not is_own([changed, *others])


def test_a_second_beginning_behind_one_s_own_is_nobody_s(ours: Path) -> None:
    entries = RunFolder.read(ours).entries
    assert not is_own([*entries, entries[0]])


def test_launching_the_same_campaign_on_another_s_run_asks_too(
    ours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = state_of(ours).spec
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "somebody"))
    with pytest.raises(RunError, match="you did not begin this run"):
        Controller(ours, spec, observer=None)


def test_nothing_is_built_before_the_question(
    ours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "somebody"))

    def build(spec: object) -> list[object]:
        raise AssertionError("an oracle was built")

    with pytest.raises(RunError, match="--trust"):
        Controller(ours, None, build_oracles=build, observer=None)


def test_what_would_run_names_programs_of_the_user_s_settings(settings_of) -> None:
    settings_of(
        {
            "cluster": {
                "vasp": {"command": ["srun", "vasp std"]},
                "slurm": {"partition": "batch"},
            }
        }
    )
    data = {
        "name": "x",
        "space": {"elements": ["Ni", "Fe"]},
        "objectives": [{"property": "energy_per_atom", "goal": "minimise"}],
        "tiers": [
            {"kind": "dft", "engine": "vasp", "profile": "cluster"},
            {"kind": "dft", "engine": "espresso", "profile": "none", "promote": 1},
        ],
        "budget": {"initial": 4, "rounds": 1, "measurements": [10, 1]},
        "execution": {"kind": "slurm", "profile": "cluster", "workers": 3},
    }
    first, second, model, where = what_would_run(parse_spec(data, where="x"), ())
    assert "engine vasp by `srun 'vasp std'` (profile cluster)" in first
    assert "cannot run here (your settings have no profile 'none'" in second
    assert model.startswith("the model: lattice of the package alloop")
    assert where == "3 Slurm jobs in the partition batch"


@pytest.mark.parametrize(
    "name", ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm", "ledger.sqlite-journal"]
)
def test_a_ledger_behind_a_link_is_not_opened(ours: Path, tmp_path: Path, name: str) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"" if name != "ledger.sqlite" else (ours / name).read_bytes())
    (ours / name).unlink(missing_ok=True)
    (ours / name).symlink_to(victim)
    before = victim.read_bytes()
    for writable in (False, True):
        with pytest.raises(RunError, match=f"{name}: this is a link"):
            Ledger.open(ours, writable=writable)
    assert victim.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"run", "victim"}


@pytest.mark.parametrize(
    "name", ["controller.lock", "artifacts", "artifacts/00", "spool", "spool/x.lock"]
)
def test_nothing_is_written_through_a_link(ours: Path, tmp_path: Path, name: str) -> None:
    victim = tmp_path / "victim"
    if name.endswith(".lock"):
        victim.write_bytes(b"precious")
    else:
        victim.mkdir()
    path = ours / name
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(victim)
    with pytest.raises(RunError, match=f"{name}: this is a link"):
        Ledger.open(ours, writable=True)
    assert victim.is_dir() or victim.read_bytes() == b"precious"
    with Ledger.open(ours, writable=False) as ledger:  # to look is no harm
        assert ledger.head()


def test_a_journal_that_would_have_sqlite_remove_a_file_is_refused(ours, tmp_path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    name = str(victim).encode()
    tail = name + len(name).to_bytes(4, "big") + sum(name).to_bytes(4, "big")
    (ours / "ledger.sqlite-journal").write_bytes(tail + bytes.fromhex("d9d505f920a163d7"))
    with pytest.raises(RunError, match="has SQLite remove another file"):
        Ledger.open(ours, writable=True)
    assert victim.read_bytes() == b"precious"


def test_a_run_s_folder_may_itself_be_reached_by_a_link(ours: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(ours)
    with Ledger.open(tmp_path / "link", writable=True) as ledger:
        assert ledger.head()
