"""Every field of type ArtifactId is found, wherever it stands in an event."""

import re
from collections.abc import Callable

from alloop.loop.record.artifact_fields import artifact_keys
from alloop.loop.record.events import EVENT, CampaignOpened, Event, Measured, ModelFitted, Proposed

MakeEvents = Callable[..., list[Event]]


def test_keys_are_those_that_the_events_were_made_with(make_events: MakeEvents) -> None:
    checkpoint, latents, first, second = (letter * 64 for letter in "abcd")
    found = {
        event.kind: set(artifact_keys(event.model_dump(mode="json"))) for event in make_events()
    }
    assert found[ModelFitted.model_fields["kind"].default] == {checkpoint}
    assert found[Proposed.model_fields["kind"].default] == {checkpoint, latents, first, second}
    assert found["session_opened"] == set()


def test_optional_keys_are_found_where_there_is_one() -> None:
    start = CampaignOpened(spec={"name": "x"}, fingerprints=(), versions={})
    assert list(artifact_keys(start.model_dump(mode="json"))) == []
    start = CampaignOpened(spec={}, fingerprints=(), versions={}, start_checkpoint="e" * 64)
    assert list(artifact_keys(start.model_dump(mode="json"))) == ["e" * 64]


def test_a_hash_of_something_else_is_no_artifact(make_events: MakeEvents) -> None:
    """A spec may hold what looks like a key; the hash of a person's file is one of the file."""
    start = CampaignOpened(
        spec={"model": "f" * 64, "candidate": "f" * 64}, fingerprints=("f" * 64,), versions={}
    )
    assert list(artifact_keys(start.model_dump(mode="json"))) == []
    measured = next(event for event in make_events() if isinstance(event, Measured))
    from_a_file = measured.model_copy(update={"source": "f" * 64, "fingerprint": "f" * 64})
    assert "f" * 64 not in set(artifact_keys(from_a_file.model_dump(mode="json")))


def test_whatever_the_schema_says_is_a_key_is_found(make_events: MakeEvents) -> None:
    """The JSON schema that pydantic makes of the events knows the pattern of each field."""
    schema, pattern = EVENT.json_schema(), "^[0-9a-f]{64}$"
    named = {
        field
        for definition in schema["$defs"].values()
        for field, of_field in definition.get("properties", {}).items()
        if pattern
        in (of_field.get("pattern"), *(c.get("pattern") for c in of_field.get("anyOf", [])))
    }
    assert named == {
        *("candidate", "checkpoint", "document", "latents", "mate", "model", "parent"),
        *("relaxed", "start_checkpoint"),
    }
    listed = {
        field
        for definition in schema["$defs"].values()
        for field, of_field in definition.get("properties", {}).items()
        if of_field.get("items", {}).get("pattern") == pattern
    }
    assert listed == {"brought"}
    for event in make_events():
        plain = event.model_dump_json()
        by_name = re.findall(rf'"(?:{"|".join(named)})":"([0-9a-f]{{64}})"', plain)
        for items in re.findall(rf'"(?:{"|".join(listed)})":\[([^]]*)\]', plain):
            by_name += re.findall(r"[0-9a-f]{64}", items)
        assert set(by_name) == set(artifact_keys(event.model_dump(mode="json")))


def test_an_unknown_kind_names_none() -> None:
    assert list(artifact_keys({"kind": "of another time", "candidate": "a" * 64})) == []
