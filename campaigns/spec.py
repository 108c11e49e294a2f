"""What a campaign is: one frozen record, checked when it is made."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
    field_validator,
    model_validator,
)

from alloop.campaigns.objectives import DERIVED, OF_ELECTRONS, UNITS, Constraint, Objective
from alloop.campaigns.promotion import PromotionOptions
from alloop.campaigns.space import AnySpace, Compositions, Decorations, Structures
from alloop.models.dvae.options import DvaeOptions
from alloop.models.ftcp.options import FtcpOptions
from alloop.models.lattice.options import LatticeOptions
from alloop.models.pcdvae.options import PcdvaeOptions
from alloop.oracles.dft.options import DftOptions
from alloop.oracles.lammps.options import MOST_IN_SEARCH, LammpsOptions
from alloop.oracles.person.options import PersonOptions
from alloop.oracles.scheduling import SCHEDULING
from alloop.oracles.table.options import TableOptions
from alloop.paths import OwnFile

_DURATION = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(s|sec|min|h|d)\s*$")
_SECONDS = {"s": 1, "sec": 1, "min": 60, "h": 3600, "d": 86400}


def _duration(value: Any) -> Any:
    if isinstance(value, timedelta) or value is None:
        return value
    if isinstance(value, str) and (match := _DURATION.match(value)):
        return timedelta(seconds=float(match[1]) * _SECONDS[match[2]])
    raise ValueError(f"{value!r} is not a length of time; write it like 90 s, 5 min, 2 h or 1 d")


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(lambda length: f"{length.total_seconds():g} s", return_type=str),
]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AcquisitionOptions(_Part):
    """How the next candidates are chosen."""

    strategy: Literal["latent-bo", "uncertainty", "random"] = Field(
        default="latent-bo",
        description="search for the best; or for what the model is unsure of, to learn the whole "
        "space; random is the baseline to compare with",
    )
    candidates: Literal["space", "table"] = Field(
        default="space",
        description="what may be chosen: anything, or rows of the first tier's table",
    )
    batch: int = Field(default=16, ge=1, description="candidates measured per round")
    pool: int = Field(default=128, ge=1, description="latent points decoded per round")
    trust_region: float = Field(
        default=0.4, gt=0, le=2, description="first edge of the region, in the latents' own spread"
    )
    aim: Literal["first-tier", "top-tier"] = Field(
        default="first-tier",
        description="whose values are to be good: the first tier's, or what the top tier is "
        "expected to say, once five candidates were measured by both (see promotion.when)",
    )


class LocalSearchOptions(_Part):
    """Swap unlike atoms, measure, keep the best: labels made around good candidates."""

    kind: Literal["local-search"] = "local-search"
    parents: int = Field(default=2, ge=1, description="best candidates of the round to start from")
    iterations: int = Field(default=5, ge=1)
    swaps: int = Field(default=8, ge=1, description="neighbours measured per iteration")
    warm_start: bool = Field(
        default=False,
        description="relax each neighbour from where its parent is at rest: faster where a search "
        "has more neighbours than its cell has atoms; LAMMPS only",
    )


Limit = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Budget(_Part):
    """Totals over the whole campaign, however often it was resumed."""

    initial: int = Field(default=64, ge=2, description="random candidates before the first model")
    rounds: int = Field(default=6, ge=0)
    measurements: tuple[int, ...] = Field(default=(600,), description="calls, one total per tier")
    core_hours: tuple[Limit | None, ...] = Field(
        default=(), description="one total per tier, null for no limit; by default none has any"
    )
    money: tuple[Limit | None, ...] = Field(
        default=(), description="likewise, in your currency; core_hour_price says what a tier costs"
    )
    wall_time: Duration | None = Field(default=None, description="for example 5 min")

    def limits(self, tier: int) -> tuple[float | None, float | None]:
        """Return how many core-hours and how much money a tier may spend; None: any."""
        return (
            self.core_hours[tier] if self.core_hours else None,
            self.money[tier] if self.money else None,
        )

    @model_validator(mode="after")
    def _is_positive(self) -> Self:
        if any(n < 1 for n in self.measurements):
            raise ValueError(f"measurements {list(self.measurements)}: each total is at least 1")
        if self.measurements and self.initial > self.measurements[0]:
            raise ValueError(
                f"initial ({self.initial}) is more than all measurements "
                f"({self.measurements[0]}); lower it or raise measurements"
            )
        return self


class LocalExecution(_Part):
    """Worker processes on this machine."""

    kind: Literal["local"] = "local"
    workers: int = Field(default=2, ge=1, le=1024)


class DaskExecution(_Part):
    """The workers of a Dask scheduler that runs already.

    They must see the run's folder under the same path, and have the same Alloop installed.
    """

    kind: Literal["dask"]
    address: str = Field(
        pattern=r"^(tcp|tls|ws|wss|ucx)://[A-Za-z0-9_.\[\]:-]+$",
        description="as the scheduler prints it, for example tcp://10.0.0.1:8786",
    )
    workers: int = Field(
        default=2, ge=1, le=1024, description="about how many there are; decides what is queued"
    )


class SlurmExecution(_Part):
    """One Slurm job per worker, submitted from where the controller runs and renewed as they end.

    Jobs inherit the environment of the controller and must see the run's folder under the same
    path. There are no shell commands here: a campaign from elsewhere must not run any.
    """

    kind: Literal["slurm"]
    workers: int = Field(default=2, ge=1, le=1024, description="jobs")
    cores: int = Field(default=1, ge=1, description="per job; for oracles that use threads")
    memory: str = Field(default="2 GB", pattern=r"^\d+(\.\d+)? ?[MG]i?B$", description="per job")
    walltime: Duration = Field(
        default=timedelta(hours=1), description="per job; a new one follows before it ends"
    )
    partition: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.,-]+$")
    account: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.-]+$")
    directives: tuple[Annotated[str, Field(pattern=r"^--[a-z][a-z-]*(=[\w.,:/@+-]+)?$")], ...] = (
        Field(default=(), description="further #SBATCH options, such as --constraint=avx512")
    )


def _says_which_cache(value: Any) -> Any:
    if isinstance(value, bool | Path) or (isinstance(value, str) and value.strip()):
        return value
    raise ValueError(f"{value!r} is no folder; write true, false or the path of a folder")


def _local_unless_said(value: Any) -> Any:
    return {"kind": "local", **value} if isinstance(value, dict) else value


ExecutionOptions = Annotated[
    LocalExecution | DaskExecution | SlurmExecution,
    Field(discriminator="kind"),
    BeforeValidator(_local_unless_said),
]


ModelOptions = Annotated[
    LatticeOptions | PcdvaeOptions | FtcpOptions | DvaeOptions, Field(discriminator="kind")
]
"""What learns, and proposes."""

SPACES_OF = {
    "lattice": ("decorations",),
    "pcdvae": ("decorations", "structures"),
    "ftcp": ("structures",),
    "dvae": ("compositions",),
}
"""The kinds of space that each kind of model can learn, its own one first."""

TierOptions = Annotated[
    LammpsOptions | DftOptions | TableOptions | PersonOptions, Field(discriminator="kind")
]
"""An oracle, and its place in the order of cost."""


def _usual_model_unless_said(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, dict) or "kind" in value:
        return value
    space = info.data.get("space")  # absent where it is wrong, which is complained of by itself
    own = [kind for kind, spaces in SPACES_OF.items() if space and space.kind == spaces[0]]
    return {"kind": own[0], **value} if own else LatticeOptions()


def electronic_property_hint(missing: Sequence[str]) -> str:
    """Say where properties of electrons come from, rather than leave the user searching."""
    if not (of_electrons := [name for name in missing if name in OF_ELECTRONS]):
        return ""
    return (
        f". A learned potential knows no electrons: {of_electrons[0]} comes from DFT, by way of a "
        "table of its results (kind: table) or of a person who enters them (kind: person)"
    )


class CampaignSpec(_Part):
    """One search: what may be proposed, what is wanted, how it is measured, and the budget."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
        description="letters, digits, - and _; it names the run's folder",
    )
    seed: int = Field(default=0, ge=0)
    space: AnySpace
    objectives: tuple[Objective, ...] = Field(min_length=1)
    constraints: tuple[Constraint, ...] = ()
    model: Annotated[ModelOptions, BeforeValidator(_usual_model_unless_said)] = Field(
        default_factory=dict,
        validate_default=True,
        description="without a kind, the one whose own the space is",
    )
    acquisition: AcquisitionOptions = AcquisitionOptions()
    augmentation: LocalSearchOptions | None = None
    tiers: tuple[TierOptions, ...] = Field(min_length=1)
    promotion: PromotionOptions = PromotionOptions()
    budget: Budget = Budget()
    execution: ExecutionOptions = LocalExecution()
    cache: Annotated[bool | OwnFile, BeforeValidator(_says_which_cache)] = Field(
        default=True,
        description="labels of other campaigns are reused, and kept for them: true, false, or the "
        "folder; true means the folder that ALLOOP_CACHE names, or the user's cache",
    )

    @field_validator("tiers")
    @classmethod
    def _tiers_measure_what_is_wanted(
        cls, tiers: tuple[TierOptions, ...], info: ValidationInfo
    ) -> tuple[TierOptions, ...]:
        wishes = (*info.data.get("objectives", ()), *info.data.get("constraints", ()))
        wanted = [wish.property for wish in wishes]
        return tuple(
            tier.asked_for(wanted) if isinstance(tier, LammpsOptions) else tier for tier in tiers
        )

    @model_validator(mode="after")
    def _model_fits_space(self) -> Self:
        if isinstance(self.space, Compositions):
            if self.augmentation is not None:
                raise ValueError("augmentation exchanges atoms; compositions have none: remove it")
            if wanting := [tier for tier in self.tiers if tier.kind in ("lammps", "dft")]:
                raise ValueError(
                    f"a tier of kind {wanting[0].kind} measures crystals, not compositions"
                )
        if self.space.kind not in (able := SPACES_OF[self.model.kind]):
            raise ValueError(
                f"the model {self.model.kind} learns {' and '.join(able)}, not {self.space.kind}; "
                "change model.kind or space.kind"
            )
        if isinstance(self.model, PcdvaeOptions) and self.model.phase:
            lattices = self.space.lattices if isinstance(self.space, Decorations) else ()
            if len(lattices) < 2:
                raise ValueError(
                    "model.phase tells two lattices apart, and the space has "
                    f"{len(lattices)}; set model.phase to false"
                )
        if isinstance(self.model, FtcpOptions) and isinstance(self.space, Structures):
            most, room = self.space.max_atoms, self.model.max_sites
            if most > room:
                raise ValueError(
                    f"space.max_atoms ({most}) is more than model.max_sites ({room}); "
                    "lower the one or raise the other"
                )
        return self

    @model_validator(mode="after")
    def _aim_can_be_told(self) -> Self:
        if self.acquisition.aim == "top-tier":
            if not all(tier.promote for tier in self.tiers[1:]) or len(self.tiers) < 2:
                raise ValueError(
                    "acquisition.aim: top-tier needs a higher tier that candidates are "
                    "promoted to; add one with promote, or leave aim out"
                )
            if self.promotion.when == "end":
                raise ValueError(
                    "acquisition.aim: top-tier learns from promotions, which promotion.when: end "
                    "puts off until there is nothing left to acquire; write when: round"
                )
        return self

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if len(self.budget.measurements) != len(self.tiers):
            raise ValueError(
                f"budget.measurements has {len(self.budget.measurements)} totals for "
                f"{len(self.tiers)} tiers; give one per tier"
            )
        for key, limits in (("core_hours", self.budget.core_hours), ("money", self.budget.money)):
            if limits and len(limits) != len(self.tiers):
                raise ValueError(
                    f"budget.{key} has {len(limits)} limits for {len(self.tiers)} tiers; give one "
                    "per tier, null for none"
                )
        for place, (limit, tier) in enumerate(zip(self.budget.money, self.tiers, strict=False)):
            if limit is not None and not getattr(tier, "core_hour_price", 0.0):
                raise ValueError(
                    f"budget.money limits tiers.{place}, which costs nothing; give it a "
                    "core_hour_price, or write null"
                )
        for place, tier in enumerate(self.tiers):
            if unknown := sorted(tier.measures() - set(UNITS)):
                raise ValueError(
                    f"tiers.{place} ({tier.kind}): unknown property {unknown[0]!r}; known are "
                    f"{', '.join(UNITS)}"
                )
            if missing := [name for name in self.asked_of(place) if name not in tier.measures()]:
                raise ValueError(
                    f"tiers.{place} ({tier.kind}) does not measure {', '.join(missing)}; as it is "
                    f"set, it measures {', '.join(sorted(tier.measures()))}"
                    + electronic_property_hint(missing)
                )
        if promoting := [tier for tier in self.tiers[:1] if tier.promote]:
            raise ValueError(
                f"tiers.0 promotes {promoting[0].promote}, but there is no tier below it; "
                "put promote on the higher tier"
            )
        return self

    def scheduling(self) -> dict[str, Any]:
        """Return, as plain values, the keys that say where, how long and how often it runs.

        A run may be continued with others: they are written down, and change no value and no
        rule of choice.
        """
        data = self.model_dump(mode="json")
        tiers = [{key: tier[key] for key in tier if key in SCHEDULING} for tier in data["tiers"]]
        return {"execution": data["execution"], "cache": data["cache"], "tiers": tiers}

    def with_scheduling(self, scheduling: Mapping[str, Any]) -> "CampaignSpec":
        """Return the campaign, run as another spec's ``scheduling`` says."""
        data = self.model_dump(mode="json")
        tiers = zip(data["tiers"], scheduling["tiers"], strict=True)
        merged = {"tiers": [old | new for old, new in tiers]}
        return CampaignSpec.model_validate({**data, **scheduling, **merged})

    @model_validator(mode="after")
    def _search_can_start_warm(self) -> Self:
        if self.augmentation is None or not self.augmentation.warm_start:
            return self
        if self.tiers[0].kind != "lammps":
            raise ValueError(
                f"augmentation.warm_start: tiers.0 ({self.tiers[0].kind}) measures every "
                "neighbour from scratch; leave warm_start out"
            )
        most = {"decorations": "atoms", "structures": "max_atoms"}.get(self.space.kind)
        if most is not None and (n := getattr(self.space, most)) > MOST_IN_SEARCH:
            raise ValueError(
                f"augmentation.warm_start keeps second derivatives of cells of up to "
                f"{MOST_IN_SEARCH} atoms, and space.{most} is {n}; leave warm_start out"
            )
        return self

    @model_validator(mode="after")
    def _candidates_are_at_hand(self) -> Self:
        if self.acquisition.candidates == "table":
            if not isinstance(self.tiers[0], TableOptions):
                raise ValueError(
                    f"acquisition.candidates is table, but tiers.0 is of kind {self.tiers[0].kind}"
                )
            if self.augmentation is not None:
                raise ValueError("augmentation makes new materials; a table has none: remove it")
        return self

    def property_names(self) -> tuple[str, ...]:
        """Return the properties that objectives and constraints speak of, each once."""
        named = [wish.property for wish in (*self.objectives, *self.constraints)]
        return tuple(dict.fromkeys(named))

    def asked_of(self, tier: int) -> tuple[str, ...]:
        """Return the properties that a tier has to measure: what a property is derived from
        stands for it, unless the tier measures it itself.
        """
        given = self.tiers[tier].measures()
        names = (
            name if name in given else DERIVED.get(name, name) for name in self.property_names()
        )
        return tuple(dict.fromkeys(names))
