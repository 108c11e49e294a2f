"""Options of the LAMMPS oracle; light, so that campaign specs can import them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class LammpsOptions(BaseModel):
    """Relaxation and bulk modulus by LAMMPS with a classical potential."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["lammps"] = "lammps"
    potential: str = Field(description="a name from `alloop potentials`, e.g. NiFeCr-Wu2017")
    strain: float = Field(default=1e-4, gt=0, le=0.02, description="± isotropic strain for B")
    force_tolerance: float = Field(default=1e-6, gt=0, description="eV/Å, largest component")
    max_iterations: int = Field(default=10_000, ge=1)
    timeout: float = Field(default=120.0, gt=0, description="seconds for one measurement")
    promote: int = Field(
        default=0, ge=0, description="best candidates of the tier below to measure, per round"
    )
