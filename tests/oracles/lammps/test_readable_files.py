"""Parameter files under paths that LAMMPS cannot read are copied, and the copies removed."""

from pathlib import Path

import pytest

from alloop.canonical import sha256
from alloop.errors import PotentialError
from alloop.oracles.lammps.potentials.parameter_files import ParameterFile
from alloop.oracles.lammps.potentials.readable_files import readable_files


def file_at(path: Path) -> ParameterFile:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"parameters")
    return ParameterFile(path, sha256(b"parameters"))


def test_ascii_paths_are_taken_as_they_are(tmp_path: Path) -> None:
    file = file_at(tmp_path / "a folder" / "$x.meam")
    with readable_files([file]) as files:
        assert files == (file,)


def test_others_are_copied_for_as_long_as_they_are_read(tmp_path: Path) -> None:
    file = file_at(tmp_path / "Übergang" / "Ä.meam")
    with readable_files([file, file]) as files:
        paths = [each.checked_path() for each in files]
        assert len(set(paths)) == 2
        assert all(str(path).isascii() and path.read_bytes() == b"parameters" for path in paths)
    assert not any(path.exists() for path in paths)


def test_a_changed_file_is_not_copied(tmp_path: Path) -> None:
    file = file_at(tmp_path / "é" / "a.meam")
    file.path.write_bytes(b"other")
    with pytest.raises(PotentialError, match="has changed"), readable_files([file]):
        pass


def test_a_temporary_folder_that_is_not_ascii_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "é").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "é"))
    with readable_files([file_at(tmp_path / "é" / "a.meam")]) as (copy,):
        assert str(copy.path).isascii()
