"""The benchmarks of the search: the script beside, launches of several seeds, the stopwatch."""

from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Composition

from alloop.loop.record.events import Proposed
from alloop.loop.run_folder import RunFolder
from alloop.models.base import Dataset
from benchmarks.kept_runs import KEEP
from benchmarks.search import __main__ as search_main
from benchmarks.search import learning, unlabelled
from benchmarks.search.baselines.ordering_script import INITIAL, Cell, search
from benchmarks.search.batch_seconds import BATCH, time_of_choice
from benchmarks.search.seeds import Strategy, of_kind, run_seeds

CELL = Cell()
EQUAL = np.repeat([0, 1, 2], 18)


def random_orderings(n: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    return np.array([rng.permutation(EQUAL) for _ in range(n)])


def test_shells_have_the_coordination_numbers_of_fcc() -> None:
    assert [shell.shape[1] for shell in CELL.pairs] == [12, 6, 24, 12, 24, 8]
    # of the 66 pairs of nearest neighbours 24 are 60° apart, 12 90°, 24 120° and 6 180°
    assert [triples.shape[1] for triples in CELL.triangles] == [24, 12, 24, 6]


def test_pair_correlations_are_those_that_pymatgen_counts() -> None:
    (ordering,) = random_orderings(1)
    structure = CELL.structure(ordering)
    likes = np.zeros((2, 3))
    for i, around in enumerate(structure.get_all_neighbors(3.6)):
        for neighbour in around:
            shell = 0 if neighbour.nn_distance < 3 else 1
            likes[shell, ordering[i]] += ordering[neighbour.index] == ordering[i]
    expected = likes / (54 * np.array([[12], [6]]))
    assert CELL.correlations(ordering[None])[0, :6] == pytest.approx(expected.ravel())


def test_correlations_know_no_origin() -> None:
    (ordering,) = random_orderings(1)
    there = (CELL.sites + np.array([1 / 3, 0, 2 / 3])) % 1.0
    moved = [
        int(np.abs((there - site + 0.5) % 1 - 0.5).sum(axis=1).argmin()) for site in CELL.sites
    ]
    found = CELL.correlations(np.array([ordering, ordering[moved]]))
    assert not np.array_equal(ordering, ordering[moved])
    assert found[0] == pytest.approx(found[1])


def test_the_script_climbs_far_above_chance() -> None:
    """Few like nearest neighbours: 96 labels, against the best of 2,000 random orderings."""

    def unlike(orderings: np.ndarray) -> np.ndarray:
        return -CELL.correlations(orderings)[:, :3].sum(axis=1)

    found = list(search(1, 96, unlike))
    assert len(found) == 96
    assert max(found[:INITIAL]) <= unlike(random_orderings(2000)).max() < max(found)


def test_failed_labels_are_spent_and_not_learnt_from() -> None:
    def half(orderings: np.ndarray) -> np.ndarray:
        values = -CELL.correlations(orderings)[:, 0]
        values[::2] = np.nan
        return values

    found = np.array(list(search(1, 80, half)))
    assert len(found) == 80
    assert np.isnan(found).sum() == 40


SMALL = {
    "name": "small",
    "space": {"elements": ["Ni", "Fe"], "atoms": 16, "lattices": ["fcc"]},
    "objectives": [{"property": "bulk_modulus", "goal": "maximise"}],
    "tiers": [{"kind": "lammps", "potential": "NiFeCr-Wu2017"}],
    "budget": {"initial": 4, "rounds": 1, "measurements": [6]},
    "execution": {"kind": "local", "workers": 1},
}


def test_strategies_share_first_labels_and_pay_for_them_once(tmp_path: Path) -> None:
    strategies = [of_kind("random", batch=2), Strategy("again", of_kind("random", 1).overrides)]
    runs = run_seeds(SMALL, strategies, tmp_path, seeds=[3])
    first, again = (RunFolder.read(runs[s.name][0]).state for s in strategies)
    assert first.spec.seed == again.spec.seed == 3
    assert [p.decisions for p in first.proposals[:1]] == [p.decisions for p in again.proposals[:1]]
    assert sum(m.reuse is not None for m in first.recorded.values()) == 0
    assert sum(m.reuse is not None for m in again.recorded.values()) >= 4
    # once more, nothing is done again
    before = first.latest
    run_seeds(SMALL, strategies, tmp_path, seeds=[3])
    assert RunFolder.read(runs["random"][0]).state.latest == before


def test_a_launch_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"random-1 failed: .*cold"):
        run_seeds(SMALL | {"cold": 1}, [of_kind("random")], tmp_path, seeds=[1])


def test_the_stopwatch_times_one_choice_and_measures_nothing(tmp_path: Path) -> None:
    watch = time_of_choice(tmp_path / "run", 20)
    assert set(watch.seconds) == {"Fit", "Propose"}
    folder = RunFolder.read(tmp_path / "run")
    last = folder.entries[-1].event
    assert isinstance(last, Proposed)
    assert sum(decision.chosen for decision in last.decisions) == BATCH
    assert len(folder.state.recorded) == 20


def test_unknown_parts_are_named() -> None:
    with pytest.raises(SystemExit, match="no part fixd; there are fixed, ternary"):
        search_main.main(["fixd"])


@pytest.mark.nightly
def test_the_worth_of_a_higher_tier_is_counted_by_its_own_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEEP, str(tmp_path))
    small = (
        "space.atoms=16",
        "model={kind: lattice, width: 8, depth: 1, epochs: 1, unlabelled: 32}",
        "budget={initial: 8, rounds: 1, measurements: [11, 3]}",
        "acquisition.batch=3",
        # Another strain makes another oracle of seconds.
        "tiers.1={kind: lammps, potential: NiFeCr-Wu2017, strain: 0.004, promote: 3}",
    )
    figures = learning.measure(
        seeds=(1,), strategies=(learning.WITH, learning.WITHOUT), overrides=small
    )
    for name in ("with", "without"):
        state = RunFolder.read(tmp_path / "learning" / f"{name}-1").state
        by_higher_tier = [m.properties["bulk_modulus"] for m in state.answers(1)]
        assert len(by_higher_tier) == 3
        assert figures[f"higher_tier_{name}_seed_1_gpa"] == max(by_higher_tier)


def test_without_unlabelled_rows_the_labels_are_the_same() -> None:
    labels = np.array([[1.0], [np.nan], [0.0]])
    alloys = tuple(map(Composition, ("NiFe", "NiCr", "FeCr")))
    data = Dataset(alloys, ("single_phase_probability",), labels, np.zeros(3, bool))
    kept = unlabelled.labelled_rows(data)
    assert kept.materials == (alloys[0], alloys[2])
    assert kept.labels.tolist() == [[1.0], [0.0]]
