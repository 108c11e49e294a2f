from collections.abc import Callable
from typing import Any

import pytest

from alloop.campaigns.spec import CampaignSpec
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.report.page import render_report
from tests.loop.report.synthetic import Diary, campaign, spec_of


@pytest.fixture(scope="session")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Diary:
    """A closed campaign of three rounds; not to be written to."""
    return campaign(spec_of(), ArtifactStore(tmp_path_factory.mktemp("closed")))


@pytest.fixture(scope="session")
def page(closed: Diary) -> str:
    """Its report."""
    return render(closed)


@pytest.fixture
def diary(tmp_path: Any) -> Callable[..., Diary]:
    """Returns a campaign that has only been opened."""

    def make(spec: CampaignSpec | None = None, **how: Any) -> Diary:
        return Diary(spec or spec_of(), ArtifactStore(tmp_path / "artifacts"), **how)

    return make


def render(diary: Diary) -> str:
    return render_report(diary.state, diary.store, head=diary.head)
