"""Parts of a spec whose keys depend on an installed kind: tiers and the model.

A part is read by the options class of its kind, which is imported only now. So a spec costs no more
than the kinds that it names.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from traceback import walk_tb
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, SerializeAsAny, ValidationError, ValidationInfo
from pydantic_core import PydanticCustomError

from alloop.errors import AlloopError, PluginError, one_line
from alloop.kinds import MODELS, ORACLES, find_kind, options_of
from alloop.models.options import ModelOptions
from alloop.oracles.options import OracleOptions

if TYPE_CHECKING:
    from alloop.oracles.base import Oracle

NO_KIND, BAD_KIND = "kind_missing", "kind_unusable"
"""Types of pydantic errors of a part's kind."""


def _read_part(group: str, base: type[BaseModel], value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, base):
        return value
    if not isinstance(value, Mapping):
        raise PydanticCustomError("part_type", "write a mapping with the key kind")
    kind = value.get("kind")
    if kind is None:
        raise PydanticCustomError(NO_KIND, "this key is missing")
    try:
        options = options_of(group, str(kind), base)
    except PluginError as error:
        context = {"what": error.what, "remedy": error.remedy}
        raise PydanticCustomError(BAD_KIND, "{what}. {remedy}", context) from error
    try:
        read = options.model_validate(value, context=info.context)
        # Spoken to once here, so that a broken plugin is a message about its key, not a traceback.
        (read.measures if isinstance(read, OracleOptions) else read.spaces)()  # type: ignore[attr-defined]
    except ValidationError:
        raise
    except Exception as error:
        what = f"kind {kind} of {find_kind(group, str(kind)).package} is broken ({one_line(error)})"
        context = {"what": what, "remedy": "Update or uninstall it."}
        raise PydanticCustomError(BAD_KIND, "{what}. {remedy}", context) from error
    return read


def build_oracle(options: OracleOptions, elements: Sequence[str]) -> "Oracle":
    """Return the oracle of a tier.

    Raises:
        AlloopError: if something that it needs is not at hand, or its kind is broken.
    """
    with _faults_named(ORACLES, options.kind, "build its oracle"):
        return options.build(elements)


def check_oracle_ready(options: OracleOptions, elements: Sequence[str]) -> None:
    """Check that what a tier's oracle needs is at hand.

    Raises:
        AlloopError: if it is not, or its kind is broken.
    """
    with _faults_named(ORACLES, options.kind, "build its oracle"):
        options.check_ready(elements)


@contextmanager
def model_faults_named(options: ModelOptions) -> Iterator[None]:
    """Turn what a model raises while it is built, trained or stored into an error that names its
    kind.

    Raises:
        PluginError: in place of any exception that is no AlloopError.
    """
    with _faults_named(MODELS, options.kind, "train its model"):
        yield


@contextmanager
def model_use_named(options: ModelOptions) -> Iterator[None]:
    """Turn what a model raises while candidates are proposed with it into an error that names its
    kind; what comes from elsewhere is left as it is.

    Raises:
        PluginError: in place of an exception from the model's package that is no AlloopError.
    """
    try:
        yield
    except Exception as error:
        if not _is_from(error, type(options)):
            raise
        with _faults_named(MODELS, options.kind, "propose with its model"):
            raise


def _is_from(error: Exception, kind: type) -> bool:
    """Return whether an exception passed through a kind's package, or what all models share."""
    own = kind.__module__.rpartition(".")[0] or kind.__module__
    modules = {frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__)}
    return any(f"{module}.".startswith((f"{own}.", "alloop.models.")) for module in modules)


@contextmanager
def _faults_named(group: str, kind: str, task: str) -> Iterator[None]:
    """Turn what a broken kind raises into an error that names its package."""
    try:
        yield
    except AlloopError:
        raise
    except Exception as error:
        package = find_kind(group, kind).package
        raise PluginError(
            f"kind {kind} of {package} cannot {task} ({one_line(error)[:300]})",
            remedy=f"Update or uninstall {package}.",
        ) from error


def read_tier(value: Any, info: ValidationInfo) -> Any:
    """Return the options of a tier; a mapping is read by the class of its kind."""
    return _read_part(ORACLES, OracleOptions, value, info)


def read_model(value: Any, info: ValidationInfo) -> Any:
    """Return the options of a model; without a kind, those of the model usual for the space."""
    if isinstance(value, Mapping) and "kind" not in value:
        space = info.data.get("space")  # absent where it is wrong, which is said by itself
        usual = space.usual_model if space else "lattice"
        value = {"kind": usual, **(value if space else {})}
    return _read_part(MODELS, ModelOptions, value, info)


TierPart = Annotated[SerializeAsAny[OracleOptions], BeforeValidator(read_tier)]
"""Options of a tier: an oracle, and its place in the order of cost."""

ModelPart = Annotated[SerializeAsAny[ModelOptions], BeforeValidator(read_model)]
"""Options of the model that learns and proposes."""
