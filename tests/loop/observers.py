"""Observers of a controller that say nothing."""

from alloop.loop.record.events import LedgerEntry
from alloop.loop.state.campaign_state import CampaignState
from alloop.loop.steps import Step


class Silent:
    """Watches and says nothing; tests that wait for one thing extend it."""

    def step(self, step: Step, state: CampaignState) -> None: ...

    def progress(self, share: float, message: str) -> None: ...

    def event(self, entry: LedgerEntry) -> None: ...
