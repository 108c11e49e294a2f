"""Pictures of the ready campaigns for docs/ready.md, from runs at their ready budgets.

`ALLOOP_BENCH_RUNS=DIR python -m docs._site.pictures [NAME …]` draws into docs/pictures what
Chromium shows of a section of the report of each run that `python -m benchmarks.house NAME` left
there.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from alloop.campaigns.load import ready_campaigns
from benchmarks.kept_runs import runs_folder
from benchmarks.page.report import browser_page

PICTURES = Path(__file__).parents[1] / "pictures"
USUAL = "#trajectory"
SECTIONS = {
    "hea-single-phase": "#latent-map",
    "hea-single-phase-lab": "#latent-map",
    "fcc-stacking-fault": "#pareto",
}
"""Element of the report that says most about a campaign, where it is not the best so far."""
WIDTH, HEIGHT = 760, 900
COLOURS = 64
"""Colours of a picture: enough for a diagram, and a third of the bytes."""


def main(names: Sequence[str]) -> None:
    """Draw the pictures of some campaigns, or of all whose runs are there."""
    PICTURES.mkdir(exist_ok=True)
    with runs_folder("ready") as runs:
        for name in names or ready_campaigns():
            report = runs / name / "report.html"
            if not report.is_file():
                print(f"{name}: no report in {runs / name}; `python -m benchmarks.house {name}`")
                continue
            draw(report, SECTIONS.get(name, USUAL), PICTURES / f"{name}.png")
            print(name, flush=True)


def draw(report: Path, element: str, picture: Path) -> None:
    """Write what the browser shows of an element of a report."""
    with browser_page() as page:
        page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
        page.goto(report.resolve().as_uri())
        page.wait_for_selector("html[data-complete]", timeout=120_000)
        shown = page.locator(element).first
        shown.scroll_into_view_if_needed()
        page.wait_for_timeout(1500)  # drawn when it comes into view
        shown.screenshot(path=picture)
    with Image.open(picture) as drawn:
        drawn.convert("RGB").quantize(COLOURS).save(picture, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1:])
