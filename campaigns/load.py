"""YAML to CampaignSpec; an error names file, key path, value and remedy."""

import difflib
import math
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from alloop.campaigns.changes import set_value
from alloop.campaigns.parts import BAD_KIND, NO_KIND, TierPart
from alloop.campaigns.spec import CampaignSpec
from alloop.campaigns.spelling import british, british_word
from alloop.errors import SpecError
from alloop.files.yaml_text import parse_yaml, read_yaml
from alloop.models.options import ModelOptions
from alloop.oracles.options import OracleOptions
from alloop.paths import FOLDER


def load_spec(source: str | Path, overrides: Iterable[str] = ()) -> CampaignSpec:
    """Return the campaign of a YAML file, or of a ready campaign's name.

    Args:
        source: path of a YAML file, or a name that ``ready_campaigns`` lists.
        overrides: ``key.path=value`` settings laid over the file, values read as YAML.

    Raises:
        SpecError: naming file, key path, value and remedy.
    """
    path = find_spec(source)
    data = british(_read(path))
    for override in overrides:
        _set(data, override)
    return parse_spec(data, where=str(path), folder=path.parent)


def overridden(spec: CampaignSpec, overrides: Iterable[str]) -> CampaignSpec:
    """Return a campaign with ``key.path=value`` settings laid over it, values read as YAML.

    Raises:
        SpecError: naming key path, value and remedy.
    """
    data = spec.model_dump(mode="json")
    for override in overrides:
        _set(data, override)
    return parse_spec(data, where="--set")


def find_spec(source: str | Path) -> Path:
    """Return the file of a campaign given by path or by a ready campaign's name.

    Raises:
        SpecError: if there is none.
    """
    path = Path(source)
    if path.is_file():
        return path
    ready = ready_campaigns()
    if str(source) in ready:
        return ready[str(source)]
    close = difflib.get_close_matches(str(source), ready, n=1)
    hint = f"Did you mean {close[0]}? " if close else ""
    raise SpecError(
        f"there is no file and no ready campaign {str(source)!r}",
        remedy=f"{hint}`alloop campaigns` lists the ready ones.",
    )


def ready_campaigns() -> dict[str, Path]:
    """Return the ready-to-run campaigns, by name."""
    folder = Path(str(resources.files("alloop.campaigns") / "ready"))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def parse_spec(data: Any, *, where: str, folder: Path | None = None) -> CampaignSpec:
    """Return the checked campaign of a mapping.

    Args:
        data: as read from YAML.
        where: what to call it in an error.
        folder: where relative paths in it begin; by default the working folder.

    Raises:
        SpecError: for the first thing wrong in it.
    """
    if not isinstance(data, dict):
        raise SpecError("this is not a mapping of keys", where=where, remedy="See README.md.")
    _require_text(data, f"{where}: ")
    try:
        spec = CampaignSpec.model_validate(british(data), context={FOLDER: folder or Path()})
    except ValidationError as error:
        raise _explain(error, where) from error
    _require_writable(spec.model_dump(mode="json"), f"{where}: ")
    return spec


def load_tier(path: Path) -> OracleOptions:
    """Return the tier options in a YAML file that holds one tier as a campaign's ``tiers`` has it.

    Raises:
        SpecError: naming file, key path, value and remedy.
    """
    data = british(_read(path))
    _require_text(data, f"{path}: ")
    try:
        tier: OracleOptions = TypeAdapter(TierPart).validate_python(
            data, context={FOLDER: path.parent}
        )
    except ValidationError as error:
        raise _explain(error, str(path)) from error
    return tier


def _require_text(value: Any, where: str) -> None:
    """Refuse text that is not UTF-8: even an error about it could not be written.

    Raises:
        SpecError: naming the key.
    """
    match value:
        case dict():
            for key, each in value.items():
                _require_text(key, where)
                _require_text(each, _inside(where, key))
        case list():
            for place, each in enumerate(value):
                _require_text(each, _inside(where, place))
        case str() if not _is_utf8(value):
            raise SpecError(
                f"{value!r} is not UTF-8", where=where, remedy="Rename the file or folder."
            )


def _require_writable(value: Any, where: str) -> None:
    """Refuse what a ledger cannot hold.

    Raises:
        SpecError: naming the key of a number that is not finite, or of text or a path that is not
            UTF-8.
    """
    match value:
        case dict():
            for key, each in value.items():
                _require_writable(each, _inside(where, key))
        case list():
            for place, each in enumerate(value):
                _require_writable(each, _inside(where, place))
        case float() if not math.isfinite(value):
            raise SpecError(f"{value} is no number to go by", where=where, remedy="Correct it.")
        case str():
            _require_text(value, where)


def _inside(where: str, key: object) -> str:
    return f"{where}{key}" if where.endswith(": ") else f"{where}.{key}"


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read(path: Path) -> dict[str, Any]:
    data = read_yaml(path)
    if not isinstance(data, dict):
        raise SpecError("the file holds no mapping of keys", where=str(path))
    return data


def _set(data: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise SpecError(f"--set {override!r} has no value", remedy="Write --set budget.rounds=3.")
    value = parse_yaml(text, where=f"--set {key}")
    try:
        set_value(data, ".".join(map(british_word, key.split("."))), value)
    except LookupError as error:
        raise SpecError(
            f"--set {key}: the spec has no such place",
            remedy="Name keys as in the file and list items by number, such as tiers.0.potential.",
        ) from error


def _explain(error: ValidationError, where: str) -> SpecError:
    details = error.errors(include_url=False)
    # An unknown key is the likeliest cause of whatever else is missing or wrong.
    details.sort(key=lambda each: each["type"] != "extra_forbidden")
    first = details[0]
    # pydantic puts the tags of unions into the path; the file has no such keys
    tags = set().union(*map(_kinds, _spec_models()))
    parts = [str(part) for part in first["loc"] if part not in tags and part != "[key]"]
    if first["type"].startswith("union_tag") or first["type"] in (NO_KIND, BAD_KIND):
        parts.append("kind")  # whose value, or absence, decides which keys there are
    path = ".".join(parts)
    more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
    what, remedy = _phrase(first)
    return SpecError(f"{what}{more}", where=f"{where}: {path}" if path else where, remedy=remedy)


def _phrase(detail: ErrorDetails) -> tuple[str, str]:
    message = detail["msg"].removeprefix("Value error, ")
    value = repr(detail["input"])
    shown = value if len(value) <= 60 else value[:57] + "…"
    match detail["type"]:
        case "extra_forbidden":
            key = str(detail["loc"][-1])
            known = set().union(*map(_keys, _spec_models()))
            close = difflib.get_close_matches(key, sorted(known), n=1)
            hint = f"Did you mean {close[0]}?" if close else "Remove it, or see `alloop check`."
            said = f"unknown key {key!r} with the value {shown}", hint
        case "missing":
            said = "this key is missing", "Add it; it has no default."
        case "union_tag_not_found" | "kind_missing":
            said = "this key is missing", "Add it; it says which keys there are besides."
        case "union_tag_invalid":
            kind = repr(detail["ctx"]["tag"])
            said = f"there is no kind {kind}", f"There are {detail['ctx']['expected_tags']}."
        case "value_error":
            said = message, ""
        case "too_short":
            least = detail["ctx"]["min_length"]
            said = f"{shown} has too few entries; there are {least} at least", "Add some."
        case "kind_unusable":
            said = detail["ctx"]["what"], detail["ctx"]["remedy"]
        case _:
            what = f"{shown} does not fit: {message[0].lower()}{message[1:]}"
            said = what, "Correct the value."
    return said


def _spec_models() -> list[type[BaseModel]]:
    """Return the models that a spec is made of, with the options of the kinds that it named."""
    return [CampaignSpec, *_kinds_of(OracleOptions), *_kinds_of(ModelOptions)]


def _kinds_of(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Yield the classes that are made of a base, those made of them too."""
    for each in base.__subclasses__():
        yield each
        yield from _kinds_of(each)


def _keys(model: type[BaseModel]) -> set[str]:
    """Return every key that may stand anywhere in a spec."""
    keys: set[str] = set()
    for name, info in model.model_fields.items():
        keys.add(name)
        for part in _models(info.annotation):
            keys |= _keys(part)
    return keys


def _kinds(model: type[BaseModel]) -> set[Any]:
    """Return every value that a ``kind`` may have anywhere in a spec."""
    kind = model.model_fields.get("kind")
    kinds = (
        set()
        if kind is None
        else {each for each in get_args(kind.annotation) if isinstance(each, str)}
    )
    for info in model.model_fields.values():
        for part in _models(info.annotation):
            kinds |= _kinds(part)
    return kinds


def _models(annotation: Any) -> Sequence[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    found: list[type[BaseModel]] = []
    for argument in getattr(annotation, "__args__", ()):
        found.extend(_models(argument))
    return found
