"""Labels of each tier, as the key ``start`` of another campaign reads them."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pymatgen.core import Structure

from alloop.errors import DataError
from alloop.loop.export.contents import Exported
from alloop.loop.export.structures import frames_text
from alloop.loop.run_folder import RunFolder
from alloop.oracles.base import Status

FOLDER = "labels"
_LABELS = re.compile(r"tier-(\d{1,3})\.(?:extxyz|csv)")


def label_files(folder: RunFolder, items: Sequence[Exported]) -> Iterator[tuple[str, bytes]]:
    """Yield a file for each tier that answered: extended XYZ of the candidates as they were
    proposed or, where these are compositions, a table of formulas. Values in doubt are left out.

    Raises:
        LedgerError: if a candidate is missing from the run.
    """
    for tier in range(len(folder.state.spec.tiers)):
        labels = [
            (item, folder.store.get_material(item.measured.candidate))
            for item in items
            if item.measured.tier == tier and item.measured.status is Status.OK
        ]
        structures = [(i, m) for i, m in labels if isinstance(m, Structure)]
        if structures:
            frames = [(m, {"candidate": i.measured.candidate, **_values(i)}) for i, m in structures]
            yield f"{FOLDER}/tier-{tier}.extxyz", frames_text(frames).encode()
        elif labels:
            yield f"{FOLDER}/tier-{tier}.csv", _table([item for item, _ in labels]).encode()


def _values(item: Exported) -> dict[str, float]:
    m = item.measured
    return {name: value for name, value in m.properties.items() if name not in m.doubts}


def _table(items: Sequence[Exported]) -> str:
    names = list(dict.fromkeys(name for item in items for name in _values(item)))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["formula", *names])
    for item in items:
        values = _values(item)
        writer.writerow([item.decision.formula, *(values.get(name, "") for name in names)])
    return text.getvalue()


def start_of(export: Path) -> dict[str, Any]:
    """Return the key ``start`` with which a campaign begins with an export's labels.

    Args:
        export: the folder of an export.

    Raises:
        DataError: if it is none, or has no labels.
    """
    places = sorted(
        (int(found.group(1)), path)
        for path in (export / FOLDER).glob("tier-*")
        if path.is_file() and (found := _LABELS.fullmatch(path.name))
    )
    if not places:
        raise DataError(
            f"there are no labels in a folder {FOLDER}",
            where=str(export),
            remedy="Name a folder that `alloop export` has written.",
        )
    return {"start": {"labels": [{"file": str(path.absolute()), "tier": n} for n, path in places]}}
