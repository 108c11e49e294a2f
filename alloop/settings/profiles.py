"""The schema of the settings: profiles by name, each with a section per program or scheduler.

A command is a list of words that is started as it is, without a shell. No value has a line break
or another control character, since several end up in scripts that a scheduler reads line by line.
"""

import shlex
import unicodedata
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from alloop.durations import Duration
from alloop.settings.names import ProfileName

MAX_WORD = 4096
"""Largest number of characters of a value."""


def _plain(text: str) -> str:
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in text):
        raise ValueError(f"{text!r} has a line break or another control character")
    return text


def _list_of_words(value: Any) -> Any:
    if isinstance(value, str):
        try:
            words = shlex.split(value)
        except ValueError:
            words = value.split()
        raise ValueError(f"a command is a list of words, not a line for a shell: write {words}")
    return tuple(value) if isinstance(value, list) else value


Word = Annotated[str, Field(min_length=1, max_length=MAX_WORD), AfterValidator(_plain)]
"""Non-empty text in one line."""
Command = Annotated[
    tuple[Word, ...], Field(min_length=1, max_length=1000), BeforeValidator(_list_of_words)
]
"""Program and arguments, started without a shell."""
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
Plain = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.,-]+$", max_length=256)]
"""Name that Slurm knows: of a partition or an account."""

Directive = Literal[
    "begin", "clusters", "comment", "constraint", "cpu-freq", "cpus-per-gpu", "deadline",
    "distribution", "exclude", "exclusive", "export", "gpus", "gpus-per-node",
    "gpus-per-task", "gres", "gres-flags", "hint", "licenses", "mail-type", "mail-user",
    "mem-bind", "mem-per-cpu", "mem-per-gpu", "nice", "no-requeue", "nodelist", "priority", "qos",
    "requeue", "reservation", "signal", "sockets-per-node", "switches", "threads-per-core", "tmp",
    "wckey",
]  # fmt: skip
"""Options of sbatch that say what a job needs. None names a program or a file, as wrap, prolog,
bcast, chdir, output or uid do."""
DirectiveValue = (
    Literal[True]
    | Annotated[str, Field(pattern=r"^[A-Za-z0-9_.,:/@+*&|=\[\]()-]+$", max_length=256)]
)
"""Value of an option of sbatch, without spaces; true for one that takes none."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


class VaspSettings(_Section):
    """VASP, run under custodian."""

    command: Command = Field(default=("vasp_std",), description="starts VASP")
    gamma_command: Command | None = Field(
        default=None, description="starts VASP for a mesh of Γ alone; by default the same"
    )
    potcar_spec: bool = Field(
        default=False, description="write the POTCARs' names only, where a wrapper adds the files"
    )
    poll: float = Field(default=10.0, gt=0, description="interval of custodian's checks, s")


class EspressoSettings(_Section):
    """pw.x of Quantum ESPRESSO."""

    command: Command = Field(default=("pw.x",), description="starts pw.x")
    pseudopotential_folder: Path = Field(
        default=Path("/usr/share/espresso/pseudo"),
        description="folder of the files that a spec's pseudopotentials name",
    )


class JobflowRemoteSettings(_Section):
    """jobflow-remote, which runs flows elsewhere."""

    project: Word | None = Field(default=None, description="by default its own default")
    worker: Word | None = Field(default=None, description="by default the project's first")
    resources: dict[VariableName, bool | int | float | Word] = Field(
        default={}, description="asked of the queue, such as {nodes: 1}"
    )
    poll: float = Field(default=30.0, gt=0, description="interval of checks of the queue, s")
    walltime: float = Field(
        default=86400.0, gt=0, description="time that the queue gives a job, s; VASP stops before"
    )


class SlurmSettings(_Section):
    """Jobs of Slurm, one per worker."""

    cores: int = Field(default=1, ge=1, description="cores per job; for oracles that use threads")
    memory: str = Field(
        default="2 GB", pattern=r"^\d{1,9}(\.\d{1,3})? ?[MG]i?B$", description="memory per job"
    )
    walltime: Duration = Field(
        default=timedelta(hours=1),
        description="wall time per job; a new one follows before it ends",
    )
    partition: Plain | None = None
    account: Plain | None = None
    directives: dict[Directive, DirectiveValue] = Field(
        default={}, description="further options of sbatch, such as {constraint: avx512}"
    )


class DaskSettings(_Section):
    """A Dask scheduler that runs already. Who can speak to it can run anything on its workers, and
    it can run anything here: name your own.
    """

    address: str = Field(
        pattern=r"^(tcp|tls|ws|wss|ucx)://[A-Za-z0-9_.\[\]:-]+$",
        max_length=256,
        description="as the scheduler prints it, for example tcp://10.0.0.1:8786",
    )


class Profile(_Section):
    """Programs and schedulers of one place to run: a laptop, a cluster, a queue."""

    environment: dict[VariableName, Annotated[str, AfterValidator(_plain)]] = Field(
        default={},
        description="variables of the programs that are started here, and of Slurm jobs",
    )
    vasp: VaspSettings = Field(default_factory=VaspSettings)
    espresso: EspressoSettings = Field(default_factory=EspressoSettings)
    jobflow_remote: JobflowRemoteSettings = Field(default_factory=JobflowRemoteSettings)
    slurm: SlurmSettings = Field(default_factory=SlurmSettings)
    dask: DaskSettings | None = None


class Settings(_Section):
    """All settings of a user."""

    profiles: dict[ProfileName, Profile] = {}
