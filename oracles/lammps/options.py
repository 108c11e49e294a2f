"""Options of the LAMMPS oracle; light, so that campaign specs can import them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class LammpsOptions(BaseModel):
    """Relaxation and bulk modulus by LAMMPS with a classical potential.

    The defaults give the published bulk moduli of Ni–Cr and fcc Ni–Fe–Cr cells within 0.001 GPa.
    The strain is the published one: a larger one crosses kinks of the potential (at 1e-4 some bcc
    alloys change by 0.5 GPa). The forces left over must be small against those that the strain
    brings about, hence the tight tolerance.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["lammps"] = "lammps"
    potential: str = Field(description="a name from `alloop potentials`, e.g. NiFeCr-Wu2017")
    strain: float = Field(default=1e-6, gt=0, le=0.02, description="± isotropic strain for B")
    force_tolerance: float = Field(default=3e-9, gt=0, description="eV/Å, largest component")
    max_evaluations: int = Field(
        default=1000, ge=1, description="force evaluations per relaxation; about 40 are usual"
    )
    timeout: float = Field(default=120.0, gt=0, description="seconds for one measurement")
    promote: int = Field(
        default=0, ge=0, description="best candidates of the tier below to measure, per round"
    )
