"""Reading of YAML whose size in memory is that of its text: no references, no key twice."""

from typing import Any

import yaml

from alloop.errors import SettingsError


class _Loader(yaml.SafeLoader):
    """Safe YAML loader that also refuses a key given twice, and references."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Build a node, none of which stands for another: those multiply."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise yaml.composer.ComposerError(None, None, "references (*) are not read", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build the mapping, each key once."""
        keys = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key is a word", key.start_mark
                )
            if key.value in keys:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            keys.add(key.value)
        return super().construct_mapping(node, deep=deep)


def parse(content: bytes, *, where: str) -> Any:
    """Return the plain value of a YAML text; an empty mapping for an empty one.

    Raises:
        SettingsError: if it is no YAML, has a key twice, or has references.
    """
    try:
        data = yaml.load(content.decode(), Loader=_Loader)  # noqa: S506 (a safe loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        text = " ".join(str(error).split()) or type(error).__name__
        raise SettingsError(f"not readable as YAML: {text}", where=where) from error
    return {} if data is None else data
