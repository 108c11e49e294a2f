"""Options of a chain of oracles; light, so that campaign specs can import them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    SerializeAsAny,
    ValidationInfo,
    field_validator,
    model_validator,
)

from alloop.errors import PluginError
from alloop.kinds import ORACLES, options_of
from alloop.oracles.options import AsksPeople, OracleOptions

if TYPE_CHECKING:
    from alloop.oracles.base import Oracle

IDLE = ("promote", "attempts", "workers")
"""Common options of a part that the chain has for all of them."""


def _read_part(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, OracleOptions):
        return value
    if not isinstance(value, Mapping) or "kind" not in value:
        raise ValueError("write a tier's keys, with kind")
    try:
        options = options_of(ORACLES, str(value["kind"]), OracleOptions)
    except PluginError as error:
        raise ValueError(f"{error.what}. {error.remedy}") from error
    return options.model_validate(value, context=info.context)


Part = Annotated[SerializeAsAny[OracleOptions], BeforeValidator(_read_part)]
"""Options of one part."""


class ChainOptions(OracleOptions):
    """Several oracles in a row, measured as one: each is asked about the crystal that the one
    before it relaxed, and the values of all are one measurement. So a property that DFT does not
    know, such as synthesizability by a model of one's own, stands beside DFT's in objectives and
    constraints.
    """

    kind: Literal["chain"] = "chain"
    parts: tuple[Part, ...] = Field(
        min_length=2,
        description="tiers in the order of measuring; where two give one property, the later "
        "value counts",
    )
    timeout: float | None = Field(
        default=None,
        gt=0,
        description="time limit of one measurement, s; by default the parts' together",
    )

    @field_validator("parts")
    @classmethod
    def _parts_are_oracles_alone(
        cls, parts: tuple[OracleOptions, ...]
    ) -> tuple[OracleOptions, ...]:
        for part in parts:
            if isinstance(part, AsksPeople):
                raise ValueError(
                    f"a part of kind {part.kind} waits for people; make it a tier of its own"
                )
            for key in IDLE:
                if getattr(part, key) != type(part).model_fields[key].default:
                    raise ValueError(f"{key} of a part does nothing; give it to the chain")
        return parts

    @model_validator(mode="after")
    def _limit_is_the_parts(self) -> Self:
        limits = [part.timeout for part in self.parts]
        if "timeout" not in self.model_fields_set and None not in limits:
            object.__setattr__(self, "timeout", sum(limit for limit in limits if limit))
        return self

    def measures(self) -> Mapping[str, str]:
        """Return the unit of each property that some part gives, by name."""
        return {name: unit for part in self.parts for name, unit in part.measures().items()}

    def unmeasured(self, elements: Sequence[str]) -> Mapping[str, str]:
        """Return what no part measures of materials with some of these elements, and why."""
        lacking: dict[str, str] = {}
        for part in self.parts:
            missing = part.unmeasured(elements)
            given = set(part.measures()) - set(missing)
            lacking = {name: why for name, why in lacking.items() if name not in given}
            lacking |= missing
        return lacking

    def with_properties(self, wanted: Iterable[str]) -> Self:
        """Return the chain, each part set to measure those that it can."""
        names = tuple(wanted)
        parts = tuple(part.with_properties(names) for part in self.parts)
        return self.model_copy(update={"parts": parts})

    def check(self) -> None:
        """See ``OracleOptions.check``."""
        for part in self.parts:
            part.check()

    def build(self, elements: Sequence[str]) -> "Oracle":
        """Return the oracle; raises what a part's ``build`` does."""
        from alloop.oracles.chain.oracle import ChainOracle  # noqa: PLC0415

        return ChainOracle(tuple(part.build(elements) for part in self.parts))

    def check_ready(self, elements: Sequence[str]) -> None:
        """Check that what each part needs is at hand; raises what it does."""
        for part in self.parts:
            part.check_ready(elements)

    def describe_run(self) -> str:
        """Say what each part runs."""
        return ", then ".join(part.describe_run() for part in self.parts)

    def starts_programs(self) -> bool:
        """Return whether some part may start programs."""
        return any(part.starts_programs() for part in self.parts)

    def spaces(self) -> tuple[str, ...]:
        """Return the kinds of space that every part can measure."""
        first, *others = (part.spaces() for part in self.parts)
        return tuple(kind for kind in first if all(kind in other for other in others))
