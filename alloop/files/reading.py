"""Bytes and text of files of others: regular files only, within a bound, whatever their encoding.

Text is UTF-8, with or without a mark; UTF-16 where a mark says so, as spreadsheets write it; else
Latin-1 where the caller takes it. Line ends are those of Unix, Windows or old Macs.
"""

import bz2
import codecs
import gzip
import lzma
import os
import re
import stat
import zlib
from pathlib import Path
from typing import IO

from alloop.errors import AlloopError, DataError

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")

COMPRESSIONS = (".gz", ".bz2", ".xz")
"""Endings of the names of compressed files."""
_UNPACKER_MEMORY = 100_000_000
"""Most bytes that unpacking xz may take; a file's header may ask for gigabytes."""


def read_bytes(
    path: Path,
    most: int,
    *,
    error: type[AlloopError] = DataError,
    is_unpacked: bool = False,
) -> bytes:
    """Return the content of a regular file.

    Args:
        path: of the file.
        most: bytes that it may have, unpacked.
        error: raised for what cannot be read.
        is_unpacked: whether a file whose name ends as compressed ones do is unpacked.

    Raises:
        AlloopError: of the given class, if there is no such file, it is a folder, a pipe or a
            device, it is larger, or it is not what its ending says.
    """
    ending = path.suffix.lower() if is_unpacked else ""
    try:
        # Not blocking: a pipe that nobody writes to would be waited for without end.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise error("it is no file but a folder, a pipe or a device", where=str(path))
            content = _read(file, ending, most + 1)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as raised:
        # What a decompressor finds is an OSError too, without a number.
        why = getattr(raised, "strerror", None) or str(raised)
        raise error(f"cannot be read ({why})", where=str(path)) from raised
    except ValueError as raised:  # a zero byte in the path
        raise error(f"cannot be read ({raised})", where=repr(str(path))) from raised
    if len(content) > most:
        raise error(
            f"it has more than {most:,} bytes",
            where=str(path),
            remedy="Files of this kind are smaller; is it the right one?",
        )
    return content


def _read(file: IO[bytes], ending: str, most: int) -> bytes:
    match ending:
        case ".gz":
            with gzip.GzipFile(fileobj=file) as unpacked:
                return unpacked.read(most)
        case ".bz2":
            with bz2.BZ2File(file) as unpacked:
                return unpacked.read(most)
        case ".xz":
            unpacker = lzma.LZMADecompressor(memlimit=_UNPACKER_MEMORY)
            content = unpacker.decompress(file.read(most), most)
            if not unpacker.eof and len(content) < most:
                raise EOFError("it ends too early")
            return content
        case _:
            return file.read(most)


def decoded(
    content: bytes, *, where: str, error: type[AlloopError] = DataError, is_latin: bool = False
) -> str:
    r"""Return text with ``\n`` at the ends of its lines.

    Args:
        content: of a file.
        where: what an error calls it.
        error: raised for what is no text.
        is_latin: whether what is not UTF-8 is read as Latin-1, where every byte is a character.

    Raises:
        AlloopError: of the given class, naming encoding, line and byte.
    """
    is_utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError as raised:
        text = "" if is_utf16 or not is_latin else content.decode("latin-1")
        if not text or _CONTROL.search(text):
            encoding = "UTF-16" if is_utf16 else "UTF-8"
            also = " nor Latin-1, which has no control characters" if text else ""
            line = content.count(b"\n", 0, raised.start) + 1
            place = f"byte {raised.start}, in line {line},"
            raise error(
                f"it is no text: {place} is not text in {encoding}{also}",
                where=where,
                remedy="Save it as UTF-8.",
            ) from raised
    return text.replace("\r\n", "\n").replace("\r", "\n")
