"""Notebooks of the ready campaigns: executed, and as pages of the site.

`python -m docs._site.notebooks NAME …` executes docs/notebooks/NAME.md, each in a folder of its
own, and writes build/notebooks/NAME.ipynb; without names, all. Those whose data set is not at hand
are left out, and said.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import jupytext
import nbformat
from nbclient import NotebookClient
from nbconvert import MarkdownExporter
from nbformat import NotebookNode
from traitlets.config import Config

from alloop.campaigns.load import load_spec
from alloop.errors import DataError
from alloop.oracles.table.options import TableOptions
from alloop.public_data.datasets import find_file

ROOT = Path(__file__).parents[2]
SOURCES = {path.stem: path for path in sorted(ROOT.glob("docs/notebooks/*.md"))}
"""Notebooks by name of their campaign, as Markdown without outputs."""
EXECUTED = ROOT / "build" / "notebooks"
LIMIT = 3600
"""Seconds after which a cell is given up."""


def main(names: Sequence[str]) -> None:
    """Execute some notebooks, or all, and write them."""
    EXECUTED.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("ALLOOP_CACHE", "off")  # what is shown is measured here and now
    for name in names or SOURCES:
        if problem := missing_data(name):
            print(f"{name}: not executed: {problem}", flush=True)
            continue
        print(f"{name} …", flush=True)
        with TemporaryDirectory() as folder:
            nbformat.write(executed(name, Path(folder)), EXECUTED / f"{name}.ipynb")


def missing_data(name: str) -> str:
    """Return what is missing for a campaign, with the remedy; empty where nothing is."""
    try:
        for tier in load_spec(name).tiers:
            if isinstance(tier, TableOptions) and tier.dataset is not None:
                find_file(tier.dataset)
    except DataError as error:
        return str(error)
    return ""


def executed(name: str, folder: Path) -> NotebookNode:
    """Execute a campaign's notebook in a folder and return it with its outputs.

    Raises:
        CellExecutionError: if a cell raises.
    """
    notebook = jupytext.read(SOURCES[name], fmt="md")
    with TemporaryDirectory() as sockets:
        manager = {"transport": "ipc", "ip": f"{sockets}/kernel"}  # no port that others could reach
        client = NotebookClient(
            notebook,
            timeout=LIMIT,
            kernel_name="python3",
            resources={"metadata": {"path": str(folder)}},
            config=Config({"KernelManager": manager}),
        )
        return client.execute(env=os.environ | {"PYTHONWARNINGS": "ignore:IProgress not found"})


def as_page(path: Path) -> tuple[str, Mapping[str, bytes]]:
    """Return an executed notebook as Markdown, and its pictures by address from the page."""
    resources = {"output_files_dir": f"{path.stem}_files"}
    page, made = MarkdownExporter().from_filename(str(path), resources=resources)
    return f"{page}\n\n[Download this notebook]({path.name})\n", made["outputs"]


if __name__ == "__main__":
    main(sys.argv[1:])
