"""`alloop check`: whether a spec can be run, and what it means in full."""

from alloop.loop.commands.arguments import SetOption, SpecArgument
from alloop.loop.commands.printing.text import say, say_block


def check(spec: SpecArgument, set_: SetOption = None) -> None:
    """Check a campaign, and print it in full.

    No program is started and nothing is written or measured; where the space might be empty, a few
    candidates are made to see that it is not. What is printed is the spec with its defaults filled
    in; programs and schedulers are those of your settings: see `alloop settings`.
    """
    from alloop.campaigns.load import load_spec

    loaded = load_spec(spec, set_ or ())
    from alloop.campaigns.parts import check_oracle_ready
    from alloop.loop.opening import spec_to_json, spec_to_yaml

    for tier in loaded.tiers:
        check_oracle_ready(tier, loaded.space.elements)
    loaded.execution.check_ready()
    if not loaded.space.is_certainly_possible() or loaded.acquisition.candidates == "table":
        from alloop.loop.choose.random_candidates import check_not_empty

        check_not_empty(loaded)
    if loaded.start is not None:
        from alloop.loop.people.bringing import labels_at_start

        for remark in labels_at_start(loaded).remarks:
            say(f"# start: {remark}")  # what is printed stays YAML
    say_block(spec_to_yaml(spec_to_json(loaded)))
