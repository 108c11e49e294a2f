"""Options of acquisition and of local search around the best."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


Strategy = Literal[
    "latent-bo",
    "surrogate-bo",
    "uncertainty",
    "random",
    "local-search",
    "annealing",
    "genetic",
    "greedy",
    "screening",
    "latent-gradient",
]


class AcquisitionOptions(_Part):
    """Options of choosing the next candidates."""

    strategy: Strategy = Field(
        default="latent-bo",
        description="latent-bo searches for the best with model and surrogate; surrogate-bo does "
        "with a surrogate alone, on descriptors that need no model; uncertainty looks for "
        "what the model is unsure of, to learn the whole space. To compare with: random; "
        "local-search, annealing, genetic and greedy (on to the neighbouring compositions of the "
        "best), which need no model; screening (a large random pool ranked by the model's "
        "prediction) and latent-gradient (the model's property head climbed by Adam, then decoded)",
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
        description="number of candidates considered: with latent-bo and latent-gradient, latent "
        "points decoded per round; with uncertainty and screening, random candidates; 128 by "
        "default, 1024 with screening",
    )
    trust_region: float | None = Field(
        default=None,
        gt=0,
        le=2,
        description="first edge of latent-bo's trust region, in the latents' own spread; 0.4 by "
        "default. With candidates table, in a space of compositions, and latent-bo or "
        "surrogate-bo: largest share of atoms by which a row may differ from one of the three "
        "best, and none by default",
    )
    walkers: int | None = Field(
        default=None,
        ge=1,
        description="number of searches side by side, which share the batch: with local-search 2, "
        "with annealing 4 by default",
    )
    temperature: float | None = Field(
        default=None,
        gt=0,
        description="annealing's first temperature, in standard deviations of the first labels; "
        "0.05 by default, and a hundredth of the first in the last round",
    )
    population: int | None = Field(
        default=None,
        ge=2,
        description="with genetic, number of the best labels that parents are taken from; 32 by "
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
        return _acting(data.get("strategy", "latent-bo"), data.get("candidates", "space")) | data

    @model_validator(mode="after")
    def _nothing_is_idle(self) -> Self:
        acting = _acting(self.strategy, self.candidates)
        for key in _TUNABLE:
            if key == "trust_region" and self.searches and self.candidates == "table":
                continue
            if key not in acting and getattr(self, key) is not None:
                raise ValueError(
                    f"{key} does nothing with strategy {self.strategy} and candidates "
                    f"{self.candidates}; remove it"
                )
        if not self.searches and self.aim != "first-tier":
            raise ValueError(
                f"aim does nothing with strategy {self.strategy}, which does not search for the "
                "best; remove it"
            )
        return self

    @property
    def searches(self) -> bool:
        """Whether the best is searched for under surrogates and their acquisition."""
        return self.strategy in {"latent-bo", "surrogate-bo"}

    @property
    def uses_model(self) -> bool:
        """Whether a model is trained in each round."""
        return self.strategy in _WITH_MODEL


_WITH_MODEL = {"latent-bo", "uncertainty", "screening", "latent-gradient"}
_OF_SPACE = {"pool", "trust_region"}
"""Keys that have no default where candidates are rows of a table."""
_USUAL: dict[str, dict[str, float]] = {
    "latent-bo": {"pool": 32, "trust_region": 0.4},
    "uncertainty": {"pool": 128},
    "screening": {"pool": 1024},
    "latent-gradient": {"pool": 128},
    "local-search": {"walkers": 2},
    "annealing": {"walkers": 4, "temperature": 0.05},
    "genetic": {"population": 32},
}
"""Keys that each strategy looks at, with their defaults."""
_TUNABLE = tuple(dict.fromkeys(key for usual in _USUAL.values() for key in usual))


def _acting(strategy: object, candidates: object) -> dict[str, float]:
    """Return the keys that a strategy looks at, with their defaults."""
    usual = _USUAL.get(str(strategy), {})
    return {k: v for k, v in usual.items() if candidates != "table" or k not in _OF_SPACE}


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
