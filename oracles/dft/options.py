"""Options of the DFT oracle; light, so that campaign specs can import them."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from alloop.elements import is_element
from alloop.oracles.alloy_cells.options import CrystalOracleOptions
from alloop.oracles.options import TierWish
from alloop.properties import ELASTIC_CONSTANTS, units_of
from alloop.settings.moved import refuse_moved
from alloop.settings.names import DEFAULT, ProfileName

if TYPE_CHECKING:
    from alloop.oracles.base import Oracle

EngineName = Literal["chgnet", "sevennet", "vasp", "espresso"]
DftProtocol = Literal["static", "relax", "formation_energy", "elastic"]
ManagerName = Literal["local", "jobflow-remote"]

TIMEOUTS = {"chgnet": 600.0, "sevennet": 600.0, "vasp": 86400.0, "espresso": 86400.0}
"""Seconds for one measurement unless the spec says otherwise."""

QUEUE_TIMEOUT = 30 * 86400.0
"""Seconds for one measurement where jobs wait in a queue: what still waits is alive, and not for
the campaign to give up."""

TEMPERATURE = 300.0
"""Temperature of transport unless the spec says otherwise, K."""
RELAXATION_TIME = 1e-14
"""Relaxation time of carriers unless the spec says otherwise, s; the same for all, as in F. Ricci
et al., Sci. Data 4 (2017) 170085. Power factors are proportional to this assumption."""

_TEXT = re.compile(r"[A-Za-z0-9_ .,:+*()-]{1,1000}")
"""Text that cannot end a value and begin another tag or namelist: no line break, quotation mark,
semicolon, slash, equals sign."""


def _one_value(value: bool | int | float | str) -> bool | int | float | str:
    if isinstance(value, str) and not _TEXT.fullmatch(value):
        raise ValueError(f"{value!r} is more than a value: write letters, digits and _ .,:+*()-")
    return value


Scalar = Annotated[bool | int | float | str, AfterValidator(_one_value)]
"""Value of an INCAR tag or a pw.x input key."""

Tag = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*(\([0-9, ]+\))?$", max_length=64)]
"""Name of an INCAR tag or of a key in pw.x's input, such as ``Hubbard_U(1)``."""

InputSet = Literal["relax", "tight-relax", "mp-gga-relax"]
"""Input sets of VASP: those of atomate2's makers RelaxMaker, TightRelaxMaker and MPGGARelaxMaker.
Names of ours, since nothing is ever imported by a name that a spec has."""

FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,127}$")]
"""Name of a file in a folder that the settings name."""


def _known_elements(moments: dict[str, float]) -> dict[str, float]:
    if unknown := [symbol for symbol in moments if not is_element(symbol)]:
        raise ValueError(f"{', '.join(unknown)} is no element; write symbols such as Fe")
    return moments


Moments = Annotated[dict[str, float], AfterValidator(_known_elements)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class ChgnetOptions(_Part):
    """Options of CHGNet, a learned potential trained on DFT; its results are no DFT results."""

    model: Literal["0.3.0", "r2scan"] = Field(
        default="0.3.0", description="weights shipped with chgnet: trained on PBE, or on r2SCAN"
    )


class SevennetOptions(_Part):
    """Options of SevenNet, a learned potential trained on DFT; its results are no DFT results."""

    model: Literal["7net-0", "7net-l3i5"] = Field(
        default="7net-0",
        description="weights shipped with sevenn, trained on PBE: 7net-l3i5 is more accurate and "
        "twice as slow",
    )


class VaspOptions(_Part):
    """Level of theory of VASP. How it is run stands in the settings, as a profile's ``vasp``."""

    inputs: InputSet = Field(default="relax", description="input set that all else is laid over")
    functional: Literal["PBE", "PBEsol"] = "PBE"
    incar: dict[Tag, Scalar] = Field(default={}, description="INCAR tags over the maker's own")
    kpoints: dict[Tag, float] = Field(
        default={},
        description="settings of the input-set generator, e.g. {reciprocal_density: 100}",
    )
    potcar_family: Literal["PBE", "PBE_52", "PBE_54", "PBE_64"] | None = Field(
        default=None, description="family of POTCARs; by default the maker's"
    )
    potcars: dict[str, FileName] = Field(
        default={}, description="POTCAR of an element, e.g. {Fe: Fe_pv}"
    )

    @model_validator(mode="before")
    @classmethod
    def _how_is_for_the_settings(cls, data: Any) -> Any:
        keys = ("command", "gamma_command", "potcar_spec", "poll")
        return refuse_moved(cls.__name__, data, {key: f"vasp.{key}" for key in keys})


class EspressoOptions(_Part):
    """Level of theory of Quantum ESPRESSO. How pw.x is run stands in the settings, as a profile's
    ``espresso``."""

    pseudopotentials: dict[str, FileName] = Field(
        default={
            "Cr": "Cr.pbe-spn-kjpaw_psl.1.0.0.UPF",
            "Fe": "Fe.pbe-nd-rrkjus.UPF",
            "Ni": "Ni.pbe-nd-rrkjus.UPF",
        },
        description="file per element",
    )
    cutoff: float = Field(default=50.0, gt=0, description="cutoff of the wave functions, Ry")
    density_cutoff: float = Field(
        default=480.0, gt=0, description="cutoff of the charge density, Ry"
    )
    smearing: float = Field(default=0.02, gt=0, description="Marzari-Vanderbilt, Ry")
    kspacing: float = Field(
        default=0.2, gt=0, le=1, description="largest step of the mesh in 1/Å, 2π included"
    )
    system: dict[Tag, Scalar] = Field(default={}, description="more of pw.x's &SYSTEM")

    @model_validator(mode="before")
    @classmethod
    def _how_is_for_the_settings(cls, data: Any) -> Any:
        keys = ("command", "pseudopotential_folder")
        return refuse_moved(cls.__name__, data, {key: f"espresso.{key}" for key in keys})


class TransportOptions(_Part):
    """Thermoelectric power factor after the relaxation, µW/(cm K²): the engine's bands on a dense
    mesh, and Boltzmann's equation with one relaxation time by BoltzTraP2, which has to be installed
    where the jobs run. The largest value over carrier concentrations of 10¹⁶ to 10²¹ per cm³, n and
    p, mean over directions."""

    temperature: float = Field(default=TEMPERATURE, gt=0, le=2000, description="K")
    relaxation_time: float = Field(
        default=RELAXATION_TIME,
        gt=0,
        le=1e-9,
        description="of all carriers, s; power factors are proportional to it",
    )
    kpoint_density: float = Field(
        default=1000.0,
        gt=0,
        le=1e5,
        description="mesh of the bands: k-points per Å⁻³ of the reciprocal cell",
    )


class DftOptions(CrystalOracleOptions):
    """Relaxed cells, formation energies and bulk moduli by DFT, or by CHGNet or SevenNet, learned
    potentials trained on DFT, where DFT cannot be had. The engines' settings can stand side by
    side, so that one campaign runs on a laptop and on a cluster; only those of ``engine`` are used.

    ``static`` gives energy_per_atom, volume_per_atom and density as proposed, and band_gap by DFT.
    ``relax`` relaxes first and adds bulk_modulus, ``formation_energy`` adds
    formation_energy_per_atom against the elements at the same level, ``elastic`` the elastic tensor
    and shear_modulus.
    """

    kind: Literal["dft"] = "dft"
    engine: EngineName = "chgnet"
    protocol: DftProtocol = "formation_energy"
    end_members: bool = Field(
        default=False,
        description="compute the binaries' ordered cells too, for energy_above_hull",
    )
    strain: float = Field(
        default=0.01,
        ge=0,
        le=0.03,
        description="± strain of every length, for bulk_modulus; 0: none",
    )
    transport: TransportOptions | None = Field(
        default=None,
        description="power_factor of the relaxed cell, by BoltzTraP2: {} for its defaults; engines "
        "vasp and espresso",
    )
    force_tolerance: float = Field(
        default=0.03, gt=0, description="largest force on an atom at the end, eV/Å"
    )
    max_steps: int = Field(default=200, ge=1, description="largest number of steps of a relaxation")
    max_volume_change: float = Field(
        default=0.35,
        gt=0,
        le=2,
        description="largest change of the volume in a relaxation, as a share; more is a failure",
    )
    spin: bool = True
    magmoms: Moments = Field(default={}, description="initial moments in µB, e.g. {Fe: 2.5}")
    chgnet: ChgnetOptions = Field(default_factory=ChgnetOptions)
    sevennet: SevennetOptions = Field(default_factory=SevennetOptions)
    vasp: VaspOptions = Field(default_factory=VaspOptions)
    espresso: EspressoOptions = Field(default_factory=EspressoOptions)
    manager: ManagerName = "local"
    profile: ProfileName = Field(
        default=DEFAULT,
        description="profile of your settings that says how the engine is run, and where; see "
        "`alloop settings`",
    )
    cores: int = Field(
        default=1, ge=1, description="cores that one calculation uses, to settle its cost"
    )
    folder: Path | None = Field(
        default=None, description="folder of jobs and references; by default the user's cache"
    )

    @model_validator(mode="before")
    @classmethod
    def _where_is_for_the_settings(cls, data: Any) -> Any:
        return refuse_moved(cls.__name__, data, {"remote": "jobflow_remote"})

    @model_validator(mode="before")
    @classmethod
    def _usual_timeout(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "timeout" in data:
            return data
        engine, manager = data.get("engine", "chgnet"), data.get("manager", "local")
        usual = QUEUE_TIMEOUT if manager == "jobflow-remote" else TIMEOUTS.get(str(engine))
        return data if usual is None else {**data, "timeout": usual}

    @property
    def learned_model(self) -> str | None:
        """Model of the engine where that is a learned potential; None where it is DFT."""
        models = {"chgnet": self.chgnet.model, "sevennet": self.sevennet.model}
        return models.get(self.engine)

    def measures(self) -> Mapping[str, str]:
        """Return the unit of each property that a measurement gives, by name."""
        given = {"energy_per_atom", "volume_per_atom", "density"}
        if self.learned_model is None:
            given.add("band_gap")
        if self.protocol in ("formation_energy", "elastic"):
            given.add("formation_energy_per_atom")
        if self.end_members:
            given.add("energy_above_hull")
        if self.protocol == "elastic":
            given |= {*ELASTIC_CONSTANTS, "shear_modulus"}
        if self.protocol == "elastic" or (self.protocol != "static" and self.strain):
            given.add("bulk_modulus")
        if self.transport is not None:
            given.add("power_factor")
        return units_of(sorted(given))

    def unmeasured(self, elements: Sequence[str]) -> Mapping[str, str]:
        """Return that there are no energies against elements without a simple crystal."""
        from alloop.oracles.element_crystals import without_formation_energies  # noqa: PLC0415 (ASE waits)

        return without_formation_energies(elements)

    @classmethod
    def suggested_tier(cls, wish: TierWish) -> Mapping[str, Any]:
        """Return the keys of a tier of a first spec: a learned potential, which needs no licence
        and covers all usual elements."""
        del wish
        return {"kind": "dft", "engine": "chgnet"}

    def build(self, elements: Sequence[str]) -> "Oracle":
        """Return the oracle; raises ``MissingSoftware`` where the engine is not installed."""
        from alloop.oracles.alloy_cells.oracle import in_cells  # noqa: PLC0415 (pymatgen waits)
        from alloop.oracles.dft.oracle import DftOracle  # noqa: PLC0415 (atomate2 takes seconds)

        return in_cells(DftOracle(self, elements=elements), self.cells)

    def check_ready(self, elements: Sequence[str]) -> None:
        """Check as ``build`` does, but start no program; of learned potentials on this machine
        without importing atomate2."""
        if self.learned_model is not None and self.manager == "local":
            from alloop.oracles.dft.readiness import check_learned  # noqa: PLC0415

            return check_learned(self, elements)
        from alloop.oracles.dft.factory import check_engine  # noqa: PLC0415

        return check_engine(self, elements)

    def starts_programs(self) -> bool:
        """Return whether it is anything but a learned potential in the worker."""
        return self.learned_model is None or self.manager != "local"

    def describe_run(self) -> str:
        """Say which engine measures, how it is started, and by which profile."""
        from alloop.oracles.dft.factory import describe_engine  # noqa: PLC0415

        return describe_engine(self)

    @model_validator(mode="after")
    def _settings_agree(self) -> Self:
        if self.end_members and self.protocol in ("static", "relax"):
            raise ValueError(
                f"end_members are for formation energies; protocol {self.protocol} gives none"
            )
        if self.protocol == "static":
            fields = type(self).model_fields
            idle = ("strain", "force_tolerance", "max_steps", "max_volume_change")
            if said := [key for key in idle if getattr(self, key) != fields[key].default]:
                raise ValueError(
                    f"{said[0]} does nothing with protocol static, which relaxes nothing; remove "
                    "it, or take another protocol"
                )
        if self.transport is not None and self.learned_model is not None:
            raise ValueError(
                f"transport needs the bands of electrons, which engine {self.engine} does not "
                "give; take engine: espresso or vasp, or remove transport"
            )
        if self.magmoms and not self.spin:
            raise ValueError("magmoms does nothing with spin false; remove one of them")
        if self.espresso.density_cutoff < 4 * self.espresso.cutoff:
            raise ValueError("espresso.density_cutoff is at least four times espresso.cutoff")
        return self
