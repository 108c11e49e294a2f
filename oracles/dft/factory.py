"""From options to the engine and the manager they name."""

import os
from importlib import import_module
from pathlib import Path

from alloop.errors import MissingSoftware
from alloop.oracles.dft.engines.base import Engine
from alloop.oracles.dft.local import LocalManager, Manager
from alloop.oracles.dft.options import DftOptions

_ENGINES = {
    "chgnet": ("alloop.oracles.dft.engines.chgnet", "ChgnetEngine"),
    "vasp": ("alloop.oracles.dft.engines.vasp", "VaspEngine"),
    "espresso": ("alloop.oracles.dft.engines.espresso", "EspressoEngine"),
}


def make_engine(options: DftOptions) -> Engine:
    """Return the engine that the options name.

    Raises:
        MissingSoftware: if a package it needs is not installed.
    """
    module, name = _ENGINES[options.engine]
    try:
        engine: Engine = getattr(import_module(module), name)(options)
    except ModuleNotFoundError as error:
        raise MissingSoftware(
            f"the engine {options.engine} needs the package {error.name}",
            where="tiers, engine",
            remedy="Install it, or take another engine.",
        ) from error
    return engine


def make_manager(options: DftOptions) -> Manager:
    """Return the manager that the options name.

    Raises:
        MissingSoftware: if jobflow-remote is asked for and not installed.
    """
    if options.manager == "local":
        return LocalManager(home_folder(options) / "jobs")
    try:
        remote = import_module("alloop.oracles.dft.remote")
    except ModuleNotFoundError as error:
        raise MissingSoftware(
            f"manager: jobflow-remote needs the package {error.name}",
            where="tiers, manager",
            remedy="Run `pip install alloop[remote]`.",
        ) from error
    manager: Manager = remote.RemoteManager(options.remote)
    return manager


def home_folder(options: DftOptions) -> Path:
    """Return the folder where jobs run and their outcomes are kept."""
    if options.folder is not None:
        return options.folder.absolute()
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "alloop" / "dft"
