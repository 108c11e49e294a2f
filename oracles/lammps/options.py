"""Options of the LAMMPS oracle; light, so that campaign specs can import them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)

from alloop.elements import checked_symbol
from alloop.errors import PotentialError
from alloop.oracles.alloy_cells.options import CrystalOracleOptions
from alloop.oracles.lammps.properties import AT_TEMPERATURE, SIMULATION, Simulation
from alloop.oracles.options import TierWish
from alloop.paths import OwnFile
from alloop.properties import units_of

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from alloop.oracles.base import Oracle
    from alloop.oracles.remeasuring import RemeasuringInput

MAX_WARM_START_ATOMS = 400
"""Largest number of atoms of a cell whose second derivatives are kept, for a warm start: 23 MB for
each ordering."""

PairStyle = Literal["eam", "eam/alloy", "eam/fs", "meam", "snap", "sw", "tersoff"]
"""Supported pair styles; LAMMPS's others are refused."""

LABEL = re.compile(r"[A-Za-z][A-Za-z0-9_()+-]{0,15}")
"""Pattern of an element's name in a parameter file; it goes into LAMMPS's command line."""


def _label(name: str) -> str:
    if not LABEL.fullmatch(name):
        raise ValueError(f"{name!r} cannot be the name of an element in a parameter file")
    return name


class OwnPotential(BaseModel):
    """A potential of the user's: parameter files by path, in LAMMPS's metal units."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    pair_style: PairStyle
    files: tuple[OwnFile, ...] = Field(
        min_length=1,
        description="eam: one per element; meam: library, parameters; snap: coefficients, "
        "parameters; else the one",
    )
    elements: tuple[Annotated[str, AfterValidator(checked_symbol)], ...] = Field(
        min_length=1, description="eam and meam: in the order of the files' indices"
    )
    labels: tuple[Annotated[str, AfterValidator(_label)], ...] = Field(
        default=(), description="names of the elements in the files, where they differ"
    )
    sha256: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")], ...] = Field(
        default=(), description="SHA-256 of each file, to be checked; as found if left out"
    )
    citation: str = ""

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        n_files = {"eam": len(self.elements), "meam": 2, "snap": 2}.get(self.pair_style, 1)
        if len(self.files) != n_files:
            raise ValueError(
                f"pair style {self.pair_style} takes {n_files} files here, not {len(self.files)}"
            )
        if len(set(self.elements)) != len(self.elements):
            raise ValueError(f"elements {list(self.elements)} names one twice")
        for key, values, n in (
            ("labels", self.labels, len(self.elements)),
            ("sha256", self.sha256, n_files),
        ):
            if values and len(values) != n:
                raise ValueError(f"{key} has {len(values)} entries for {n}; give one for each")
        return self


def _own_by_its_keys(value: Any, info: ValidationInfo) -> Any:
    """Read a mapping as an own potential, so that what is wrong in it is said with its key."""
    if isinstance(value, Mapping):
        return OwnPotential.model_validate(value, context=info.context)
    return value


PotentialOption = Annotated[str | OwnPotential, BeforeValidator(_own_by_its_keys)]
"""Potential by name, or of the user's own."""


class SystemOptions(BaseModel):
    """A potential for materials of exactly these elements."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    elements: tuple[Annotated[str, AfterValidator(checked_symbol)], ...] = Field(min_length=1)
    potential: PotentialOption


def _once_each(systems: tuple[SystemOptions, ...]) -> tuple[SystemOptions, ...]:
    sets = [frozenset(system.elements) for system in systems]
    if twice := [each for i, each in enumerate(sets) if each in sets[:i]]:
        raise ValueError(f"{'-'.join(sorted(twice[0]))} has two potentials; give one")
    return systems


class DynamicsOptions(BaseModel):
    """Molecular dynamics at a temperature and zero pressure."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    temperature: float = Field(default=300.0, gt=0, le=10_000, description="temperature, K")
    equilibrate: float = Field(default=5.0, gt=0, description="time before anything is sampled, ps")
    sample: float = Field(default=20.0, gt=0, description="time that is averaged over, ps")
    time_step: float = Field(
        default=2.0, gt=0, le=10, description="time step, fs; 0.5 with hydrogen"
    )
    atoms: int = Field(
        default=250, ge=1, description="the cell is repeated to at least so many, for less noise"
    )


def _measurable(name: str) -> str:
    if name not in SIMULATION:
        raise ValueError(f"LAMMPS measures no {name!r}; it measures {', '.join(SIMULATION)}")
    return name


class LammpsOptions(CrystalOracleOptions):
    """Relaxation and bulk modulus by LAMMPS with a classical potential, and what else is asked.

    The defaults give the published bulk moduli of Ni–Cr and fcc Ni–Fe–Cr cells within 0.001 GPa.
    The strain is the published one: a larger one crosses kinks of the potential (at 1e-4 some bcc
    alloys change by 0.5 GPa). The forces left over must be small against those that the strain
    brings about, hence the tight tolerance.
    """

    kind: Literal["lammps"] = "lammps"
    potential: PotentialOption = Field(
        description="a name from `alloop potentials`, e.g. NiFeCr-Wu2017, or one's own files"
    )
    systems: Annotated[tuple[SystemOptions, ...], AfterValidator(_once_each)] = Field(
        default=(),
        description="other potentials for some sets of elements, each {elements, potential}; "
        "energies compare within a set only",
    )
    properties: tuple[Annotated[str, AfterValidator(_measurable)], ...] = Field(
        default=("bulk_modulus",),
        description="properties to measure; energy, volume, density and bulk modulus come in any "
        "case, and in a campaign, unless this is given, those its objectives and "
        "constraints name",
    )
    strain: float = Field(default=1e-6, gt=0, le=0.02, description="± strain for the moduli")
    force_tolerance: float = Field(
        default=3e-9, gt=0, description="largest component of a force after relaxation, eV/Å"
    )
    max_evaluations: int = Field(
        default=1000, ge=1, description="force evaluations per relaxation; about 40 are usual"
    )
    dynamics: DynamicsOptions = Field(default_factory=DynamicsOptions)
    threads: int = Field(
        default=1,
        ge=1,
        le=256,
        description="OpenMP threads per worker; for large cells, and not with meam or snap. "
        "There are no MPI ranks: LAMMPS runs inside the worker's process, which is one rank",
    )
    timeout: float | None = Field(
        default=120.0, gt=0, description="time limit of one measurement, s; null: no limit"
    )

    def check(self) -> None:
        """Check that molecular dynamics are asked for where their options are given."""
        if self.dynamics != DynamicsOptions() and not AT_TEMPERATURE & self.simulations():
            names = [n for n, which in SIMULATION.items() if which in AT_TEMPERATURE]
            raise ValueError(
                "dynamics does nothing: no property asks for molecular dynamics; add one of "
                f"{', '.join(names)} to properties, or remove dynamics"
            )

    def with_properties(self, wanted: Iterable[str]) -> Self:
        """Return these options with the properties that are wanted of those that LAMMPS measures,
        where none were asked for.
        """
        if "properties" in self.model_fields_set:
            return self
        named = (*self.properties, *(name for name in wanted if name in SIMULATION))
        return self.model_copy(update={"properties": tuple(dict.fromkeys(named))})

    def measures(self) -> Mapping[str, str]:
        """Return the unit of each property that a measurement gives, by name."""
        asked = {Simulation.STRAINS, *self.simulations()}
        return units_of(name for name, simulation in SIMULATION.items() if simulation in asked)

    @classmethod
    def suggested_tier(cls, wish: TierWish) -> Mapping[str, Any]:
        """Return the keys of a tier of a first spec, with the first potential of the catalogue that
        covers the elements; raises ``PotentialError`` where none does."""
        from alloop.oracles.lammps.potentials.catalogue import list_potentials  # noqa: PLC0415

        wanted = set(wish.elements)
        found = next((p for p in list_potentials() if wanted <= set(p.elements)), None)
        if found is None:
            raise PotentialError(
                f"no potential that comes along covers {', '.join(wish.elements)} together",
                remedy="Take another kind of tier, or give a potential of your own by its files.",
            )
        return {"kind": "lammps", "potential": found.name}

    def starts_programs(self) -> bool:
        """Return False: LAMMPS is a library in the worker."""
        return False

    def build(self, elements: Sequence[str]) -> "Oracle":
        """Return the oracle; raises ``PotentialError`` where no potential covers the elements."""
        from alloop.oracles.alloy_cells.oracle import in_cells  # noqa: PLC0415 (pymatgen waits)
        from alloop.oracles.lammps.systems import lammps_oracle  # noqa: PLC0415 (LAMMPS waits)

        return in_cells(lammps_oracle(self, elements=elements), self.cells)

    def check_ready(self, elements: Sequence[str]) -> None:
        """Check as ``build`` does, without importing what simulates."""
        from alloop.oracles.lammps.readiness import check_lammps  # noqa: PLC0415

        check_lammps(self, elements)

    @property
    def max_warm_start_atoms(self) -> int:
        """Atoms of the largest cell whose second derivatives are kept."""
        return MAX_WARM_START_ATOMS

    def remeasuring_input(
        self, relaxed: "Structure", properties: Mapping[str, float], remarks: Mapping[str, str]
    ) -> "RemeasuringInput":
        """See ``CanRemeasure``."""
        from alloop.oracles.lammps.plain_input import plain_input  # noqa: PLC0415 (pymatgen waits)

        return plain_input(self, relaxed, properties, remarks)

    def simulations(self) -> frozenset[Simulation]:
        """Return the simulations that the properties ask for."""
        return frozenset(SIMULATION[name] for name in self.properties)
