"""YAML as plain values; what a spec may not hold is in the benchmark's cases."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from alloop.errors import SpecError
from alloop.files.limits import YAML_DEPTH, YAML_NODES
from alloop.files.yaml_text import parse_yaml

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)


@given(PLAIN)
def test_what_yaml_wrote_is_read_as_yaml_reads_it(value: object) -> None:
    text = yaml.safe_dump(value)
    assert parse_yaml(text, where="x") == yaml.safe_load(text)


def test_aliases_and_merged_keys_are_read() -> None:
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: [*a, *a]\n"
    assert parse_yaml(text, where="x") == yaml.safe_load(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\nb: 2\na: 3", "the key 'a' stands twice"),
        ("? [a]\n: 1", "no plain word"),
        ("a: !!python/object:os.system x", "could not determine a constructor"),
        ("a: !!timestamp x", "not readable as YAML"),
        ("a: !!bool x", "not readable as YAML"),
        ("a: !!int x", "not readable as YAML"),
        ("a: 1\n---\nb: 2", "single document"),
        ("&a {*a : 1}", "contains itself"),
        ("a: 0x" + "f" * 1000, "1,002 digits"),
    ],
)
def test_what_is_refused_is_named_with_its_place(text: str, says: str) -> None:
    with pytest.raises(SpecError, match=says) as caught:
        parse_yaml(text, where="my.yaml")
    assert caught.value.where == "my.yaml"


def test_the_bounds_are_what_they_say() -> None:
    assert parse_yaml("[" * YAML_DEPTH + "]" * YAML_DEPTH, where="x")
    with pytest.raises(SpecError, match="nested deeper"):
        parse_yaml("[" * (YAML_DEPTH + 1) + "]" * (YAML_DEPTH + 1), where="x")
    assert len(parse_yaml("- 1\n" * (YAML_NODES - 1), where="x")) == YAML_NODES - 1
    with pytest.raises(SpecError, match="more than"):
        parse_yaml("- 1\n" * YAML_NODES, where="x")
