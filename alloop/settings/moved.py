"""Keys that a spec may not have, because they say how something is run: refused with the remedy."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError


def refuse_moved(model: str, data: Any, moved: Mapping[str, str]) -> Any:
    """Return what a spec says, if it has none of the keys that belong into the settings.

    For a ``model_validator`` of mode "before".

    Args:
        model: name of the part of the spec.
        data: what the spec says there.
        moved: place in a profile of the settings, such as ``vasp.command``, by the spec's key.

    Raises:
        ValidationError: for the first such key, with where it belongs.
    """
    if not isinstance(data, Mapping):
        return data
    for key, place in moved.items():
        if key in data:
            message = (
                f"{key} says how or where something is run, and a spec cannot; write it into your "
                f"settings as profiles.NAME.{place} (`alloop settings` shows the file), and here "
                "profile: NAME"
            )
            error = PydanticCustomError("value_error", "{message}", {"message": message})
            details = InitErrorDetails(type=error, loc=(key,), input=data[key])
            raise ValidationError.from_exception_data(model, [details])
    return data
