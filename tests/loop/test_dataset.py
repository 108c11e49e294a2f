import itertools
from pathlib import Path

import pandas as pd
import pytest
from pymatgen.core import Structure

from alloop.errors import RunError
from alloop.materials import Material
from loop.dataset import MEASUREMENTS, DatasetPlan, compositions, make_dataset
from models.pcdvae.table import read_table
from oracles.base import Cost, FailureKind, Measurement, Status

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
                FailureKind.ABSURD, "no", oracle=self.name, fingerprint=self.settings, cost=Cost()
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
    expected = make_dataset(PLAN, whole, tmp_path / "whole").read_text("utf-8")
    folder = tmp_path / "resumed"
    with pytest.raises(KeyboardInterrupt):
        make_dataset(PLAN, Alternating(dies_after=20), folder)
    with (folder / MEASUREMENTS).open("a") as file:
        file.write('{"id": "cut of')
    rest = Alternating()
    assert make_dataset(PLAN, rest, folder).read_text("utf-8") == expected
    assert rest.calls == whole.calls - 20, "nothing is measured twice"


def test_the_table_can_be_read_and_search_improves(tmp_path: Path) -> None:
    path = make_dataset(PLAN, Alternating(), tmp_path)
    table = read_table(path, {"bulk_modulus": "bulk_modulus"})
    assert not table.refused
    frame = pd.read_csv(path)
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
    path = make_dataset(PLAN, Alternating(), tmp_path)
    failed = pd.read_csv(tmp_path / "failed.csv")
    assert set(failed["reason"]) <= {"no"}
    made = pd.read_csv(path)["material_id"]
    assert not set(failed["material_id"]) & set(made)
    assert len(failed) + (~made.str.endswith("_search")).sum() == 18
