"""Options of promotion from one tier to the next, higher one."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class PromotionOptions(BaseModel):
    """Options of promotion: which candidates the higher tiers measure, and when; how many is each
    tier's ``promote``.

    Only feasible candidates are promoted whose result by the tier below is trusted: it converged,
    and whatever is asked for here holds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    rule: Literal["top", "gain-per-cost"] = Field(
        default="top",
        description="the best by the tier below, once five were measured by both tiers by what the "
        "higher one is expected to say; with several objectives the Pareto front, most "
        "hypervolume contribution first; or the largest expected gain on the higher tier for what "
        "the measurement is expected to cost",
    )
    when: Literal["end", "round"] = Field(
        default="end", description="time of promotion: after the last round, or after every round"
    )
    keep_structure: bool = Field(
        default=False,
        description="whether only crystals whose atoms stayed at the sites they were proposed at "
        "are promoted",
    )
    max_surprise: float | None = Field(
        default=None,
        gt=0,
        description="largest distance of a promoted result from the surrogate's prediction, in "
        "its standard deviations; by default no limit",
    )
    min_rank_correlation: float = Field(
        default=0.5,
        ge=-1,
        le=1,
        description="least rank correlation of the tiers' objectives; below it they are reported "
        "to disagree",
    )
    extra: int = Field(
        default=0,
        ge=0,
        description="number of further candidates each time, while the tiers disagree",
    )
