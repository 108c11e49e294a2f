"""YAML of others as plain values: bounded, each key once, no objects."""

from pathlib import Path
from typing import Any

import yaml

from alloop.errors import AlloopError, SpecError
from alloop.files.limits import DIGITS, SPEC_BYTES, YAML_DEPTH, YAML_NODES
from alloop.files.reading import decoded, read_bytes

# In C where the library was built with it: ten times as fast.
_Safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Safe):
    """Safe YAML loader that also refuses a key given twice in one mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build the mapping, each key once."""
        seen: set[Any] = set()
        for each, _ in node.value:
            if each.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(each, deep=True)
            if not isinstance(key, str | int | float | bool | None):
                raise _refusal(each, "this is no plain word; a key is a word")
            if key in seen:
                raise _refusal(each, f"the key {key!r} stands twice")
            seen.add(key)
        built: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return built


def read_yaml(path: Path) -> Any:
    """Return what a YAML file holds, as mappings, lists and plain values.

    Raises:
        SpecError: if it cannot be read, is larger than the bounds, or is not YAML.
    """
    content = read_bytes(path, SPEC_BYTES, error=SpecError)
    return parse_yaml(decoded(content, where=str(path), error=SpecError), where=str(path))


def parse_yaml(
    text: str, *, where: str, error: type[AlloopError] = SpecError, has_aliases: bool = True
) -> Any:
    """Return what YAML text holds, as mappings, lists and plain values.

    Args:
        text: to be read.
        where: what an error calls it.
        error: raised for what cannot be read.
        has_aliases: whether a value may be named once and referred to later.

    Raises:
        AlloopError: of the given kind, if it is larger than the bounds, or is not YAML.
    """
    try:
        _require_shallow(text, has_aliases=has_aliases)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _require_few(node)
            return loader.construct_document(node)
        finally:
            loader.dispose()
    # The library raises these for dates that do not exist, numbers without digits, `!!int x`,
    # `!!bool x` and `!!timestamp x`.
    except (
        yaml.YAMLError,
        ValueError,
        TypeError,
        IndexError,
        KeyError,
        AttributeError,
        OverflowError,
    ) as fault:
        said = " ".join(str(fault).split())
        raise error(f"not readable as YAML: {said}", where=where) from fault


def _require_shallow(text: str, *, has_aliases: bool) -> None:
    """Refuse deep nesting before anything recurses into it, and more nodes than there may be."""
    depth = n_nodes = 0
    for event in yaml.parse(text, Loader=_Safe):
        if isinstance(event, yaml.events.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.events.CollectionEndEvent):
            depth -= 1
        if isinstance(event, yaml.events.NodeEvent):
            n_nodes += 1
        if isinstance(event, yaml.events.AliasEvent) and not has_aliases:
            raise _refusal(event, "references (*) are not read here")
        if depth > YAML_DEPTH:
            raise _refusal(event, f"it is nested deeper than {YAML_DEPTH} levels")
        if n_nodes > YAML_NODES:
            raise _refusal(event, f"it has more than {YAML_NODES:,} keys and values")


def _require_few(root: yaml.Node) -> None:
    """Refuse what is too much once aliases are replaced by what they stand for, and aliases of
    what they stand in.
    """
    sizes: dict[int, int | None] = {}

    def size(node: yaml.Node) -> int:
        if id(node) in sizes:
            known = sizes[id(node)]
            if known is None:
                raise _refusal(node, "it contains itself")
            return known
        if isinstance(node, yaml.ScalarNode):
            if len(node.value) > DIGITS and node.tag.endswith((":int", ":float")):
                raise _refusal(node, f"a number has {len(node.value):,} digits")
            return 1
        sizes[id(node)] = None
        children = node.value if isinstance(node, yaml.SequenceNode) else sum(node.value, ())
        total = 1 + sum(map(size, children))
        if total > YAML_NODES:
            raise _refusal(node, f"with its aliases it has more than {YAML_NODES:,} values")
        sizes[id(node)] = total
        return total

    size(root)


def _refusal(at: Any, what: str) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, what, at.start_mark)
