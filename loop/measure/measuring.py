"""Structures from files measured by one oracle, outside any campaign."""

import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pymatgen.core import Element, Species, Structure

from alloop.campaigns.execution import LocalExecution
from alloop.campaigns.parts import build_oracle
from alloop.canonical import canonical_json
from alloop.errors import AlloopError, MaterialError
from alloop.files.structure_files import read_structure
from alloop.loop.measure.dispatch import Task, measure_all
from alloop.loop.measure.execution import MeasuringPool
from alloop.loop.measure.spool import Spool, attempt_id, attempt_of
from alloop.materials import material_to_json
from alloop.oracles.base import Cost, FailureKind, Measurement, Oracle
from alloop.oracles.options import OracleOptions


@dataclass(frozen=True)
class MeasuredFile:
    """A structure file with its measurement."""

    path: Path
    measurement: Measurement
    remarks: tuple[str, ...] = ()
    """Remarks of the file's parser."""


def measure_files(
    paths: Sequence[Path],
    tier: OracleOptions,
    *,
    workers: int = 1,
    on_progress: Callable[[int], None] = lambda done: None,
) -> list[MeasuredFile]:
    """Measure the structure in each file, in worker processes, and return them in order.

    What cannot be read, or cannot be measured, is a failed measurement with the reason; one that
    was never begun has cost nothing.

    Args:
        paths: CIF, POSCAR or extended XYZ files.
        tier: the oracle.
        workers: processes on this machine.
        on_progress: told how many files are answered.

    Returns:
        One answer per file; its cost is that of all attempts.

    Raises:
        AlloopError: if the oracle cannot work at all.
    """
    oracle = build_oracle(tier, ())
    found: dict[str, MeasuredFile] = {}
    waiting: deque[Task] = deque()
    remarks: dict[str, tuple[str, ...]] = {}
    treats = _ElementCheck(tier)
    for place, path in enumerate(paths):
        id = str(place)
        try:
            file = read_structure(path)
            _require_crystal(file.structure)
            treats.require(file.structure)
        except MaterialError as error:
            found[id] = MeasuredFile(path, _refused(oracle, error))
        else:
            waiting.append(_task(id, file.structure))
            remarks[id] = file.remarks
    on_progress(len(found))
    if waiting:
        oracle = build_oracle(tier, sorted(treats.elements))
        with (
            tempfile.TemporaryDirectory(prefix="alloop-") as folder,
            MeasuringPool(
                [oracle],
                [tier.timeout],
                LocalExecution(workers=workers),
                Spool.temporary(Path(folder) / "spool"),
            ) as pool,
        ):
            limit = min(tier.workers or 2 * workers, 2 * workers)
            spent: dict[str, Cost] = {}
            for task, measurement in measure_all(pool, waiting, limits=[limit]):
                id, attempt = attempt_of(task.id)
                spent[id] = spent.get(id, Cost()) + measurement.cost
                failure = measurement.failure
                if failure is not None and failure.retryable and attempt < tier.attempts:
                    waiting.append(replace(task, id=attempt_id(id, attempt + 1)))
                    continue
                answer = replace(measurement, cost=spent[id])
                found[id] = MeasuredFile(paths[int(id)], answer, remarks[id])
                on_progress(len(found))
    return [found[str(place)] for place in range(len(paths))]


def _task(id: str, structure: Structure) -> Task:
    # As text, which is what travels: it is smaller than the structure.
    content = canonical_json(material_to_json(structure))
    return Task(id, 0, lambda: content)


class _ElementCheck:
    """Check of the elements that an oracle treats, each set of them asked about once."""

    def __init__(self, tier: OracleOptions) -> None:
        self._tier = tier
        self._answers: dict[frozenset[str], AlloopError | None] = {}
        self.elements: set[str] = set()

    def require(self, structure: Structure) -> None:
        """Refuse a structure with elements that the oracle cannot treat.

        Raises:
            MaterialError: with what the oracle says of them.
        """
        symbols = frozenset(structure.symbol_set)
        if symbols not in self._answers:
            try:
                build_oracle(self._tier, sorted(symbols))
                self._answers[symbols] = None
            except AlloopError as error:
                self._answers[symbols] = error
        if (refusal := self._answers[symbols]) is not None:
            raise MaterialError(refusal.what, where=refusal.where, remedy=refusal.remedy)
        self.elements |= symbols


class _NotFinite(MaterialError):
    pass


def _require_crystal(structure: Structure) -> None:
    """Refuse what no oracle is given.

    Raises:
        MaterialError: if sites are disordered or no elements, the crystal is not periodic, or a
            number is not finite.
    """
    if len(structure) == 0:
        raise MaterialError("it has no atoms")
    if not structure.is_ordered:
        raise MaterialError("it has partly occupied sites", remedy="Order it first.")
    if strange := [s for s in structure.species if not isinstance(s, Element | Species)]:
        raise MaterialError(f"{strange[0]} is not an element")
    if not all(structure.lattice.pbc):
        raise MaterialError("it is not periodic in all three directions")
    if not (
        np.isfinite(structure.lattice.matrix).all() and np.isfinite(structure.frac_coords).all()
    ):
        raise _NotFinite("a lattice vector or a position is not finite")


def _refused(oracle: Oracle, error: MaterialError) -> Measurement:
    kind = FailureKind.UNPHYSICAL if isinstance(error, _NotFinite) else FailureKind.UNSUPPORTED
    message = f"{error.what}. {error.remedy}" if error.remedy else error.what
    return Measurement.failed(
        kind, message, oracle=oracle.name, fingerprint=oracle.fingerprint(), cost=Cost()
    )
