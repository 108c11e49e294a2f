"""`alloop check`: whether a spec can be run, and what it means in full."""

from alloop.loop.commands.arguments import SetOption, SpecArgument
from alloop.loop.commands.printing.text import say, say_block


def check(spec: SpecArgument, set_: SetOption = None) -> None:
    """Check a campaign, and print it in full.

    No program is started and nothing is written or measured; where the space might be empty, a few
    candidates are made to see that it is not. Labels that it starts with are read, and what is made
    of them is said. What is printed is the spec with its defaults filled in; programs and
    schedulers are those of your settings: see `alloop settings`.
    """
    from alloop.campaigns.load import load_spec

    loaded = load_spec(spec, set_ or ())
    from alloop.loop.checking import check_campaign
    from alloop.loop.opening import spec_to_json, spec_to_yaml

    for remark in check_campaign(loaded):
        say(f"# start: {remark}")  # what is printed stays YAML
    say_block(spec_to_yaml(spec_to_json(loaded)))
