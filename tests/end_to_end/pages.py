"""The blocks of README.md and docs/, and what a shown output must look like."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCS = tuple(
    ROOT / "docs" / f"{name}.md"
    for name in (
        "campaigns",
        "ready",
        "tiers",
        "people",
        "record",
        "analyses",
        "live",
        "settings",
        "python",
        "concepts",
    )
)
PAGES = (README, *DOCS)
"""In the order in which a reader follows them."""

BLOCK = re.compile(r"```(\w*)\n(.*?)```(?:\n\n```text\n(.*?)```)?", flags=re.DOTALL)
FILE = re.compile(r"\A# (\S+\.yaml)\n")
GAP = "…"


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    language: str
    text: str
    output: str | None
    """What the page shows as the output of the block's last command."""

    @property
    def file(self) -> str | None:
        """Name of the file that the reader is told to write: the first line's comment."""
        named = FILE.match(self.text)
        return named[1] if named else None

    def commands(self) -> Iterator[tuple[str, str | None]]:
        """Yield each alloop command with its shown output, of all but the last none."""
        lines = [line for line in self.text.splitlines() if line.startswith("alloop ")]
        for line in lines:
            yield line, self.output if line is lines[-1] else None


def blocks(*pages: Path) -> list[Block]:
    """Return the blocks of some pages, in order."""
    return [
        Block(language, text, output or None)
        for page in pages
        for language, text, output in BLOCK.findall(page.read_text("utf-8"))
        if language != "text"
    ]


def matches(shown: str, printed: str) -> bool:
    """Return whether a page shows what was printed.

    A line that is ``…`` alone stands for any lines, elsewhere for any text of its line. How wide
    spaces and rules are does not count.
    """
    parts = []
    for line in _plain(shown):
        if line == GAP:
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(".*?".join(re.escape(part) for part in line.split(GAP)) + r"\n")
    return (
        re.fullmatch("".join(parts), "".join(f"{line}\n" for line in _plain(printed))) is not None
    )


def _plain(text: str) -> list[str]:
    return [re.sub(r"[\s─━]+", " ", line).strip() for line in text.strip().splitlines()]
