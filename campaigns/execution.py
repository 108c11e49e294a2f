"""Execution: where measurements run."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from alloop.campaigns.durations import Duration


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class LocalExecution(_Part):
    """Execution by worker processes on this machine."""

    kind: Literal["local"] = "local"
    workers: int = Field(default=2, ge=1, le=1024)


class DaskExecution(_Part):
    """Execution by the workers of a Dask scheduler that runs already.

    They must see the run's folder under the same path, and have the same Alloop installed.
    """

    kind: Literal["dask"]
    address: str = Field(
        pattern=r"^(tcp|tls|ws|wss|ucx)://[A-Za-z0-9_.\[\]:-]+$",
        description="address as the scheduler prints it, for example tcp://10.0.0.1:8786",
    )
    workers: int = Field(
        default=2, ge=1, le=1024, description="about how many there are; decides what is queued"
    )


class SlurmExecution(_Part):
    """Execution by one Slurm job per worker, submitted from where the controller runs and renewed
    as they end.

    Jobs inherit the environment of the controller and must see the run's folder under the same
    path. There are no shell commands here: a campaign from elsewhere must not run any.
    """

    kind: Literal["slurm"]
    workers: int = Field(default=2, ge=1, le=1024, description="jobs")
    cores: int = Field(default=1, ge=1, description="cores per job; for oracles that use threads")
    memory: str = Field(
        default="2 GB", pattern=r"^\d+(\.\d+)? ?[MG]i?B$", description="memory per job"
    )
    walltime: Duration = Field(
        default=timedelta(hours=1),
        description="wall time per job; a new one follows before it ends",
    )
    partition: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.,-]+$")
    account: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.-]+$")
    directives: tuple[Annotated[str, Field(pattern=r"^--[a-z][a-z-]*(=[\w.,:/@+-]+)?$")], ...] = (
        Field(default=(), description="further #SBATCH options, such as --constraint=avx512")
    )


def _local_unless_said(value: Any) -> Any:
    return {"kind": "local", **value} if isinstance(value, dict) else value


ExecutionOptions = Annotated[
    LocalExecution | DaskExecution | SlurmExecution,
    Field(discriminator="kind"),
    BeforeValidator(_local_unless_said),
]
