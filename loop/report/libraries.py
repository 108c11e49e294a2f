"""Libraries that the page carries: packed in base64, run under the hash of what they unpack to.

They come from npm as they are (``vendor/README.md``). Packed they take a third of the bytes; the
page unpacks one when there is something for it to draw.
"""

import base64
import gzip
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

VENDOR = Path(__file__).parent / "vendor"
FILES = {
    "plotly": ("plotly-basic.min.js", "plotly-basic.LICENSE"),
    "3dmol": ("3Dmol-min.js", "3Dmol.LICENSE"),
}
"""Script and licence of each library."""


@dataclass(frozen=True)
class Library:
    """A library as the page carries it."""

    name: str
    script: str
    """What runs: its licence as a comment, and the library."""

    @property
    def packed(self) -> str:
        """The script, gzipped (the same bytes each time) and base64-coded."""
        return _packed(self.script)


@lru_cache
def library(name: str) -> Library:
    """Return a library by the name that the page's scripts know it by.

    Raises:
        KeyError: if there is none of that name.
    """
    script, licence = (_read(VENDOR / file) for file in FILES[name])
    return Library(name, f"/*!\n{licence.strip().replace('*/', '* /')}\n*/\n{script}")


@lru_cache
def _packed(script: str) -> str:
    return base64.b64encode(gzip.compress(script.encode(), 9, mtime=0)).decode()


def content_policy(scripts: list[str], *, live: bool = False) -> str:
    """Return a content security policy under which only these scripts run and nothing loads; of a
    live page, nothing but from where it came."""
    allowed = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    connect = "connect-src 'self'; " if live else ""
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        f"{connect}img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


@lru_cache
def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@lru_cache
def bundle(*paths: Path) -> str:
    """Return scripts as one that leaves nothing behind in the page's global names."""
    parts = [_read(path) for path in paths]
    return '"use strict";\n(() => {\n' + "\n".join(parts) + "})();\n"


def _read(path: Path) -> str:
    # A browser hashes a script with its line ends made single.
    return path.read_text(encoding="utf-8").replace("\r\n", "\n").replace("\r", "\n")
