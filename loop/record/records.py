"""The base of all records of a ledger, and the types of their fields."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


class InStore:
    """Marks a field whose value is the key of an artifact that the run's store holds."""


ArtifactId = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$"), InStore()]
"""SHA-256 of an artifact's bytes; of a candidate, its material's canonical JSON."""


Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""A cost: finite and not negative, so that no event can refill a budget."""
Count = Annotated[int, Field(ge=0)]
"""A number of things."""

MOST_WORDS = 2000
"""Largest number of characters of a reason."""
Name = Annotated[str, Field(min_length=1, max_length=200)]
"""Name of whoever did something by hand: the user's account, an agent's behind it."""
Reason = Annotated[str, Field(min_length=1, max_length=MOST_WORDS)]
"""Reason that a person gave, in words."""


class Record(BaseModel):
    """A frozen record; unknown keys are errors."""

    # A record that is only read inside another is never built on its own: half of what the import
    # of this module took.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    def model_post_init(self, context: Any) -> None:
        """Forget which fields were given: a set for each of ten thousand events takes more memory
        than the events.
        """
        object.__setattr__(self, "__pydantic_fields_set__", FORGOTTEN)


FORGOTTEN: set[str] = set()
"""Fields that were given, of every record: none is remembered."""
