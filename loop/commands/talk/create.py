"""`alloop create`: a run that has begun, and measured nothing."""

from alloop.loop.commands.arguments import NewRunOption, SetOption, SpecArgument, TrustOption
from alloop.loop.commands.printing.text import say


def create(
    spec: SpecArgument,
    run: NewRunOption = None,
    set_: SetOption = None,
    trust: TrustOption = False,
) -> None:
    """Begin a campaign without measuring anything.

    `alloop suggest` shows its first batch, `alloop resume` runs it.
    """
    from alloop.campaigns.load import load_spec

    loaded = load_spec(spec, set_ or ())
    from alloop.loop.python.campaign import Campaign

    campaign = Campaign.create(loaded, run=run, trust=trust)
    say(f"campaign {loaded.name} in {campaign.path}")
    say(f"head {campaign.head}")
