"""The campaign spec: one frozen record, checked when it is made."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from alloop.campaigns.acquisition import AcquisitionOptions, LocalSearchOptions
from alloop.campaigns.budget import Budget
from alloop.campaigns.checks import (
    check_budget,
    check_constraints,
    check_idle_options,
    check_properties,
    check_space,
    check_start,
    check_stopping,
    check_tiers,
    units_in,
)
from alloop.campaigns.execution import ExecutionOptions, LocalExecution
from alloop.campaigns.learning import LearningOptions
from alloop.campaigns.objectives import DERIVED, Constraint, Objective, OwnProperty, PropertyName
from alloop.campaigns.parts import ModelPart, TierPart, build_oracle
from alloop.campaigns.promotion import PromotionOptions
from alloop.campaigns.start import StartOptions
from alloop.campaigns.stopping import StoppingOptions
from alloop.oracles.options import SCHEDULING, OracleOptions, Recognises
from alloop.paths import OwnFile
from alloop.space import AnySpace

if TYPE_CHECKING:
    from alloop.oracles.base import Oracle


def _says_which_cache(value: Any) -> Any:
    if isinstance(value, bool | Path) or (isinstance(value, str) and value.strip()):
        return value
    raise ValueError(f"{value!r} is no folder; write true, false or the path of a folder")


class CampaignSpec(BaseModel):
    """Spec of one search: space, objectives, model, tiers and budget."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
        description="letters, digits, - and _; it names the run's folder",
    )
    seed: int = Field(default=0, ge=0)
    space: AnySpace
    properties: Mapping[PropertyName, OwnProperty] = Field(
        default_factory=dict,
        description="your own, with units: {overpotential: {unit: V}}",
    )
    objectives: tuple[Objective, ...] = Field(min_length=1)
    scalarisation: Literal["weighted-sum"] | None = Field(
        default=None,
        description="with several objectives: null searches for their Pareto front; weighted-sum "
        "for the largest sum of weight × value / scale",
    )
    constraints: tuple[Constraint, ...] = ()
    model: ModelPart = Field(
        default_factory=dict,
        validate_default=True,
        description="without a kind, the one whose own the space is",
    )
    learning: LearningOptions = Field(default_factory=LearningOptions)
    acquisition: AcquisitionOptions = Field(default_factory=AcquisitionOptions)
    augmentation: LocalSearchOptions | None = None
    tiers: tuple[TierPart, ...] = Field(min_length=1)
    promotion: PromotionOptions = Field(default_factory=PromotionOptions)
    start: StartOptions | None = Field(
        default=None, description="what is known already; it costs nothing"
    )
    budget: Budget = Field(default_factory=Budget)
    stop: StoppingOptions = Field(default_factory=StoppingOptions)
    execution: ExecutionOptions = Field(default_factory=LocalExecution)
    cache: Annotated[bool | OwnFile, BeforeValidator(_says_which_cache)] = Field(
        default=True,
        description="labels of other campaigns are reused, and kept for them: true, false, or the "
        "folder; true means the folder that ALLOOP_CACHE names, or the user's cache",
    )

    @field_validator("tiers")
    @classmethod
    def _tiers_measure_what_is_wanted(
        cls, tiers: tuple[OracleOptions, ...], info: ValidationInfo
    ) -> tuple[OracleOptions, ...]:
        wishes = (*info.data.get("objectives", ()), *info.data.get("constraints", ()))
        names = [wish.property for wish in wishes]
        return tuple(tier.with_properties([*names, *tier.gate]) for tier in tiers)

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        check_properties(self)
        check_constraints(self)
        check_space(self)
        check_budget(self)
        check_start(self)
        check_tiers(self)
        check_idle_options(self)
        check_stopping(self)
        return self

    def scheduling(self) -> dict[str, Any]:
        """Return, as plain values, the keys that say where, how long and how often it runs.

        A run may be continued with others: they are written down, and change no value and no
        rule of choice.
        """
        data = self.model_dump(mode="json")
        tiers = [{key: tier[key] for key in tier if key in SCHEDULING} for tier in data["tiers"]]
        return {
            "execution": data["execution"],
            "cache": data["cache"],
            "tiers": tiers,
            "wall_time": data["budget"]["wall_time"],
        }

    def with_scheduling(self, scheduling: Mapping[str, Any]) -> "CampaignSpec":
        """Return the campaign, run as another spec's ``scheduling`` says."""
        data = self.model_dump(mode="json")
        tiers = zip(data["tiers"], scheduling["tiers"], strict=True)
        limit = {key: scheduling[key] for key in ("wall_time",) if key in scheduling}
        merged = {
            "execution": scheduling["execution"],
            "cache": scheduling["cache"],
            "tiers": [old | new for old, new in tiers],
            "budget": data["budget"] | limit,
        }
        return CampaignSpec.model_validate({**data, **merged})

    def build_oracles(self) -> "tuple[Oracle, ...]":
        """Return one oracle per tier.

        Raises:
            AlloopError: if a potential, engine or table that one of them needs is not at hand.
        """
        return tuple(build_oracle(tier, self.space.elements) for tier in self.tiers)

    def units(self) -> Mapping[str, str]:
        """Return the unit of every property that the campaign may name, by name."""
        return units_in(self)

    def property_names(self) -> tuple[str, ...]:
        """Return the properties that objectives and constraints name, each once."""
        named = [wish.property for wish in (*self.objectives, *self.constraints)]
        return tuple(dict.fromkeys(named))

    @property
    def recognises_rows(self) -> bool:
        """Whether a candidate of any coordinates has to be one of the first tier's rows."""
        first = self.tiers[0]
        return isinstance(first, Recognises) and first.recognises

    @property
    def draws_rows(self) -> bool:
        """Whether random candidates are rows of the first tier's table, rather than drawn from the
        space."""
        return self.acquisition.candidates == "table" or self.recognises_rows

    def required_properties(self, tier: int) -> tuple[str, ...]:
        """Return the properties that a tier has to measure, for the campaign or for its own gate:
        what a property is derived from stands for it, unless the tier measures it itself.
        """
        given = self.tiers[tier].measures()
        asked = (*self.property_names(), *self.tiers[tier].gate)
        names = (name if name in given else DERIVED.get(name, name) for name in asked)
        return tuple(dict.fromkeys(names))
