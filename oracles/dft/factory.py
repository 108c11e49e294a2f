"""From options and settings to the engine and the manager they name."""

import os
import shlex
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from alloop.errors import MissingSoftware
from alloop.oracles.dft.options import DftOptions
from alloop.settings.profiles import Profile
from alloop.settings.settings_file import find_profile

if TYPE_CHECKING:
    from alloop.oracles.dft.engines.base import Engine
    from alloop.oracles.dft.local import Manager

_ENGINES = {
    "chgnet": ("alloop.oracles.dft.engines.chgnet", "ChgnetEngine"),
    "sevennet": ("alloop.oracles.dft.engines.sevennet", "SevennetEngine"),
    "vasp": ("alloop.oracles.dft.engines.vasp", "VaspEngine"),
    "espresso": ("alloop.oracles.dft.engines.espresso", "EspressoEngine"),
}


def profile_of(options: DftOptions) -> Profile:
    """Return the profile of the user's settings that the options name.

    Raises:
        SettingsError: if there is none, or the settings cannot be used.
    """
    return find_profile(options.profile, where="tiers, profile")


def make_engine(options: DftOptions, profile: Profile) -> "Engine":
    """Return the engine that the options name.

    Raises:
        MissingSoftware: if a package it needs is not installed.
    """
    module, name = _ENGINES[options.engine]
    try:
        engine: Engine = getattr(import_module(module), name)(options, profile)
    except ModuleNotFoundError as error:
        raise MissingSoftware(
            f"the engine {options.engine} needs the package {error.name}",
            where="tiers, engine",
            remedy="Install it, or take another engine.",
        ) from error
    return engine


def make_manager(options: DftOptions, profile: Profile) -> "Manager":
    """Return the manager that the options name.

    Raises:
        MissingSoftware: if jobflow-remote is asked for and not installed.
    """
    if options.manager == "local":
        local = import_module("alloop.oracles.dft.local")
        here: Manager = local.LocalManager(
            home_folder(options) / "jobs",
            profile.environment,
            sealed_only=options.folder is not None,
        )
        return here
    try:
        remote = import_module("alloop.oracles.dft.remote")
    except ModuleNotFoundError as error:
        raise MissingSoftware(
            f"manager: jobflow-remote needs the package {error.name}",
            where="tiers, manager",
            remedy="Run `pip install alloop[remote]`.",
        ) from error
    manager: Manager = remote.RemoteManager(profile.jobflow_remote)
    return manager


def check_engine(options: DftOptions, elements: Sequence[str]) -> None:
    """Check that engine and manager are at hand; no program is started and nothing asked for.

    Raises:
        MissingSoftware: if a package, program or file is not there.
        SettingsError: as ``profile_of``.
        SpecError: if the engine's settings cannot work.
    """
    profile = profile_of(options)
    engine = make_engine(options, profile)
    make_manager(options, profile)
    if options.manager == "local":
        engine.check(elements)
        if options.transport is not None:
            import_module("alloop.oracles.dft.transport").check_boltztrap()


def describe_engine(options: DftOptions) -> str:
    """Say in words what measuring with these options starts, by the user's settings."""
    profile = profile_of(options)
    commands = {"vasp": profile.vasp.command, "espresso": profile.espresso.command}
    command = commands.get(options.engine)
    how = "in the worker" if command is None else f"by `{shlex.join(command)}`"
    where = "" if options.manager == "local" else f", submitted to {options.manager}"
    return f"engine {options.engine} {how}{where} (profile {options.profile})"


def home_folder(options: DftOptions) -> Path:
    """Return the folder where jobs run and their outcomes are kept."""
    if options.folder is not None:
        return options.folder.absolute()
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "alloop" / "dft"
