import itertools
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from pymatgen.core import Structure

from alloop.errors import RunError
from alloop.loop.dataset import MEASUREMENTS, DatasetPlan, compositions, make_dataset
from alloop.materials import Material
from alloop.models.crystal_table import read_crystal_table
from alloop.oracles.base import Cost, FailureKind, Measurement, Status

PLAN = DatasetPlan(
    elements=("Ni", "Cr"),
    atoms=16,
    per_composition=1,
    search_share=1.0,
    search_iterations=2,
    search_swaps=3,
)


class Alternating:
    """Measures how many of the neighbouring sites in a cell's order are unlike."""

    name = "alternating"

    def __init__(self, *, settings: str = "a", dies_after: int | None = None) -> None:
        self.settings, self.dies_after, self.calls = settings, dies_after, 0

    def fingerprint(self) -> str:
        return self.settings

    def measure(self, material: Material) -> Measurement:
        assert isinstance(material, Structure)
        if self.calls == self.dies_after:
            raise KeyboardInterrupt
        self.calls += 1
        species = [site.specie.symbol for site in material]
        if species.count("Ni") == 8 and species[0] == "Ni":
            return Measurement.failed(
                FailureKind.UNPHYSICAL,
                "no",
                oracle=self.name,
                fingerprint=self.settings,
                cost=Cost(),
            )
        unlike = sum(a != b for a, b in itertools.pairwise(species))
        return Measurement(
            Status.OK, {"bulk_modulus": float(unlike)}, material, None, self.name, self.settings
        )


def test_compositions_are_mixtures_of_whole_atoms() -> None:
    two = compositions(PLAN)
    assert all(sum(counts) == 16 and min(counts) > 0 for counts in two)
    assert [counts[0] for counts in two] == [2, 3, 5, 6, 8, 10, 11, 13, 14]
    three = compositions(DatasetPlan(atoms=54))
    assert len(three) == 63  # 36 ternaries and 27 binaries on a grid of tenths
    assert len(set(three)) == len(three)


def test_an_interrupted_making_goes_on(tmp_path: Path) -> None:
    whole = Alternating()
    expected = make_dataset(PLAN, whole, tmp_path / "whole")
    folder = tmp_path / "resumed"
    with pytest.raises(KeyboardInterrupt):
        make_dataset(PLAN, Alternating(dies_after=20), folder)
    with (folder / MEASUREMENTS).open("a") as file:
        file.write('{"id": "cut of')
    rest = Alternating()
    found = make_dataset(PLAN, rest, folder)
    assert found.training.read_text("utf-8") == expected.training.read_text("utf-8")
    assert found.test.read_text("utf-8") == expected.test.read_text("utf-8")
    assert rest.calls == whole.calls - 20, "nothing is measured twice"


def test_the_table_can_be_read_and_search_improves(tmp_path: Path) -> None:
    made = make_dataset(PLAN, Alternating(), tmp_path)
    table = read_crystal_table(made.training, {"bulk_modulus": "bulk_modulus"})
    assert not table.skipped
    assert len(table.rows) == made.n_training
    frame = pd.concat([pd.read_csv(made.training), pd.read_csv(made.test)])
    start = frame[~frame["is_augmented"]].set_index("material_id")["bulk_modulus"]
    found = frame[frame["is_augmented"]].set_index("material_id")["bulk_modulus"]
    gains = [found[f"{name}_search"] - start[name] for name in start.index]
    assert min(gains) >= 0
    assert max(gains) > 0
    assert set(frame["sym"]) == {"fcc", "bcc"}


def test_measurements_of_another_oracle_are_refused(tmp_path: Path) -> None:
    make_dataset(PLAN, Alternating(), tmp_path)
    with pytest.raises(RunError, match="other settings"):
        make_dataset(PLAN, Alternating(settings="b"), tmp_path)


def test_failures_are_listed_with_their_reason(tmp_path: Path) -> None:
    found = make_dataset(PLAN, Alternating(), tmp_path)
    failed = pd.read_csv(found.failed)
    assert set(failed["reason"]) <= {"no"}
    names = pd.concat([pd.read_csv(found.training), pd.read_csv(found.test)])["material_id"]
    assert not set(failed["material_id"]) & set(names)
    assert len(failed) + (~names.str.endswith("_search")).sum() == 18


def test_no_formula_of_a_lattice_is_on_both_sides(tmp_path: Path) -> None:
    plan = replace(PLAN, per_composition=3)
    made = make_dataset(plan, Alternating(), tmp_path)
    sides = [pd.read_csv(path) for path in (made.training, made.test)]
    groups = [set(zip(side["pretty_formula"], side["sym"], strict=True)) for side in sides]
    assert not groups[0] & groups[1]
    assert len(groups[1]) == round(plan.test_share * (len(groups[0]) + len(groups[1])))


def test_progress_counts_orderings(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    make_dataset(PLAN, Alternating(), tmp_path, on_progress=lambda *now: told.append(now))
    assert told[-1] == (18, 18)
    assert told == sorted(told)
