"""Files are whole or absent, and nothing is ever written through a link."""

import os
import stat
from pathlib import Path

import pytest

from alloop.durable import create_durably, write_durably
from alloop.errors import RunError


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    path = tmp_path / "victim"
    path.write_bytes(b"precious")
    return path


@pytest.mark.parametrize("is_shared", [False, True])
@pytest.mark.parametrize("name", ["page", "page.tmp"])
def test_links_are_replaced_and_not_followed(tmp_path, victim, name, is_shared) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / name).symlink_to(victim)
    write_durably(folder / "page", b"new", is_shared=is_shared)
    assert victim.read_bytes() == b"precious"
    assert (folder / "page").read_bytes() == b"new"
    assert not (folder / "page").is_symlink()


def test_hard_links_are_replaced_too(tmp_path, victim) -> None:
    os.link(victim, tmp_path / "page")
    write_durably(tmp_path / "page", b"new")
    assert victim.read_bytes() == b"precious"


@pytest.mark.parametrize("is_shared", [False, True])
def test_a_write_that_fails_leaves_what_there_was(tmp_path, monkeypatch, is_shared) -> None:
    write_durably(tmp_path / "page", b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("alloop.durable.os.fsync", full)
    with pytest.raises(RunError, match="No space left"):
        write_durably(tmp_path / "page", b"new", is_shared=is_shared)
    assert (tmp_path / "page").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["page"]


def test_permissions_follow_the_mask_as_usual(tmp_path) -> None:
    before = os.umask(0o027)
    try:
        write_durably(tmp_path / "page", b"")
        assert create_durably(tmp_path / "key", b"", mode=0o600)
    finally:
        os.umask(before)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("page", "key")]
    assert modes == [0o640, 0o600]


def test_what_is_created_is_never_written_over(tmp_path, victim) -> None:
    (tmp_path / "link").symlink_to(victim)
    assert create_durably(tmp_path / "key", b"first", mode=0o600)
    for name in ("key", "link"):
        assert not create_durably(tmp_path / name, b"second", mode=0o600)
    assert (tmp_path / "key").read_bytes() == b"first"
    assert victim.read_bytes() == b"precious"
    assert {path.name for path in tmp_path.iterdir()} == {"key", "link", "victim"}
