"""Paired tests give the numbers of textbooks and of R."""

import pytest

from alloop.loop.compare.statistics.significance import (
    holm,
    paired_test,
    pairs_needed,
    power_note,
    signed_rank_p,
    smallest_p,
)

SLEEP = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]
"""Extra hours of sleep, one drug minus the other: Student, Biometrika 6, 1 (1908)."""

# Hamilton depression scale, first and second visit: Hollander & Wolfe (1973), table 3.1; the
# example of R's wilcox.test, which gives V = 40 and p = 0.01953 one-sided.
FIRST = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
SECOND = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]


def test_students_own_example() -> None:
    """R: t.test(extra ~ group, sleep, paired = TRUE) gives p = 0.002833 and 0.70 to 2.46 h."""
    found = paired_test(SLEEP)
    assert found.mean == pytest.approx(1.58)
    assert found.p.t == pytest.approx(0.002833, abs=5e-7)
    assert found.p.t_greater == pytest.approx(0.0014165, abs=5e-7)
    assert found.interval == pytest.approx((0.7001142, 2.4598858), abs=1e-6)


def test_the_signed_rank_test_of_a_textbook() -> None:
    differences = [a - b for a, b in zip(FIRST, SECOND, strict=True)]
    assert signed_rank_p(differences, "greater") == pytest.approx(10 / 512)
    assert signed_rank_p(differences, "two-sided") == pytest.approx(20 / 512)


@pytest.mark.parametrize("n", [2, 5, 8])
def test_pairs_that_all_agree_give_the_smallest_p(n: int) -> None:
    found = paired_test([float(i + 1) for i in range(n)])
    assert (found.p.wilcoxon, found.p.wilcoxon_greater) == pytest.approx(smallest_p(n))
    assert smallest_p(n) == pytest.approx((2 / 2**n, 1 / 2**n))


def test_ties_are_counted_exactly() -> None:
    """Ranks 1.5, 1.5, 3: of the 8 sums only 6 reaches 6, and 4.5 twice besides."""
    assert signed_rank_p([1.0, 1.0, 2.0], "greater") == pytest.approx(1 / 8)
    assert signed_rank_p([-1.0, 1.0, 2.0], "greater") == pytest.approx(3 / 8)


def test_equal_pairs_are_left_out_of_the_ranks() -> None:
    assert signed_rank_p([0.0, 1.0, 2.0, 3.0], "greater") == signed_rank_p(
        [1.0, 2.0, 3.0], "greater"
    )


def test_what_cannot_be_tested_says_why() -> None:
    assert paired_test([1.0]).p.t is None
    assert "two seeds" in paired_test([1.0]).problem
    assert "every pair is equal" in paired_test([0.0, 0.0]).problem
    same = paired_test([2.0] * 5)
    assert same.p.t is None
    assert "no spread" in same.problem
    assert same.p.wilcoxon == pytest.approx(0.0625)


def test_holms_correction() -> None:
    """Wikipedia, "Holm–Bonferroni method": of 0.01, 0.04, 0.03, 0.005 the first and last are
    rejected at 0.05; adjusted by hand."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([0.01, None, 0.04]) == (0.02, None, 0.04)
    assert holm([0.6, 0.7]) == (1.0, 1.0)
    assert holm([]) == ()


def test_what_five_seeds_can_show() -> None:
    assert pairs_needed(0.05) == 6
    assert pairs_needed(0.05, comparisons=5) == 8
    text = power_note(5, 1)
    assert "0.0625 two-sided (0.0312 one-sided)" in text
    assert "takes 6 seeds" in text
    assert "takes" not in power_note(6, 1)
