"""Data sets are found where they lie, and fetched whole or not at all."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from alloop.canonical import sha256
from alloop.errors import DataError
from alloop.public_data.datasets import (
    DATA_SETS,
    VARIABLE,
    DataSet,
    RemoteFile,
    data_folder,
    find_file,
    known,
)
from alloop.public_data.fetching import fetch

CONTENT = "Alloys,Class\nCrFeNi,1\n"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of a server that has alloys.csv."""
    served = tmp_path / "served"
    served.mkdir()
    (served / "alloys.csv").write_text(CONTENT)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(served)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def data_set(url: str, sum: str | None) -> DataSet:
    return DataSet("alloys", {"alloys.csv": RemoteFile(url, sum)}, "two columns", "here")


def test_a_file_is_fetched_once_and_found_again(server: str, tmp_path: Path) -> None:
    data = data_set(f"{server}/alloys.csv", sha256(CONTENT))
    (first,) = fetch("alloys", data, tmp_path)
    assert first.is_new
    assert first.is_checked
    assert first.path.read_text() == CONTENT
    (served,) = (tmp_path / "served").iterdir()
    served.unlink()
    (again,) = fetch("alloys", data, tmp_path)
    assert not again.is_new


def test_a_sum_that_is_not_known_is_told(server: str, tmp_path: Path) -> None:
    (file,) = fetch("alloys", data_set(f"{server}/alloys.csv", None), tmp_path)
    assert not file.is_checked
    assert file.sha256 == sha256(CONTENT)


def test_a_wrong_sum_leaves_nothing(server: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="SHA-256 of alloys; nothing was kept"):
        fetch("alloys", data_set(f"{server}/alloys.csv", "0" * 64), tmp_path)
    assert list((tmp_path / "alloys").iterdir()) == []


def test_somebodys_own_file_is_not_written_over(server: str, tmp_path: Path) -> None:
    own = tmp_path / "alloys" / "alloys.csv"
    own.parent.mkdir()
    own.write_text("mine")
    with pytest.raises(DataError, match="Move it away"):
        fetch("alloys", data_set(f"{server}/alloys.csv", sha256(CONTENT)), tmp_path)
    assert own.read_text() == "mine"


@pytest.mark.parametrize("path", ["/missing.csv", None])
def test_what_cannot_be_had_is_one_line_with_the_remedy(
    server: str, tmp_path: Path, path: str | None
) -> None:
    url = "http://127.0.0.1:9/alloys.csv" if path is None else server + path
    reason = "no connection" if path is None else "404"
    with pytest.raises(DataError, match=reason) as caught:
        fetch("alloys", data_set(url, None), tmp_path)
    assert "\n" not in str(caught.value)
    assert VARIABLE in caught.value.remedy


def test_the_folder_named_by_the_variable_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert data_folder() == tmp_path
    with pytest.raises(DataError, match="alloop data fetch hea"):
        find_file("hea")
    path = tmp_path / "hea" / "HEA_top30_comps.csv"
    path.parent.mkdir()
    path.write_text(CONTENT)
    assert find_file("hea") == path
    monkeypatch.delenv(VARIABLE)
    assert data_folder() != tmp_path


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(DataError, match="hea, perov-5, carbon-24, mp-20"):
        known("qm9")
    assert all(
        file.url.startswith("https://") for d in DATA_SETS.values() for file in d.files.values()
    )
