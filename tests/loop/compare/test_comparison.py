"""Runs side by side: how they are grouped, what counts, and what cannot be compared."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from alloop.canonical import sha256
from alloop.errors import RunError
from alloop.loop.compare.comparison import Comparison, compare
from alloop.loop.compare.statistics.curves import Band
from alloop.loop.record.events import Stage
from tests.loop.compare.strategies import Doubtful, run_of
from tests.loop.ledger import decision, measured, proposed

OURS = [[100, 110, 130, 140], [101, 111, 131, 151], [102, 112, 132, 162]]
RANDOM = [[100, 110, 111, 111], [101, 111, 112, 114], [102, 112, 113, 117]]


def both(tmp_path: Path) -> list[Path]:
    """Three seeds of two strategies."""
    return [
        run_of(tmp_path / f"{strategy}-{seed}", values, seed=seed, strategy=strategy)
        for strategy, runs in (("latent-bo", OURS), ("random", RANDOM))
        for seed, values in enumerate(runs, start=1)
    ]


def outside(modulus: float) -> dict[str, float]:
    """A label that breaks the constraint."""
    return {"bulk_modulus": modulus, "formation_energy_per_atom": 0.5}


def names(comparison: Comparison) -> list[str]:
    return [group.name for group in comparison.groups]


def test_seeds_are_repeats_of_a_strategy(tmp_path: Path) -> None:
    found = compare(both(tmp_path))
    assert names(found) == ["latent-bo", "random"]
    assert [group.group.seeds() for group in found.groups] == [(1, 2, 3), (1, 2, 3)]
    assert found.named("random").band.middle.tolist() == [101, 111, 112, 114]
    assert found.at == (4,)


def test_factors_and_tests_against_random(tmp_path: Path) -> None:
    (contrast,) = compare(both(tmp_path)).contrasts
    assert (contrast.name, contrast.baseline) == ("latent-bo", "random")
    assert contrast.gain == 151 - 114
    assert contrast.enhancement_best == pytest.approx(151 / 114)
    # random's median after 4 labels is 114, with its 4th; ours are there with their 3rd
    (reached,) = contrast.accelerations
    assert (reached.target, reached.labels, reached.baseline_labels) == (114, 3, 4)
    assert (reached.reached, reached.baseline_reached) == (3, 2)
    assert reached.factor == pytest.approx(4 / 3)
    assert contrast.seeds == (1, 2, 3)
    assert contrast.same_start == 3
    assert contrast.test.differences == (29.0, 37.0, 45.0)
    assert contrast.test.p.wilcoxon == pytest.approx(0.25)


def test_length_name_and_scheduling_make_no_group(tmp_path: Path) -> None:
    runs = [
        run_of(tmp_path / "a", [1, 2, 3], seed=1),
        run_of(
            tmp_path / "b",
            [1, 2, 4],
            seed=2,
            name="another",
            budget={"initial": 2, "rounds": 9, "measurements": [50]},
            execution={"kind": "local", "workers": 1},
        ),
        run_of(tmp_path / "c", [1, 2, 5], strategy="latent-bo"),
    ]
    assert [len(group.runs) for group in compare(runs).groups] == [2, 1]


def test_where_all_else_agrees_names_make_the_groups(tmp_path: Path) -> None:
    runs = [run_of(tmp_path / n, [1, 2, i], name=n) for i, n in enumerate(("old", "new"))]
    assert names(compare(runs)) == ["old", "new"]


def test_groups_of_one_strategy_are_told_apart_by_what_differs(tmp_path: Path) -> None:
    runs = [
        run_of(tmp_path / str(n), [1, 2, n], acquisition={"strategy": "random", "batch": n})
        for n in (4, 8)
    ]
    assert names(compare(runs)) == ["acquisition.batch=4", "acquisition.batch=8"]


def test_labels_of_ones_own(tmp_path: Path) -> None:
    runs = both(tmp_path)
    found = compare(runs[:3], labels={"chance": runs[3:]}, baselines=["chance"])
    assert names(found) == ["chance", "made-up"]
    with pytest.raises(RunError, match="two labels"):
        compare(labels={"a": runs[:2], "b": runs[1:]})
    with pytest.raises(RunError, match="two groups are named latent-bo"):
        compare(runs[:4], labels={"latent-bo": runs[4:]})


def test_a_run_given_twice_is_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = both(tmp_path)
    monkeypatch.chdir(tmp_path)
    found = compare([*runs, runs[0].name, f"../{tmp_path.name}/{runs[0].name}"])
    assert [len(group.runs) for group in found.groups] == [3, 3]


def test_a_label_in_doubt_is_not_judged(tmp_path: Path) -> None:
    found = compare(
        [
            run_of(tmp_path / "a", [100, Doubtful(900.0), 110]),
            run_of(tmp_path / "b", [100, 101, 102], strategy="latent-bo"),
        ]
    )
    assert found.named("random").curves[0].tolist() == [100, 100, 110]


def test_infeasible_and_failed_labels_cost_but_are_never_the_best(tmp_path: Path) -> None:
    found = compare(
        [
            run_of(tmp_path / "a", [100, None, outside(500), 120]),
            run_of(tmp_path / "b", [outside(500), 100, 110, 110], strategy="latent-bo"),
        ]
    )
    assert found.named("random").curves[0].tolist() == [100, 100, 100, 120]
    assert found.named("latent-bo").curves[0].tolist() == [-np.inf, 100, 110, 110]
    assert found.progress.optimum == 120


def test_promotions_and_unasked_results_are_no_labels(tmp_path: Path) -> None:
    tiers = [
        {"kind": "lammps", "potential": "NiFeCr-Wu2017"},
        {"kind": "lammps", "potential": "NiFeCr-Wu2017", "promote": 1},
    ]
    values = {"bulk_modulus": 900.0, "formation_energy_per_atom": 0.0}
    unasked = [
        proposed(1, Stage.UNREQUESTED, [decision("a gift")]),
        measured(1, Stage.UNREQUESTED, sha256("a gift"), values, fingerprint="oracle"),
    ]
    promoted = [
        proposed(1, Stage.PROMOTION, [decision("1 0")], tier=1),
        measured(1, Stage.PROMOTION, sha256("1 0"), values, fingerprint="top tier", tier=1),
    ]
    found = compare(
        [
            run_of(tmp_path / "a", [100, 101], more=unasked),
            run_of(tmp_path / "b", [100, 102], strategy="latent-bo"),
        ]
    )
    assert found.named("random").curves[0].tolist() == [100, 101]
    assert any("1 result reported by people unasked" in note for note in found.notes)
    budget = {"initial": 2, "rounds": 1, "measurements": [10, 5]}
    runs = [
        run_of(tmp_path / n, [100, 101 + i], more=promoted, tiers=tiers, budget=budget, name=n)
        for i, n in enumerate("cd")
    ]
    found = compare(runs)
    assert [len(group.curves[0]) for group in found.groups] == [2, 2]
    assert found.progress.optimum == 102
    assert any("2 measurements by higher tiers are not counted" in note for note in found.notes)


def test_what_is_minimised_is_better_when_lower(tmp_path: Path) -> None:
    goal = {"objectives": [{"property": "bulk_modulus", "goal": "minimise"}]}
    found = compare(
        [
            run_of(tmp_path / "a", [100, 90, 80], **goal),
            run_of(tmp_path / "b", [100, 90, 60], strategy="latent-bo", **goal),
        ],
        targets=[85],
    )
    (contrast,) = found.contrasts
    assert contrast.gain == 20
    assert contrast.enhancement_best == pytest.approx(80 / 60)
    assert found.progress.shown(contrast.accelerations[0].target) == 85
    assert contrast.accelerations[0].factor == 1.0


def test_a_window_is_measured_by_the_distance_from_it(tmp_path: Path) -> None:
    goal = {"objectives": [{"property": "bulk_modulus", "goal": "window", "window": [100, 110]}]}
    found = compare(
        [
            run_of(tmp_path / "a", [90, 96, 130], **goal),
            run_of(tmp_path / "b", [90, 96, 105], strategy="latent-bo", **goal),
        ]
    )
    shown = [found.progress.shown(u) for u in found.named("random").curves[0]]
    assert shown == [10, 4, 4]
    assert found.progress.shown(found.named("latent-bo").curves[0][-1]) == 0


def test_runs_of_different_lengths_are_compared_as_far_as_all_go(tmp_path: Path) -> None:
    runs = both(tmp_path)
    runs.append(run_of(tmp_path / "short", [103, 113], seed=4, closed=False))
    found = compare(runs)
    assert found.at == (2,)
    assert len(found.named("latent-bo").band.middle) == 4
    assert len(found.named("random").band.middle) == 2
    assert any("runs have 2 to 4 labels; the band ends where" in note for note in found.notes)
    assert any("1 of 4 runs still open" in note for note in found.notes)
    with pytest.raises(RunError, match="short has 2"):
        compare(runs, at=[3])


def test_several_numbers_and_baselines_are_corrected_together(tmp_path: Path) -> None:
    runs = both(tmp_path)
    runs += [
        run_of(tmp_path / f"u-{seed}", [v - 1 for v in values], seed=seed, strategy="uncertainty")
        for seed, values in enumerate(RANDOM, start=1)
    ]
    found = compare(runs, baselines=["random", "uncertainty"], at=[3, 4])
    assert [(c.baseline, c.n) for c in found.contrasts] == [
        ("random", 3),
        ("uncertainty", 3),
        ("random", 4),
        ("uncertainty", 4),
    ]
    for contrast in found.contrasts:
        assert contrast.test.p.wilcoxon == pytest.approx(0.25)
        assert contrast.corrected.wilcoxon == pytest.approx(0.5)


def test_seeds_that_do_not_pair_are_said(tmp_path: Path) -> None:
    runs = [
        run_of(tmp_path / "a", [1, 2, 3], seed=1),
        run_of(tmp_path / "b", [1, 2, 4], seed=2, strategy="latent-bo"),
        run_of(tmp_path / "c", [1, 2, 5], seed=2, strategy="latent-bo"),
    ]
    found = compare(runs)
    assert "several runs of seed 2" in found.contrasts[0].test.problem
    assert "no seed in common" in compare(runs[:2]).contrasts[0].test.problem


TWO = [
    {"property": "bulk_modulus", "goal": "maximise"},
    {"property": "density", "goal": "minimise"},
]


def two(modulus: float, density: float, energy: float = 0.0) -> dict[str, float]:
    return {"bulk_modulus": modulus, "density": density, "formation_energy_per_atom": energy}


def fronts(tmp_path: Path) -> list[Path]:
    return [
        run_of(tmp_path / "a", [two(100, 9), two(110, 10), two(90, 8.5)], objectives=TWO),
        run_of(
            tmp_path / "b",
            [two(100, 9), two(110, 10), two(130, 9), two(500, 1, energy=0.5)],
            objectives=TWO,
            strategy="latent-bo",
        ),
    ]


def test_several_objectives_are_compared_by_hypervolume(tmp_path: Path) -> None:
    found = compare(fronts(tmp_path), reference={"bulk_modulus": 80, "density": 11})
    # a: boxes of 20 × 2 and 30 × 1 share 20 × 1; then 10 × 2.5 adds 10 × 0.5
    assert found.named("random").curves[0] == pytest.approx([40, 50, 55])
    # b: 50 × 2 covers the two before it; the last one is infeasible
    assert found.named("latent-bo").curves[0] == pytest.approx([40, 50, 100, 100])
    assert found.contrasts[0].enhancement_best == pytest.approx(100 / 55)
    assert [label.utilities for label in found.named("latent-bo").runs[0].front] == [(130, -9)]
    assert len(found.named("random").runs[0].front) == 3
    assert found.progress.optimum == pytest.approx(50 * 2 + 10 * 0.5)
    assert found.progress.unit == "GPa × g/cm³"


def test_a_reference_point_is_inferred_and_said(tmp_path: Path) -> None:
    found = compare(fronts(tmp_path))
    # the front of all: (130, 9) and (90, 8.5); a tenth of 40 and 0.5 beyond the worst
    assert found.progress.reference_shown() == pytest.approx({"bulk_modulus": 86, "density": 9.05})
    assert any("reference point bulk_modulus 86, density 9.05" in note for note in found.notes)


def test_a_standard_error_if_asked(tmp_path: Path) -> None:
    found = compare(both(tmp_path), band=Band.STANDARD_ERROR)
    assert found.named("random").band.middle.tolist() == [101, 111, 112, 114]
    assert found.named("random").band.high[-1] == pytest.approx(114 + 3 / np.sqrt(3))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"fingerprint": "another"}, "the first tier"),
        ({"constraints": []}, "constraints"),
        ({"space": {"elements": ["Ni", "Fe"], "atoms": 54}}, r"the space \(.*atoms 16 in .*54 in"),
        ({"objectives": TWO}, "objectives"),
    ],
)
def test_what_is_not_comparable_is_refused_and_said(
    changes: dict[str, object], said: str, tmp_path: Path
) -> None:
    values = [two(100, 9), two(101, 10), two(102, 9)]
    runs = [run_of(tmp_path / "a", values), run_of(tmp_path / "b", values[:2], **changes)]  # type: ignore[arg-type]
    with pytest.raises(RunError, match=said) as error:
        compare(runs)
    assert "--allow-differences" in str(error.value)
    found = compare(runs, allow_differences=True)
    assert found.notes[0].startswith("The runs differ in")


@pytest.mark.parametrize(
    ("values", "options", "said"),
    [
        ([[1, 2]], {}, "there is 1 run to compare"),
        ([], {}, "there is no run to compare"),
        ([[1, 2], [1, 3]], {"baselines": ["annealing"]}, "no group annealing"),
        ([[1, 2], [1, 3]], {"baselines": ["random", "latent-bo"]}, "every group is a baseline"),
        ([[5, 5], [5, 5]], {}, "bulk_modulus is the same in all 4 feasible labels"),
        ([[None, None], [None, None]], {}, "no run has a feasible label"),
        ([[], [1, 2]], {}, "run-0 has no label yet"),
        ([[1, 2], [1, 3]], {"optimum": 2.5}, "found 3, and the optimum is given as 2.5"),
        ([[1, 2], [1, 3]], {"optimum": float("nan")}, "the optimum is given as nan"),
        ([[1, 2], [1, 3]], {"reference": {"bulk_modulus": 1.0}}, "with one objective"),
    ],
)
def test_bad_input_is_said_with_a_remedy(
    values: Sequence[Sequence[float]], options: dict[str, object], said: str, tmp_path: Path
) -> None:
    strategies = ("random", "latent-bo")
    runs = [
        run_of(tmp_path / f"run-{i}", each, strategy=strategies[i], closed=False)
        for i, each in enumerate(values)
    ]
    with pytest.raises(RunError, match=said) as error:
        compare(runs, **options)  # type: ignore[arg-type]
    assert error.value.remedy


def test_no_common_objective_and_a_reference_that_nothing_reaches(tmp_path: Path) -> None:
    other = {"objectives": [{"property": "density", "goal": "minimise"}]}
    values = [two(100, 9), two(101, 10)]
    runs = [run_of(tmp_path / "a", values), run_of(tmp_path / "b", values, **other)]  # type: ignore[arg-type]
    with pytest.raises(RunError, match="no common objective"):
        compare(runs, allow_differences=True)
    with pytest.raises(RunError, match="better than the reference point"):
        compare(fronts(tmp_path / "two"), reference={"bulk_modulus": 600, "density": 11})
    with pytest.raises(RunError, match="the optimum is given as 1"):
        compare(fronts(tmp_path / "four"), optimum=1.0)
    with pytest.raises(RunError, match="for each of bulk_modulus, density"):
        compare(fronts(tmp_path / "three"), reference={"bulk_modulus": 600})
