"""Check of a campaign before it is run: everything that can be told without measuring."""

from alloop.campaigns.parts import check_oracle_ready
from alloop.campaigns.spec import CampaignSpec


def check_campaign(spec: CampaignSpec) -> tuple[str, ...]:
    """Check that a campaign can be run, and return what there is to say of what it starts with.

    No program is started, and nothing is written or measured; where the space might be empty, a few
    candidates are made to see that it is not.

    Raises:
        AlloopError: naming what is missing, impossible or empty, and the remedy.
    """
    for tier in spec.tiers:
        check_oracle_ready(tier, spec.space.elements)
    spec.execution.check_ready()
    remarks: tuple[str, ...] = ()
    has_some = False
    if spec.start is not None:
        from alloop.loop.people.bringing import labels_at_start  # noqa: PLC0415 (most bring nothing)

        brought = labels_at_start(spec)
        remarks, has_some = brought.remarks, brought.has_some_in_space
    if not has_some:
        require_candidates(spec)
    return remarks


def require_candidates(spec: CampaignSpec) -> None:
    """Check that a space is not empty, where it might be.

    Raises:
        SpecError: naming the rule that refuses the most.
        MaterialError: if nothing can be drawn.
    """
    if not spec.space.is_certainly_possible() or spec.draws_rows:
        from alloop.loop.choose.random_candidates import check_not_empty  # noqa: PLC0415 (slow)

        check_not_empty(spec)
