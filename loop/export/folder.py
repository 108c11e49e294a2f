"""The folder of an export, made whole or not at all."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from alloop.errors import RunError
from alloop.loop.export.contents import Exported, contents
from alloop.loop.export.crate import write_crate
from alloop.loop.export.labels import label_files
from alloop.loop.export.remeasure import SCRIPT, Remeasuring, remeasuring
from alloop.loop.export.structures import cif, extended_xyz, optimade_structures, with_structures
from alloop.loop.export.tables import measurements_csv, measurements_json
from alloop.loop.run_folder import RunFolder

SPEC = "spec.yaml"
CSV = "measurements.csv"
JSON = "measurements.json"
XYZ = "structures.extxyz"
OPTIMADE = "structures.optimade.json"


@dataclass(frozen=True)
class Export:
    """What was written."""

    n_measurements: int
    n_structures: int
    remeasured: Remeasuring | None
    """What ``remeasure.sh`` measures again; None where there is no such script."""


def export(folder: RunFolder, to: Path) -> Export:
    """Write a run's measurements and structures into a new folder.

    Args:
        folder: the run.
        to: must not exist.

    Raises:
        RunError: if it exists, or cannot be written.
        AlloopError: if an artifact of the run, or a file that its best is measured with, is missing
            or changed; nothing is left behind then.
    """
    try:
        to.mkdir()
    except FileExistsError as error:
        raise RunError(
            "there is something of that name already, and nothing is written over",
            where=str(to),
            remedy="Name a folder that does not exist.",
        ) from error
    except OSError as error:
        raise _refused(to, error) from error
    try:
        return _write(folder, to)
    except OSError as error:
        shutil.rmtree(to, ignore_errors=True)
        raise _refused(to, error) from error
    except BaseException:
        shutil.rmtree(to, ignore_errors=True)
        raise


def _write(folder: RunFolder, to: Path) -> Export:
    items = tuple(contents(folder))
    best = remeasuring(folder)
    for name, content in _files(folder, items, best):
        path = to / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    if best is not None:
        (to / SCRIPT).chmod(0o755)
    write_crate(folder, items, best, to)
    return Export(len(items), sum(1 for _ in with_structures(items)), best)


def _files(
    folder: RunFolder, items: tuple[Exported, ...], best: Remeasuring | None
) -> Iterator[tuple[str, bytes]]:
    spec = folder.state.spec
    text = yaml.safe_dump(spec.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    yield SPEC, text.encode()
    yield CSV, measurements_csv(items, spec.property_names()).encode()
    yield JSON, measurements_json(items, spec.name, spec.units(), folder.head).encode()
    structures = list(with_structures(items))
    if structures:
        yield XYZ, extended_xyz(items).encode()
        yield OPTIMADE, optimade_structures(items, folder.state.latest).encode()
    for item, structure in structures:
        assert item.cif is not None, "it has a structure"
        yield item.cif, cif(structure).encode()
    yield from label_files(folder, items)
    if best is not None:
        yield from best.files.items()


def _refused(to: Path, error: OSError) -> RunError:
    return RunError(
        f"cannot be written ({error.strerror})",
        where=str(to),
        remedy="Make room, or name another folder.",
    )
