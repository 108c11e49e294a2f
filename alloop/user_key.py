"""The user's secret key, by which Alloop knows again what it wrote for this user itself.

It lies outside every run, in the user's state folder, and is made when it is first needed. A seal
is an HMAC-SHA256 (RFC 2104) under it: whoever has no key can neither make one nor use one for
something else, since its purpose and the length of each part enter it.
"""

import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path

from alloop.durable import create_durably, make_folder
from alloop.errors import RunError

KEY_BYTES = 32
"""Length of the key: that of SHA-256's output, as RFC 2104 recommends."""
_PRIVATE = 0o600
"""Permissions of the key's file: the user's alone."""
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
"""Permissions that nobody else may have."""


def key_path() -> Path:
    """Return the key's path, ``$XDG_STATE_HOME/alloop/key``."""
    state = os.environ.get("XDG_STATE_HOME", "")
    # The XDG specification: a relative path is invalid and counts as not set.
    base = Path(state) if Path(state).is_absolute() else Path.home() / ".local" / "state"
    return base / "alloop" / "key"


def user_key() -> bytes:
    """Return the user's key, 32 bytes; the first call of all makes it.

    Raises:
        RunError: if it cannot be made or read, is not whole, or others may read or change it.
    """
    path = key_path()
    try:
        return _read(path)
    except FileNotFoundError:
        make_folder(path.parent)
        create_durably(path, secrets.token_bytes(KEY_BYTES), mode=_PRIVATE)
        return _read(path)  # another process may have been faster


def seal(purpose: str, *parts: bytes) -> str:
    """Return the seal of some bytes under the user's key, 64 hexadecimal digits.

    Args:
        purpose: what the seal is for, such as ``"spooled result"``; a seal holds for one purpose.
        parts: what is sealed, each by itself: moving a byte from one to the next changes the seal.

    Raises:
        RunError: as ``user_key``.
    """
    return keyed_seal(user_key(), purpose.encode(), *parts)


def keyed_seal(key: bytes, *parts: bytes) -> str:
    """Return the HMAC-SHA256 of some bytes under any key, 64 hexadecimal digits; each part goes in
    with its length, so that moving a byte from one to the next changes it."""
    mac = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts:
        mac.update(len(part).to_bytes(8, "big"))
        mac.update(part)
    return mac.hexdigest()


def verify_seal(sealed: str, purpose: str, *parts: bytes) -> bool:
    """Return whether ``seal`` gave this for the same purpose and parts under this user's key.

    Raises:
        RunError: as ``user_key``.
    """
    return hmac.compare_digest(sealed.encode(), seal(purpose, *parts).encode())


def _read(path: Path) -> bytes:
    """Read the key.

    Raises:
        FileNotFoundError: if there is none.
        RunError: if it cannot be used.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unusable(path, f"the key cannot be read ({error.strerror})") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _unusable(path, "the key is no file")
        if status.st_uid != os.geteuid() or status.st_mode & _OTHERS:
            raise RunError(
                "others may read or change the key",
                where=str(path),
                remedy=f"Run `chmod 600 {path}` if it is yours, or remove it.",
            )
        key = os.read(descriptor, KEY_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(key) != KEY_BYTES:
        raise _unusable(path, f"the key has {len(key)} bytes, not {KEY_BYTES}")
    return key


def _unusable(path: Path, what: str) -> RunError:
    return RunError(
        what,
        where=str(path),
        remedy="Remove it: a new one is made, and runs begun so far ask for --trust once.",
    )
