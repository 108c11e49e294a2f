"""Datasets made with an oracle: decorated cells over a composition space, measured.

The procedure is deterministic, and every measurement is written down the moment it arrives. So
to resume is to do it again: what was measured is not measured twice.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pymatgen.core import Structure

from alloop.canonical import canonical_json
from alloop.durable import write_durably
from alloop.errors import RunError
from alloop.exchanges import exchanged_structure
from alloop.files.spreadsheet import spreadsheet_cell
from alloop.lattices import LatticeName
from alloop.materials import formula_of, material_id
from alloop.models.lattice.parent import ParentLattice
from alloop.oracles.base import Measurement, Oracle, Status
from alloop.seeds import derive_seed

TRAINING, TEST = "train.csv", "test.csv"
MEASUREMENTS, FAILED = "measurements.jsonl", "failed.csv"
PROPERTIES = ("bulk_modulus", "energy_per_atom", "formation_energy_per_atom", "volume_per_atom")
GRID = 0.1
"""Step of the element fractions, which are rounded to whole atoms."""


@dataclass(frozen=True)
class DatasetPlan:
    """Plan of a dataset."""

    elements: tuple[str, ...] = ("Ni", "Fe", "Cr")
    lattices: tuple[LatticeName, ...] = ("fcc", "bcc")
    atoms: int = 16
    per_composition: int = 20
    """Number of random orderings of each composition on each lattice."""
    search_share: float = 0.0
    """Share of the orderings to be improved by local search as well; 0.1 in AlloGen."""
    search_iterations: int = 20
    search_swaps: int = 20
    test_share: float = 0.2
    """Share of the pairs of formula and lattice that is held out. AlloGen splits by rows, so that
    most of its test rows have relatives in training."""
    seed: int = 0


@dataclass(frozen=True)
class MadeDataset:
    """Files and sizes of a dataset that was made."""

    training: Path
    test: Path
    failed: Path
    n_training: int
    n_test: int
    n_failed: int


class RememberingOracle:
    """Oracle that keeps its measurements in a file and repeats none of them.

    Args:
        inner: that answers.
        path: of the answers, one JSON object per line.

    Raises:
        RunError: if the file holds another oracle's answers, or is damaged before its last line.
    """

    def __init__(self, inner: Oracle, path: Path) -> None:
        self.inner, self.path = inner, path
        self.n_measured = 0
        """Answers that the inner oracle gave."""
        self._answers: dict[str, Measurement] = {}
        self._read()

    def measure(self, material: Structure) -> Measurement:
        """Return the measurement, from the file if it is there."""
        id = material_id(material)
        if id not in self._answers:
            answer = self.inner.measure(material)
            self.n_measured += 1
            written = answer.to_json()
            line = canonical_json({"id": id, "measurement": written})
            with self.path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
            # As it will be read: coordinates are rounded on their way into the file.
            self._answers[id] = Measurement.from_json(written)
        return self._answers[id]

    def _read(self) -> None:
        if not self.path.exists():
            return
        content = self.path.read_text("utf-8")
        whole, _, cut = content.rpartition("\n")
        if cut:  # the line that was being written when the process ended
            write_durably(self.path, (whole + "\n" if whole else "").encode())
        for number, line in enumerate(whole.splitlines(), start=1):
            try:
                record = json.loads(line)
                answer = Measurement.from_json(record["measurement"])
                id = record["id"]
            except (ValueError, KeyError, TypeError) as error:
                raise RunError(
                    f"line {number} is not a measurement ({error})", where=str(self.path)
                ) from error
            if answer.fingerprint != self.inner.fingerprint():
                raise RunError(
                    f"line {number} was measured with other settings ({answer.oracle})",
                    where=str(self.path),
                    remedy="Give another folder, or the potential it was begun with.",
                )
            self._answers[id] = answer


def make_dataset(
    plan: DatasetPlan,
    oracle: Oracle,
    folder: Path,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> MadeDataset:
    """Measure everything in the plan and write tables in CDVAE's format.

    Args:
        plan: what to make.
        oracle: gives relaxed structures and their properties.
        folder: of the tables and of the measurements, to resume from.
        on_progress: told how many of how many orderings are measured.

    Returns:
        Where the tables are: relaxed structures as ``cif``, the lattice they began on as ``sym``,
        ``material_id``, ``pretty_formula``, ``is_augmented`` and the properties. No pair of
        formula and lattice is in both. Structures whose measurement failed are in ``failed.csv``,
        with the reason.

    Raises:
        RunError: if the folder holds the measurements of another oracle.
    """
    folder.mkdir(parents=True, exist_ok=True)
    remembering = RememberingOracle(oracle, folder / MEASUREMENTS)
    total = len(plan.lattices) * len(compositions(plan)) * plan.per_composition
    rows, failed, done = [], [], 0
    for name, lattice, is_augmented, answer in _measured(plan, remembering):
        done += not is_augmented
        if on_progress:
            on_progress(done, total)
        doubt = answer.doubt(PROPERTIES)
        if answer.status is Status.OK and not doubt and isinstance(answer.material, Structure):
            rows.append(_row(name, lattice, is_augmented, answer, answer.material))
        else:
            given = doubt or "the oracle gave no structure"
            reason = answer.failure.message if answer.failure else given
            failed.append({"material_id": name, "reason": spreadsheet_cell(reason)})
    pd.DataFrame(failed, columns=["material_id", "reason"]).to_csv(folder / FAILED, index=False)
    frame = pd.DataFrame(rows)
    is_test = _is_held_out(plan, frame)
    frame[~is_test].to_csv(folder / TRAINING, index=False)
    frame[is_test].to_csv(folder / TEST, index=False)
    return MadeDataset(
        training=folder / TRAINING,
        test=folder / TEST,
        failed=folder / FAILED,
        n_training=int((~is_test).sum()),
        n_test=int(is_test.sum()),
        n_failed=len(failed),
    )


def compositions(plan: DatasetPlan) -> list[tuple[int, ...]]:
    """Return atoms of each element, of every mixture of at least two on the grid, each once."""
    steps = round(1 / GRID)
    found = set()
    for fractions in _parts(steps, len(plan.elements)):
        exact = np.array(fractions) * plan.atoms / steps
        counts = np.floor(exact).astype(int)
        largest = np.argsort(counts - exact, kind="stable")[: plan.atoms - counts.sum()]
        counts[largest] += 1
        if np.count_nonzero(counts) > 1:
            found.add(tuple(int(n) for n in counts))
    return sorted(found)


def _measured(
    plan: DatasetPlan, oracle: RememberingOracle
) -> Iterator[tuple[str, LatticeName, bool, Measurement]]:
    for lattice in plan.lattices:
        parent = ParentLattice.of_size(lattice, plan.atoms)
        for counts in compositions(plan):
            species = np.repeat(plan.elements, counts)
            for number in range(plan.per_composition):
                seed = derive_seed(plan.seed, "ordering", lattice, *counts, number)
                rng = np.random.default_rng(seed)
                structure = parent.structure(rng.permutation(species).tolist())
                name = f"{formula_of(structure)}_{lattice}_{number}"
                answer = oracle.measure(structure)
                yield name, lattice, False, answer
                if answer.status is Status.OK and rng.random() < plan.search_share:
                    yield (
                        f"{name}_search",
                        lattice,
                        True,
                        _searched(plan, oracle, structure, answer, rng),
                    )


def _searched(
    plan: DatasetPlan,
    oracle: RememberingOracle,
    structure: Structure,
    answer: Measurement,
    rng: np.random.Generator,
) -> Measurement:
    """Exchange unlike atoms; go on from the best of each iteration (AlloGen, section 3.2)."""
    for _ in range(plan.search_iterations):
        best, best_answer = structure, answer
        for _ in range(plan.search_swaps):
            neighbour = _exchanged(structure, rng)
            found = oracle.measure(neighbour)
            if (
                found.status is Status.OK
                and not found.doubt(PROPERTIES)
                and (found.properties["bulk_modulus"] > best_answer.properties["bulk_modulus"])
            ):
                best, best_answer = neighbour, found
        structure, answer = best, best_answer
    return answer


def _exchanged(structure: Structure, rng: np.random.Generator) -> Structure:
    species = [site.specie.symbol for site in structure]
    while True:
        i, j = rng.choice(len(species), size=2, replace=False)
        if species[i] != species[j]:
            break
    return exchanged_structure(structure, (int(i), int(j)))


def _is_held_out(plan: DatasetPlan, frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which rows are for the test: whole groups of one formula on one lattice."""
    groups = (frame["pretty_formula"] + " " + frame["sym"]).to_numpy(str)
    shuffled = np.random.default_rng(plan.seed).permutation(np.unique(groups))
    return np.isin(groups, shuffled[: round(plan.test_share * len(shuffled))])


def _row(
    name: str,
    lattice: LatticeName,
    is_augmented: bool,
    answer: Measurement,
    relaxed: Structure,
) -> dict[str, object]:
    return {
        "material_id": name,
        "pretty_formula": formula_of(relaxed),
        "sym": lattice,
        "is_augmented": is_augmented,
        **{key: answer.properties.get(key) for key in PROPERTIES},
        "cif": relaxed.to(fmt="cif"),
    }


def _parts(total: int, n: int) -> Iterator[Sequence[int]]:
    """Yield all ways to write a total as n whole numbers in order."""
    if n == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _parts(total - first, n - 1):
            yield (first, *rest)
