"""The page of a comparison in a browser: drawn, quiet, asking for nothing."""

from pathlib import Path

import pytest

from alloop.loop.compare.comparison import compare
from alloop.loop.compare.page import write_comparison_page
from tests.loop.compare.test_comparison import both
from tests.loop.report.browser import launched, opened, scroll_through


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (360, "dark")])
def test_a_comparison_is_drawn_and_asks_for_nothing(
    tmp_path: Path, width: int, scheme: str
) -> None:
    path = tmp_path / "page.html"
    write_comparison_page(compare(both(tmp_path)), path)
    with launched() as browser, opened(browser, path, width=width, scheme=scheme) as found:
        scroll_through(found.page)
        lines = found.page.locator("#best path.js-line").count()
        assert lines >= 8  # six runs and the middles of two groups
        assert found.complaints == []
        assert found.requests == []
        assert found.page.evaluate("document.documentElement.scrollWidth") == width
