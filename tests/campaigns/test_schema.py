"""The schema that editors are given fits the specs that are run."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from alloop.campaigns.editing.schema import campaign_schema, shipped_schema, shipped_schema_path
from alloop.campaigns.load import load_spec, ready_campaigns

FIRST_LINE = "# yaml-language-server: $schema="


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json.loads(shipped_schema_path().read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_the_shipped_schema_is_that_of_the_code() -> None:
    remedy = "run: python -m alloop.campaigns.editing.schema"
    assert shipped_schema_path().read_text("utf-8") == shipped_schema(), remedy


@pytest.mark.parametrize("name", ready_campaigns())
def test_ready_campaigns_name_it_and_fit_it(name: str, validator: Draft202012Validator) -> None:
    path = ready_campaigns()[name]
    text = path.read_text("utf-8")
    first, _, _ = text.partition("\n")
    assert first.startswith(FIRST_LINE)
    named = (path.parent / first.removeprefix(FIRST_LINE)).resolve()
    assert named == shipped_schema_path().resolve()
    assert list(validator.iter_errors(yaml.safe_load(text))) == []


def test_a_spec_in_full_fits_it(validator: Draft202012Validator) -> None:
    full = load_spec("nifecr-bulk-modulus").model_dump(mode="json")
    assert list(validator.iter_errors(full)) == []


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"budgett": {}}, "budgett"),
        ({"budget": {"initial": -1}}, "initial"),
        ({"tiers": [{"potential": "NiFeCr-Wu2017"}]}, "tiers"),
        ({"budget": {"wall_time": "soon"}}, "wall_time"),
        ({"space": {"elements": ["Ni"], "atom": 16}}, "space"),
        ({"start": {"labels": [{"file": "a.csv", "tiers": 0}]}}, "start"),
    ],
)
def test_mistakes_are_marked(
    change: dict[str, Any], key: str, validator: Draft202012Validator
) -> None:
    spec = yaml.safe_load(ready_campaigns()["nifecr-ordering"].read_text("utf-8"))
    assert list(validator.iter_errors(spec)) == []
    (error,) = validator.iter_errors(spec | change)
    assert key in f"{error.json_path} {error.message}"


@pytest.mark.parametrize(
    "labels",
    ["known.csv", ["known.csv", "runs/earlier"], {"file": "a.csv"}, [{"file": "a.csv", "tier": 1}]],
)
def test_labels_may_be_written_in_each_of_their_forms(
    labels: Any, validator: Draft202012Validator
) -> None:
    spec = yaml.safe_load(ready_campaigns()["nifecr-ordering"].read_text("utf-8"))
    assert list(validator.iter_errors(spec | {"start": {"labels": labels}})) == []


def test_installed_kinds_of_others_are_known_to_alloop_schema() -> None:
    own, every = campaign_schema(("alloop",)), campaign_schema()
    assert set(own["$defs"]) <= set(every["$defs"])
    assert {"oracles-lammps", "models-lattice"} <= set(own["$defs"])


def test_the_package_holds_it() -> None:
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8")
    assert '"alloop.campaigns" = ["schema.json"]' in text
