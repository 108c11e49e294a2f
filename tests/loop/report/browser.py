"""A headless Chromium for the tests of pages; tests skip, saying why, where there is none."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
# A machine without a graphics card draws WebGL with its processor.
FLAGS = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
READY = "html[data-complete]"
"""Mark of a page that has everything in its place; figures are drawn when they are scrolled to."""


def program() -> str:
    """Return the path of Chromium; skips the test where there is none."""
    pytest.importorskip("playwright", reason="playwright, of the dev extra, is not installed")
    found = os.environ.get("ALLOOP_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"none of {', '.join(NAMES)} is installed, and ALLOOP_CHROMIUM names none")
    return found


@contextmanager
def launched() -> Iterator[Any]:
    """Run a browser."""
    path = program()
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Opened:
    """A page in the browser, with what it complained of and asked for."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    """Errors and warnings of the console, and exceptions that nothing caught."""
    requests: list[str] = field(default_factory=list)
    """Addresses outside the file itself that were asked for."""


@contextmanager
def opened(
    browser: Any, path: Path, *, width: int = 1440, scheme: str = "light"
) -> Iterator[Opened]:
    """Open a file of ours, and wait until it is ready."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, accept_downloads=True
    )
    page = context.new_page()
    seen = Opened(page)
    page.on(
        "console",
        lambda m: seen.complaints.append(m.text) if m.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on(
        "request",
        lambda r: None if r.url.startswith(OWN) else seen.requests.append(r.url),
    )
    page.goto(path.resolve().as_uri())
    page.wait_for_selector(READY, timeout=20_000)
    yield seen
    context.close()


OWN = ("file:", "data:", "blob:")


def scroll_through(page: Any) -> None:
    """Have every figure come into the window once, as a reader would, and be drawn."""
    for id in page.evaluate("[...document.querySelectorAll('.plot')].map((plot) => plot.id)"):
        page.locator(f"#{id}").scroll_into_view_if_needed()
        page.locator(f"#{id} .main-svg").first.wait_for(timeout=20_000)
