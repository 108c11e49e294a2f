"""The user's key: made once, private, and what is sealed with it cannot be made without it."""

import hashlib
import hmac
import multiprocessing
import stat
from pathlib import Path

import pytest

from alloop.errors import RunError
from alloop.user_key import key_path, seal, user_key, verify_seal


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


def test_the_key_is_made_once_for_the_user_alone(state: Path) -> None:
    key = user_key()
    assert len(key) == 32
    assert user_key() == key
    assert key_path() == state / "alloop" / "key"
    assert stat.S_IMODE(key_path().stat().st_mode) == 0o600
    assert [path.name for path in key_path().parent.iterdir()] == ["key"]


def test_a_relative_state_folder_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "here")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert key_path() == Path("/home/somebody/.local/state/alloop/key")


def _ask(_: int) -> bytes:
    return user_key()


def test_processes_that_need_it_first_at_the_same_time_get_the_same() -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert len(set(pool.map(_ask, range(16), chunksize=1))) == 1


def test_a_seal_is_an_hmac_of_the_framed_parts() -> None:
    framed = b"".join(
        len(part).to_bytes(8, "big") + part for part in (b"run", b"first", b"", b"last")
    )
    expected = hmac.digest(user_key(), framed, hashlib.sha256).hex()
    assert seal("run", b"first", b"", b"last") == expected


def test_a_seal_holds_for_its_purpose_parts_and_key_only(monkeypatch, tmp_path) -> None:
    sealed = seal("run", b"ab", b"c")
    assert verify_seal(sealed, "run", b"ab", b"c")
    assert not verify_seal(sealed, "run", b"a", b"bc")
    assert not verify_seal(sealed, "run", b"abc")
    assert not verify_seal(sealed, "runa", b"b", b"c")
    assert not verify_seal(sealed, "result", b"ab", b"c")
    assert not verify_seal("", "run", b"ab", b"c")
    assert not verify_seal("ä", "run", b"ab", b"c")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "other"))
    assert not verify_seal(sealed, "run", b"ab", b"c")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: path.write_bytes(b"short"), "has 5 bytes"),
        (lambda path: path.write_bytes(bytes(33)), "has 33 bytes"),
        (lambda path: path.chmod(0o640), "chmod 600"),
        (lambda path: path.rename(path.with_name("k")).with_name("key").symlink_to("k"), "link"),
        (lambda path: (path.unlink(), path.mkdir()), "no file"),
    ],
)
def test_a_key_that_is_not_the_user_s_own_is_refused(damage, words: str) -> None:
    user_key()
    damage(key_path())
    with pytest.raises(RunError, match=words):
        user_key()


def test_a_state_folder_that_cannot_be_written_is_a_sentence(monkeypatch, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(RunError, match="cannot be"):
        user_key()
