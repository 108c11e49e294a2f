"""`alloop schema`: what an editor needs to know of a spec."""

import json


def schema() -> None:
    """Print the JSON schema of campaign specs.

    It knows every installed kind of tier and model. An editor with a YAML language server completes
    keys, shows what they mean and marks mistakes where a file's first line names it:
    `# yaml-language-server: $schema=PATH`, as the ready campaigns' and those of `alloop init` do.
    """
    from alloop.campaigns.editing.schema import campaign_schema

    print(json.dumps(campaign_schema(), indent=1, ensure_ascii=False))
