"""Options of acquisition and of local search around the best."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class AcquisitionOptions(_Part):
    """Options of choosing the next candidates."""

    strategy: Literal["latent-bo", "uncertainty", "random"] = Field(
        default="latent-bo",
        description="search for the best; or for what the model is unsure of, to learn the whole "
        "space; random is the baseline to compare with",
    )
    candidates: Literal["space", "table"] = Field(
        default="space",
        description="candidates to choose from: anything in the space, or rows of the first "
        "tier's table",
    )
    batch: int = Field(default=16, ge=1, description="candidates measured per round")
    pool: int | None = Field(
        default=None,
        ge=1,
        description="number of candidates considered: with latent-bo, latent points decoded per "
        "round; with uncertainty, random candidates; 128 by default",
    )
    trust_region: float | None = Field(
        default=None,
        gt=0,
        le=2,
        description="first edge of latent-bo's trust region, in the latents' own spread; 0.4 by "
        "default",
    )
    aim: Literal["first-tier", "top-tier"] = Field(
        default="first-tier",
        description="tier whose values are to be good: the first tier's, or those predicted for "
        "the top tier, once five candidates were measured by both (see "
        "promotion.when)",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_in_what_acts(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        acting = _acting(data.get("strategy", "latent-bo"), data.get("candidates", "space"))
        return {key: _USUAL[key] for key in acting} | data

    @model_validator(mode="after")
    def _nothing_is_idle(self) -> Self:
        acting = _acting(self.strategy, self.candidates)
        for key in _USUAL:
            if key not in acting and getattr(self, key) is not None:
                raise ValueError(
                    f"{key} does nothing with strategy {self.strategy} and candidates "
                    f"{self.candidates}; remove it"
                )
        if self.strategy != "latent-bo" and self.aim != "first-tier":
            raise ValueError(
                f"aim does nothing with strategy {self.strategy}, which does not search for the "
                "best; remove it"
            )
        return self


_USUAL = {"pool": 128, "trust_region": 0.4}


def _acting(strategy: object, candidates: object) -> tuple[str, ...]:
    """Return which of the keys above a strategy looks at."""
    if candidates == "table":
        return ()
    return {"latent-bo": ("pool", "trust_region"), "uncertainty": ("pool",)}.get(str(strategy), ())


class LocalSearchOptions(_Part):
    """Options of local search: swap unlike atoms, measure, keep the best."""

    kind: Literal["local-search"] = "local-search"
    parents: int = Field(default=2, ge=1, description="best candidates of the round to start from")
    iterations: int = Field(default=5, ge=1)
    swaps: int = Field(default=8, ge=1, description="neighbours measured per iteration")
    warm_start: bool = Field(
        default=False,
        description="relax each neighbour from where its parent is at rest: faster where a search "
        "has more neighbours than its cell has atoms; LAMMPS only",
    )
