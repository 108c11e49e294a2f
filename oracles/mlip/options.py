"""Options of the mlip oracle; light, so that campaign specs can import them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field

from alloop.oracles.alloy_cells.options import CrystalOracleOptions
from alloop.oracles.options import TierWish
from alloop.paths import OwnFile
from alloop.properties import OF_ELASTIC_TENSOR, OF_RELAXED_CELL, units_of

if TYPE_CHECKING:
    from alloop.oracles.base import Oracle

MEASURABLE = (*OF_RELAXED_CELL, *OF_ELASTIC_TENSOR)
"""Properties that it measures: the first always, the others where one of them is asked for."""


def _measurable(name: str) -> str:
    if name not in MEASURABLE:
        known = ", ".join(MEASURABLE)
        raise ValueError(f"learned potentials measure no {name!r}; they measure {known}")
    return name


class MlipOptions(CrystalOracleOptions):
    """Relaxation, formation energy and moduli by a learned potential: CHGNet, SevenNet, or any
    installed ASE calculator (`alloop kinds` lists them with their errors); between classical
    potentials and DFT in cost, and no DFT result.

    Measured on 100 cubic binaries, bulk moduli are off from PBE's by 13.7 GPa with CHGNet, 8.8 with
    sevennet-0 and 7.1 with sevennet-l3i5; one evaluation of 54 atoms takes 0.4, 0.4 and 1.0
    processor seconds. All of them give Fe₃Ni the wrong sign of the formation energy, and bcc iron
    a bulk modulus that is far too low (83, 94 and 107 GPa; 170 measured).
    """

    kind: Literal["mlip"] = "mlip"
    model: str = Field(
        default="sevennet-0",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$",
        description="learned potential, by its name in `alloop kinds`: sevennet-l3i5 is the most "
        "accurate of those that come along, half as fast as sevennet-0 and chgnet",
    )
    weights: OwnFile | None = Field(
        default=None,
        description="file of weights in place of the package's own, such as fine-tuned ones; read "
        "as tensors. Nothing is ever downloaded",
    )
    properties: tuple[Annotated[str, AfterValidator(_measurable)], ...] = Field(
        default=("bulk_modulus",),
        description="properties to measure; energies, volume, density and bulk modulus come in any "
        "case, elastic constants where one is named here or, unless this is given, in the "
        "campaign",
    )
    strain: float = Field(
        default=0.01,
        ge=0,
        le=0.03,
        description="± strain of every length, for the moduli; 0: no moduli",
    )
    force_tolerance: float = Field(
        default=0.02, gt=0, description="largest force on an atom at the end, eV/Å"
    )
    stress_tolerance: float = Field(
        default=0.03, gt=0, description="largest stress left in a relaxed cell, GPa"
    )
    max_steps: int = Field(default=200, ge=1, description="largest number of steps of a relaxation")
    max_volume_change: float = Field(
        default=0.35,
        gt=0,
        le=2,
        description="largest change of the volume in a relaxation, as a share; more is a failure",
    )

    def check(self) -> None:
        """Check that moduli which are asked for can be had."""
        idle = [name for name in self.properties if name in OF_ELASTIC_TENSOR]
        if idle and not self.strain:
            raise ValueError(f"{idle[0]} needs a strain; remove strain: 0, or {idle[0]}")

    def with_properties(self, wanted: Iterable[str]) -> Self:
        """Return these options with the properties that are wanted of those that it measures,
        where none were asked for."""
        if "properties" in self.model_fields_set:
            return self
        named = (*self.properties, *(n for n in wanted if n in MEASURABLE))
        return self.model_copy(update={"properties": tuple(dict.fromkeys(named))})

    @property
    def is_elastic(self) -> bool:
        """Whether the elastic tensor is measured."""
        return self.strain > 0 and any(name in OF_ELASTIC_TENSOR for name in self.properties)

    def measures(self) -> Mapping[str, str]:
        """Return the unit of each property that a measurement gives, by name."""
        if not self.strain:
            return units_of(name for name in OF_RELAXED_CELL if name != "bulk_modulus")
        return units_of(MEASURABLE if self.is_elastic else OF_RELAXED_CELL)

    def unmeasured(self, elements: Sequence[str]) -> Mapping[str, str]:
        """Return that there are no energies against elements without a simple crystal."""
        from alloop.oracles.element_crystals import without_formation_energies  # noqa: PLC0415 (ASE waits)

        return without_formation_energies(elements)

    @classmethod
    def suggested_tier(cls, wish: TierWish) -> Mapping[str, Any]:
        """Return the keys of a tier of a first spec, with the usual potential; whether it covers
        the elements is checked like everything else."""
        del wish
        return {"kind": "mlip"}

    def starts_programs(self) -> bool:
        """Return False: the potential is evaluated in the worker."""
        return False

    def build(self, elements: Sequence[str]) -> "Oracle":
        """Return the oracle; raises ``MissingSoftware`` where package or weights are missing."""
        from alloop.oracles.alloy_cells.oracle import in_cells  # noqa: PLC0415 (pymatgen waits)
        from alloop.oracles.mlip.oracle import MlipOracle  # noqa: PLC0415 (ASE takes a while)

        return in_cells(MlipOracle(self, elements=elements), self.cells)

    def check_ready(self, elements: Sequence[str]) -> None:
        """Check as ``build`` does, without importing what evaluates."""
        from alloop.oracles.mlip.potentials.catalogue import find_learned_potential  # noqa: PLC0415

        potential = find_learned_potential(self.model)
        potential.check(elements)
        potential.weights_file(self.weights)

    def describe_run(self) -> str:
        """Say which potential measures, with which weights."""
        own = "" if self.weights is None else f", with weights from {self.weights}"
        return f"in the worker, by the learned potential {self.model}{own}"
