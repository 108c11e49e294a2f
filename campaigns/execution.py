"""Execution: where measurements run. How to get there stands in the user's settings."""

import shutil
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from alloop.errors import MissingSoftware, SettingsError
from alloop.settings.moved import refuse_moved
from alloop.settings.names import DEFAULT, ProfileName

if TYPE_CHECKING:
    from alloop.settings.profiles import Profile

_PROFILE = "profile of your settings that says how; see `alloop settings`"


OF_SLURM_JOBS = ("cores", "memory", "walltime", "partition", "account", "directives")
"""Keys of a profile's ``slurm``, which a spec does not have."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    moved: ClassVar[Mapping[str, str]] = {}
    """Keys that are the settings' own, each with its place in a profile."""

    @model_validator(mode="before")
    @classmethod
    def _how_is_for_the_settings(cls, data: Any) -> Any:
        return refuse_moved(cls.__name__, data, cls.moved)

    def check_ready(self) -> None:
        """Check that the user's settings say how to get there; nothing is asked for.

        Raises:
            SettingsError: if they do not.
        """

    def describe_run(self) -> str:
        """Say in a few words where measurements would run."""
        raise NotImplementedError

    def leaves_this_machine(self) -> bool:
        """Return whether jobs are sent to a scheduler."""
        return True


class LocalExecution(_Part):
    """Execution by worker processes on this machine."""

    kind: Literal["local"] = "local"
    workers: int = Field(default=2, ge=1, le=1024)

    def describe_run(self) -> str:
        """See ``_Part.describe_run``."""
        return f"up to {self.workers} worker processes on this machine"

    def leaves_this_machine(self) -> bool:
        """Return False."""
        return False


class DaskExecution(_Part):
    """Execution by the workers of a Dask scheduler that runs already, named in the settings.

    They must see the run's folder under the same path, and have the same Alloop installed.
    """

    moved = {"address": "dask.address"}

    kind: Literal["dask"]
    profile: ProfileName = Field(default=DEFAULT, description=_PROFILE)
    workers: int = Field(
        default=2, ge=1, le=1024, description="about how many there are; decides what is queued"
    )

    def find_address(self) -> str:
        """Return the scheduler's address by the user's settings.

        Raises:
            SettingsError: if they have none, or as ``settings_file.find_profile``.
        """
        # Here, as below: a spec is read without what the settings are made of.
        from alloop.settings.settings_file import find_profile, settings_path  # noqa: PLC0415

        if (dask := find_profile(self.profile, where="execution.profile").dask) is None:
            raise SettingsError(
                "your settings name no Dask scheduler",
                where="execution.profile",
                remedy=f"Write profiles.{self.profile}.dask.address into {settings_path()}.",
            )
        return dask.address

    def check_ready(self) -> None:
        """See ``_Part.check_ready``."""
        self.find_address()

    def describe_run(self) -> str:
        """See ``_Part.describe_run``."""
        return f"the workers of the Dask scheduler at {self.find_address()}"


class SlurmExecution(_Part):
    """Execution by one Slurm job per worker, submitted from where the controller runs and renewed
    as they end. What a job asks for stands in the settings.

    Jobs inherit the environment of the controller and must see the run's folder under the same
    path.
    """

    moved = {key: f"slurm.{key}" for key in OF_SLURM_JOBS}

    kind: Literal["slurm"]
    profile: ProfileName = Field(default=DEFAULT, description=_PROFILE)
    workers: int = Field(default=2, ge=1, le=1024, description="jobs")

    def find_profile(self) -> "Profile":
        """Return the profile that says what a job asks for.

        Raises:
            SettingsError: as ``settings_file.find_profile``.
        """
        from alloop.settings.settings_file import find_profile  # noqa: PLC0415

        return find_profile(self.profile, where="execution.profile")

    def check_ready(self) -> None:
        """See ``_Part.check_ready``.

        Raises:
            SettingsError: as ``find_profile``.
            MissingSoftware: if there is no Slurm here, or not what Alloop speaks to it with.
        """
        self.find_profile()
        if shutil.which("sbatch") is None:
            raise MissingSoftware(
                "there is no Slurm here (no command sbatch)",
                where="execution.kind",
                remedy="Run where jobs are submitted, such as a cluster's login node, or run here: "
                "--set execution.kind=local.",
            )
        if find_spec("dask_jobqueue") is None:
            raise MissingSoftware(
                "the package dask-jobqueue is not installed",
                where="execution.kind",
                remedy="pip install 'alloop[slurm]'",
            )

    def describe_run(self) -> str:
        """See ``_Part.describe_run``."""
        slurm = self.find_profile().slurm
        where = "" if slurm.partition is None else f" in the partition {slurm.partition}"
        return f"{self.workers} Slurm jobs{where}"


def _local_unless_said(value: Any) -> Any:
    return {"kind": "local", **value} if isinstance(value, dict) else value


ExecutionOptions = Annotated[
    LocalExecution | DaskExecution | SlurmExecution,
    Field(discriminator="kind"),
    BeforeValidator(_local_unless_said),
]
