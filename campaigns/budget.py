"""Budget of a campaign, in total, however often it is resumed."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from alloop.durations import Duration

Limit = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Budget(BaseModel):
    """Budget as totals over the whole campaign, however often it was resumed."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    initial: int = Field(
        default=64,
        ge=0,
        description="random candidates before the first model, at least 2; 0 where the labels of "
        "start are enough",
    )
    rounds: int = Field(default=6, ge=0)
    measurements: tuple[int, ...] = Field(
        default=(600,), description="number of measurements, one total per tier"
    )
    core_hours: tuple[Limit | None, ...] = Field(
        default=(),
        description="core-hours, one total per tier, null for no limit; by default none has any",
    )
    money: tuple[Limit | None, ...] = Field(
        default=(),
        description="money in your currency, one total per tier; core_hour_price says what a tier "
        "costs",
    )
    wall_time: Duration | None = Field(
        default=None,
        description="time limit over all sessions, for example 5 min; when it is reached the "
        "campaign pauses, and a larger one lets it go on",
    )

    def limits(self, tier: int) -> tuple[float | None, float | None]:
        """Return the limits of a tier in core-hours and in money; None: no limit."""
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
