"""The settings' file: found, read within bounds, and believed only if it is the user's own."""

import json
import os
import stat
from pathlib import Path

from pydantic import ValidationError

from alloop.errors import SettingsError
from alloop.settings.names import DEFAULT
from alloop.settings.profiles import Profile, Settings

VARIABLE = "ALLOOP_SETTINGS"
"""Environment variable that names another file."""
MAX_BYTES = 100_000
"""Largest size of the file: profiles are a page or two."""
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def settings_path() -> Path:
    """Return the path of the settings, ``$XDG_CONFIG_HOME/alloop/settings.yaml`` unless
    ``ALLOOP_SETTINGS`` names another. There need not be one.
    """
    if named := os.environ.get(VARIABLE):
        return Path(named).absolute()
    base = os.environ.get("XDG_CONFIG_HOME", "")
    # The XDG specification: a relative path is invalid and counts as not set.
    folder = Path(base) if Path(base).is_absolute() else Path.home() / ".config"
    return folder / "alloop" / "settings.yaml"


def read_settings() -> Settings:
    """Return the user's settings; empty ones where there is no file.

    Raises:
        SettingsError: if a file that ``ALLOOP_SETTINGS`` names is missing, or the file cannot be
            read, may be changed by others, or says something unknown or impossible.
    """
    path = settings_path()
    try:
        content = _read(path)
    except FileNotFoundError as error:
        if not os.environ.get(VARIABLE):
            return Settings()
        raise SettingsError(
            "there is no such file", where=str(path), remedy=f"Correct or unset {VARIABLE}."
        ) from error
    except OSError as error:
        raise SettingsError(f"cannot be read: {error.strerror}", where=str(path)) from error
    # Most have no file.
    from alloop.files.yaml_text import parse_yaml  # noqa: PLC0415

    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise SettingsError(f"not readable as YAML: {error}", where=str(path)) from error
    data = parse_yaml(text, where=str(path), error=SettingsError, has_aliases=False)
    try:
        # As JSON, where a list is what a tuple is made from and nothing else is converted.
        return Settings.model_validate_json(
            json.dumps({} if data is None else data, allow_nan=False)
        )
    except ValidationError as error:
        raise _explained(error, path) from error
    except (ValueError, TypeError, RecursionError) as error:
        raise SettingsError(
            f"has a value that is no text, number, list or mapping ({error})", where=str(path)
        ) from error


def find_profile(name: str, *, where: str = "profile") -> Profile:
    """Return a profile of the user's settings; ``default`` need not be written.

    Args:
        name: as a spec has it.
        where: key of the spec that names it, for the error.

    Raises:
        SettingsError: if there is none of the name, or as ``read_settings``.
    """
    profiles = read_settings().profiles
    if name in profiles:
        return profiles[name]
    if name == DEFAULT:
        return Profile()
    known = ", ".join(profiles) or "none"
    raise SettingsError(
        f"your settings have no profile {name!r}; there are {known}",
        where=where,
        remedy=f"Write profiles.{name} into {settings_path()}; `alloop settings --example` shows "
        "how.",
    )


def _read(path: Path) -> bytes:
    """Read the file, whose owner and permissions say that the user wrote it, or an administrator.

    Raises:
        OSError: if it cannot be read.
        SettingsError: if it is not to be believed.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise SettingsError("this is no file", where=str(path))
        if status.st_uid not in (os.geteuid(), 0):
            raise SettingsError(
                "the settings belong to somebody else, and they name programs to run",
                where=str(path),
                remedy="Copy them to a file of your own once you have read them.",
            )
        if status.st_mode & _OTHERS_WRITE:
            raise SettingsError(
                "others may change the settings, and they name programs to run",
                where=str(path),
                remedy=f"Run `chmod go-w {path}`.",
            )
        if status.st_size > MAX_BYTES:
            raise SettingsError(
                f"the file has {status.st_size} bytes, and at most {MAX_BYTES} are read",
                where=str(path),
            )
        return os.read(descriptor, MAX_BYTES)
    finally:
        os.close(descriptor)


def _explained(error: ValidationError, path: Path) -> SettingsError:
    """Return what the user is told: the first thing wrong, with its key."""
    details = error.errors(include_url=False)
    details.sort(key=lambda each: each["type"] != "extra_forbidden")
    first = details[0]
    where = f"{path}: {'.'.join(map(str, first['loc']))}" if first["loc"] else str(path)
    more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
    if first["type"] == "extra_forbidden":
        what = f"unknown key {str(first['loc'][-1])!r}"
    else:
        value = repr(first["input"])
        shown = value if len(value) <= 60 else f"{value[:57]}…"
        message = first["msg"].removeprefix("Value error, ")
        what = message if first["type"] == "value_error" else f"{shown} does not fit: {message}"
    return SettingsError(
        f"{what}{more}", where=where, remedy="`alloop settings --example` shows every key."
    )
