"""JSON schema of campaign specs, for editors: completion, descriptions, and marks under mistakes.

An editor sees what a key may hold; what must agree across keys is for ``alloop check``.
"""

import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from alloop.campaigns.spec import CampaignSpec
from alloop.kinds import MODELS, ORACLES, installed_kinds, options_of
from alloop.models.options import ModelOptions
from alloop.oracles.options import OracleOptions

DIALECT = "https://json-schema.org/draft/2020-12/schema"
OWN = "alloop"
"""Distribution whose kinds the shipped schema knows."""


def campaign_schema(packages: tuple[str, ...] | None = None) -> dict[str, Any]:
    """Return the JSON schema of specs.

    Args:
        packages: distributions whose kinds of tier and model it knows; all by default. A kind whose
            package is broken is left out.
    """
    schema = CampaignSpec.model_json_schema()
    definitions: dict[str, Any] = schema.setdefault("$defs", {})
    tiers = _alternatives(ORACLES, OracleOptions, definitions, packages)
    models = _alternatives(MODELS, ModelOptions, definitions, packages)
    properties = schema["properties"]
    properties["tiers"]["items"] = {"anyOf": tiers}
    # Without a kind the model is the one usual for the space, with that one's keys.
    properties["model"] = {"description": properties["model"]["description"], "anyOf": models}
    # A source may also be its path alone, and a single one stand without a list.
    labels = definitions["StartOptions"]["properties"]["labels"]
    one = [{"type": "string"}, labels.pop("items")]
    del labels["type"], labels["minItems"]
    labels["anyOf"] = [*one, {"type": "array", "items": {"anyOf": one}, "minItems": 1}]
    return {"$schema": DIALECT, "title": "Alloop campaign"} | {
        key: value for key, value in schema.items() if key not in ("$schema", "title")
    }


def shipped_schema() -> str:
    """Return the text of the schema that the package ships: of Alloop's own kinds alone."""
    return json.dumps(campaign_schema((OWN,)), indent=1, ensure_ascii=False) + "\n"


def shipped_schema_path() -> Path:
    """Return the path of the shipped schema, which a YAML's first line may name."""
    return Path(str(resources.files("alloop.campaigns") / "schema.json"))


def _alternatives(
    group: str, base: type[Any], definitions: dict[str, Any], packages: tuple[str, ...] | None
) -> list[dict[str, str]]:
    """Add the schema of each kind to the definitions, and return references to them."""
    found = []
    for name in _names(group, packages):
        try:
            own = options_of(group, name, base).model_json_schema()
        except Exception:
            continue
        definitions.update(own.pop("$defs", {}))
        key = f"{group.rpartition('.')[2]}-{name}"
        if group == ORACLES:
            own["required"] = ["kind", *(k for k in own.get("required", ()) if k != "kind")]
        definitions[key] = own
        found.append({"$ref": f"#/$defs/{key}"})
    return found


def _names(group: str, packages: tuple[str, ...] | None) -> Iterator[str]:
    for name, kinds in installed_kinds(group).items():
        if len(kinds) == 1 and (packages is None or kinds[0].package in packages):
            yield name


if __name__ == "__main__":
    shipped_schema_path().write_text(shipped_schema(), "utf-8")
