"""Bytes and text of files of others."""

import bz2
import gzip
import lzma
from pathlib import Path

import pytest

from alloop.errors import DataError, MaterialError
from alloop.files.reading import decoded, read_bytes


@pytest.mark.parametrize(("ending", "pack"), [(".gz", gzip), (".bz2", bz2), (".xz", lzma)])
def test_a_compressed_file_is_unpacked_within_the_bound(
    tmp_path: Path, ending: str, pack: object
) -> None:
    path = tmp_path / f"a{ending}"
    path.write_bytes(pack.compress(b"x" * 1000))  # type: ignore[attr-defined]
    assert read_bytes(path, 1000, is_unpacked=True) == b"x" * 1000
    with pytest.raises(DataError, match="more than 999 bytes"):
        read_bytes(path, 999, is_unpacked=True)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(DataError, match=": cannot be read \\("):
        read_bytes(path, 1000, is_unpacked=True)
    path.write_bytes(b"plain")
    with pytest.raises(DataError, match=": cannot be read \\("):
        read_bytes(path, 1000, is_unpacked=True)
    assert read_bytes(path, 1000) == b"plain"


def test_a_path_with_a_zero_byte_is_refused() -> None:
    with pytest.raises(DataError, match=": cannot be read \\("):
        read_bytes(Path("a\0b"), 10)


def test_what_is_no_text_is_named_by_encoding_line_and_byte() -> None:
    assert decoded(b"a\r\nb\rc", where="x") == "a\nb\nc"
    assert decoded(b"\xff\xfea\0", where="x") == "a"
    assert decoded(b"\xe9", where="x", is_latin=True) == "é"
    with pytest.raises(DataError, match=r"x: it is no text: byte 3, in line 2, .* UTF-8"):
        decoded(b"ab\n\xe9", where="x")
    with pytest.raises(MaterialError, match="nor Latin-1, which has no control characters"):
        decoded(b"\xe9\x01", where="x", is_latin=True, error=MaterialError)
    with pytest.raises(DataError, match="UTF-16"):
        decoded(b"\xff\xfea", where="x")
