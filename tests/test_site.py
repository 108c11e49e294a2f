"""The documentation as a site: it is built without a warning, and its pages are what they say."""

import subprocess
import sys
from pathlib import Path

import pytest

from alloop.campaigns.spec import CampaignSpec
from alloop.kinds import MODELS, ORACLES, installed_kinds

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_every_key_and_kind_is_in_the_reference(site: Path) -> None:
    page = (site / "reference" / "campaign.html").read_text("utf-8")
    assert all(f"<code>{key}</code>" in page for key in CampaignSpec.model_fields)
    for kind in (*installed_kinds(ORACLES), *installed_kinds(MODELS)):
        assert f"of kind <code>{kind}</code>" in page


def test_pages_ask_nothing_of_any_server(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 15
    for page in pages:
        text = page.read_text("utf-8")
        assert 'src="http' not in text, page
        assert 'rel="stylesheet" href="http' not in text, page
