"""What of the user's settings can be used on this machine, and what is missing for which kind."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec

from alloop.settings.names import DEFAULT
from alloop.settings.profiles import Profile, Settings


@dataclass(frozen=True)
class Readiness:
    """Readiness of one use of a profile."""

    profile: str
    use: str
    """What a spec says to use it, such as ``engine: vasp``."""
    runs: str
    """What is started, or where it is sent; empty where the settings do not say."""
    missing: str
    """What is missing, with the remedy; empty where nothing is."""


def readiness(settings: Settings) -> tuple[Readiness, ...]:
    """Return what every profile can be used for; no program is started and nobody asked."""
    profiles = {DEFAULT: Profile(), **settings.profiles}
    return tuple(each for name, profile in profiles.items() for each in _uses(name, profile))


def _uses(name: str, profile: Profile) -> Iterator[Readiness]:
    path = profile.environment.get("PATH")
    place = f"profiles.{name}"
    for engine, command in (("vasp", profile.vasp.command), ("espresso", profile.espresso.command)):
        program = command[0]
        missing = (
            ""
            if shutil.which(program, path=path) is not None
            else f"there is no program {program!r}; install it, or name another in "
            f"{place}.{engine}.command"
        )
        if engine == "espresso" and not profile.espresso.pseudopotential_folder.is_dir():
            missing = missing or (
                f"there is no folder {profile.espresso.pseudopotential_folder}; name another in "
                f"{place}.espresso.pseudopotential_folder"
            )
        yield Readiness(name, f"engine: {engine}", " ".join(command), missing)
    remote = profile.jobflow_remote
    yield Readiness(
        name,
        "manager: jobflow-remote",
        f"project {remote.project or 'by default'}, worker {remote.worker or 'by default'}",
        _package("jobflow_remote", "alloop[remote]"),
    )
    yield Readiness(
        name,
        "execution: slurm",
        f"sbatch, partition {profile.slurm.partition or 'by default'}",
        _package("dask_jobqueue", "alloop[slurm]")
        or ("" if shutil.which("sbatch") else "there is no command sbatch here"),
    )
    dask = profile.dask
    yield Readiness(
        name,
        "execution: dask",
        "" if dask is None else dask.address,
        f"no scheduler is named in {place}.dask.address" if dask is None else "",
    )


def _package(name: str, extra: str) -> str:
    return "" if find_spec(name) is not None else f"run `pip install '{extra}'`"
