"""Getting a public data set: downloaded once, checked, never half there."""

import logging
from dataclasses import dataclass
from pathlib import Path

import pooch
import requests

from alloop.errors import DataError
from alloop.public_data.datasets import DataSet, RemoteFile, data_folder

TIMEOUT = 30.0
"""Time without a byte before a server is given up, s."""


@dataclass(frozen=True)
class Fetched:
    """A file of a data set that is now at hand."""

    path: Path
    is_new: bool
    """Whether it was downloaded just now."""
    sha256: str
    is_checked: bool
    """Whether the sum was known beforehand."""


def fetch(name: str, data: DataSet, folder: Path | None = None) -> tuple[Fetched, ...]:
    """Download what of a data set is not at hand.

    Args:
        name: for messages.
        data: what it consists of.
        folder: of all data sets; by default ``data_folder()``.

    Raises:
        DataError: without a network or with a wrong sum; files that were whole stay.
    """
    place = (folder or data_folder()) / data.folder
    return tuple(_fetch(name, place / file, remote) for file, remote in data.files.items())


def _fetch(name: str, path: Path, remote: RemoteFile) -> Fetched:
    is_new = not path.exists()
    if is_new:
        _download(name, path, remote)
    found = _sum(path)
    if remote.sha256 not in (None, found):
        # Perhaps somebody's own edit: it is not ours to write over.
        raise DataError(
            f"this file is not the published one of {name} (SHA-256 {found[:12]}…, "
            f"not {str(remote.sha256)[:12]}…)",
            where=str(path),
            remedy=f"Move it away, then `alloop data fetch {name}` again.",
        )
    return Fetched(path, is_new, found, remote.sha256 is not None)


def _download(name: str, path: Path, remote: RemoteFile) -> None:
    pooch.get_logger().setLevel(logging.WARNING)
    known = None if remote.sha256 is None else f"sha256:{remote.sha256}"
    try:
        pooch.retrieve(
            remote.url,
            known_hash=known,
            fname=path.name,
            path=path.parent,
            downloader=_stream,
        )
    except requests.RequestException as error:
        raise DataError(
            f"{name} cannot be downloaded from {remote.url} ({_reason(error)})",
            remedy="Try again with a network, or get the file otherwise and put it at "
            f"{path} (ALLOOP_DATA names the folder of all data sets).",
        ) from error
    except ValueError as error:  # what pooch raises for a sum that does not agree
        raise DataError(
            f"what {remote.url} sent does not have the SHA-256 of {name}; nothing was kept",
            remedy="Try again; if it stays so, the publisher changed the file, or somebody else "
            "answers in the publisher's name.",
        ) from error
    except OSError as error:
        raise DataError(
            f"cannot be written ({error.strerror})",
            where=str(path),
            remedy="ALLOOP_DATA can name another folder.",
        ) from error


def _stream(url: str, file: str, _: object) -> None:
    # pooch's own leaves the connection of a refused request open.
    with (
        requests.get(url, stream=True, timeout=TIMEOUT) as response,
        Path(file).open("wb") as written,
    ):
        response.raise_for_status()
        for piece in response.iter_content(chunk_size=1 << 16):
            written.write(piece)


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.HTTPError):
        return f"the server says {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return f"no answer within {TIMEOUT:g} s"
    return "no connection" if isinstance(error, requests.ConnectionError) else str(error)


def _sum(path: Path) -> str:
    try:
        return str(pooch.file_hash(str(path), alg="sha256"))
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", where=str(path)) from error
