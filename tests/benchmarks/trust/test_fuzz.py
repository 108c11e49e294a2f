"""Mutated files end in an answer or in a refusal; `make fuzz` tries a hundred thousand of them."""

import random
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.trust.malformed import fuzz
from benchmarks.trust.malformed.fuzz_targets import TARGETS, fed
from benchmarks.trust.malformed.mutations import mutated_bytes, mutated_text, mutated_tree


@pytest.mark.parametrize("target", TARGETS)
def test_a_mutated_file_is_taken_or_refused_in_a_sentence(target: str, tmp_path: Path) -> None:
    @settings(
        max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
    )
    @given(rng=st.randoms(use_true_random=False))
    def feed(rng: random.Random) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fed(TARGETS[target], tmp_path, rng)  # raises whatever is no refusal

    feed()


@pytest.mark.parametrize("target", TARGETS)
def test_some_inputs_of_each_target_are_taken(target: str, tmp_path: Path) -> None:
    """A target that refuses everything reads nothing."""
    with warnings.catch_warnings():
        found = fuzz.feed(target, range(60), tmp_path)
    assert found.n_inputs == 60
    assert 0 < found.n_taken < 60
    assert found.faults == []
    assert found.hung == []


def test_tracebacks_and_hangs_are_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def target(folder: Path, rng: random.Random) -> bool:
        if rng.random() < 0.5:
            raise KeyError("x")
        while True:
            pass

    monkeypatch.setattr(fuzz, "TARGETS", {"bad": target})
    monkeypatch.setattr(fuzz, "HANG", 0.01)
    with warnings.catch_warnings():
        found = fuzz.feed("bad", range(12), tmp_path)
    assert len(found.faults) + len(found.hung) == 12
    assert found.faults
    assert found.hung
    assert "KeyError" in found.faults[0]


@given(text=st.text(min_size=1), content=st.binary(), seed=st.integers())
def test_mutations_can_be_made_again(text: str, content: bytes, seed: int) -> None:
    for change, value in ((mutated_text, text), (mutated_bytes, content), (mutated_tree, [text])):
        once, again = (change(value, random.Random(seed)) for _ in range(2))  # type: ignore[operator]
        assert str(once) == str(again)
