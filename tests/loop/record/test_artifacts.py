import errno
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Composition, Lattice, Structure

from alloop.errors import LedgerError, MaterialError, RunError
from alloop.loop.record.artifacts import ArtifactStore
from alloop.materials import material_id


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "artifacts")


def test_an_artifact_lies_under_the_hash_of_its_bytes(store: ArtifactStore) -> None:
    artifact = store.put(b"latents")
    assert artifact == hashlib.sha256(b"latents").hexdigest()
    assert store.path(artifact) == store.folder / artifact[:2] / artifact
    assert store.path(artifact).read_bytes() == b"latents"
    assert artifact in store
    assert "0" * 64 not in store


@settings(max_examples=30)  # each one waits for the disk
@given(contents=st.lists(st.binary(max_size=200), max_size=12))
def test_what_is_put_is_got(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes]
) -> None:
    store = ArtifactStore(tmp_path_factory.mktemp("store"))
    assert [store.get(artifact) for artifact in store.put_many(contents)] == contents
    files = [path for path in store.folder.rglob("*") if path.is_file()]
    assert len(files) == len(set(contents))


def test_what_is_there_already_is_not_written_again(store: ArtifactStore) -> None:
    path = store.path(store.put(b"once"))
    before = path.stat()
    store.put(b"once")
    store.put_many([b"once", b"once"])
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_file_is_stored_by_its_content(store: ArtifactStore, tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(b"weights")
    assert store.put_file(tmp_path / "model") == store.put(b"weights")


def test_what_a_dead_writer_left_is_written_over(store: ArtifactStore) -> None:
    path = store.path(hashlib.sha256(b"whole").hexdigest())
    path.parent.mkdir(parents=True)
    path.with_name(f"{path.name}.tmp").write_bytes(b"wh")
    assert path.name not in store
    assert store.get(store.put(b"whole")) == b"whole"
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_changed_artifact_is_refused(store: ArtifactStore) -> None:
    artifact = store.put(b"latents")
    store.path(artifact).write_bytes(b"Latents")
    with pytest.raises(LedgerError, match=f"{artifact} was changed"):
        store.get(artifact)


def test_a_missing_artifact_is_refused(store: ArtifactStore) -> None:
    with pytest.raises(LedgerError, match="0000 cannot be read"):
        store.get("0" * 64)


@pytest.mark.parametrize(
    "name", ["", "../secret", "/etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n"]
)
def test_no_name_leaves_the_folder(store: ArtifactStore, name: str) -> None:
    for use in (store.get, store.path, store.__contains__):
        with pytest.raises(LedgerError, match="is not an artifact's id"):
            use(name)


def test_a_material_is_stored_under_its_id(store: ArtifactStore) -> None:
    cell = Structure(Lattice.cubic(3.52), ["Ni", "Fe"], [[0, 0, 0], [0.5, 0.5, -1e-9]])
    mix = Composition({"Ni": 0.25, "Cr": 0.75})
    assert store.put_materials([cell, mix]) == [material_id(cell), material_id(mix)]
    assert store.put_material(cell) == material_id(cell)
    again = store.get_material(material_id(cell))
    assert isinstance(again, Structure)
    assert [site.specie.symbol for site in again] == ["Ni", "Fe"]
    np.testing.assert_allclose(again.lattice.matrix, cell.lattice.matrix, atol=1e-8)
    np.testing.assert_allclose(again.frac_coords, cell.frac_coords, atol=1e-8)
    assert store.get_material(material_id(mix)) == mix


@pytest.mark.parametrize("content", [b"\xff\xfe", b"weights", b"[1]", b'{"kind": "poem"}'])
def test_another_artifact_is_no_material(store: ArtifactStore, content: bytes) -> None:
    with pytest.raises(MaterialError):
        store.get_material(store.put(content))


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunError, match="cannot be written"):
        ArtifactStore(tmp_path / "file" / "artifacts").put(b"latents")


def test_a_reader_of_files_is_given_the_bytes_that_were_checked(store: ArtifactStore) -> None:
    artifact = store.put(b"checkpoint")
    seen: list[Path] = []

    def read(path: Path) -> bytes:
        seen.append(path)
        store.path(artifact).write_bytes(b"another's")  # meanwhile
        return path.read_bytes()

    assert store.read(artifact, read) == b"checkpoint"
    assert store.folder not in seen[0].parents
    assert not seen[0].exists()
    with pytest.raises(LedgerError, match="was changed"):
        store.read(artifact, Path.read_bytes)


def test_what_is_no_file_of_ours_is_not_read(store: ArtifactStore, tmp_path: Path) -> None:
    link, pipe, endless = (store.put(content) for content in (b"link", b"pipe", b"endless"))
    store.path(link).rename(tmp_path / "elsewhere")
    store.path(link).symlink_to(tmp_path / "elsewhere")
    store.path(pipe).unlink()
    os.mkfifo(store.path(pipe))
    os.truncate(store.path(endless), 2**42)
    for artifact, why in ((link, "a link"), (pipe, "no file"), (endless, "more than")):
        with pytest.raises(LedgerError, match=f"cannot be read .it .*{why}"):
            store.get(artifact)


def test_nothing_is_written_through_a_link(store: ArtifactStore, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    store.folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="it is a link"):
        store.put(b"secret")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_full_or_read_only_temporary_folder_is_a_sentence(
    store: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact = store.put(b"a checkpoint")

    def refuse(*args: object, **options: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), "/somewhere")

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    with pytest.raises(RunError, match=r"/somewhere: no copy .*Read-only"):
        store.read(artifact, Path.read_bytes)
