"""What surrogate and model learn from, beside the first tier's labels."""

from pydantic import BaseModel, ConfigDict, Field


class LearningOptions(BaseModel):
    """Options of learning: what goes into fits besides the labels of the first tier.

    People's partial results always do, with the rest of their properties unknown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    higher_tiers: bool = Field(
        default=True,
        description="whether labels of higher tiers are learnt from, carried to the first tier's "
        "scale once five candidates were measured by both",
    )
    unlabelled: int = Field(
        default=256,
        ge=0,
        description="largest number of materials without a label in a fit of the model: the newest "
        "that were proposed and not measured, or rows of the table; a model may take fewer, or "
        "none where it draws its own",
    )
