"""Everything learnt goes back: labels of every tier, partial ones, and materials without any."""

from typing import Any

import numpy as np
import pytest
from pymatgen.core import Composition

from alloop.canonical import sha256
from alloop.loop.choose.fidelity import corrections
from alloop.loop.choose.known_values import known_materials, known_values
from alloop.loop.choose.screening import Seen
from alloop.loop.choose.training_set import training_set
from alloop.loop.record.events import Measured, Stage
from alloop.models.base import Dataset
from alloop.oracles.base import FailureKind
from tests.loop.ledger import decision, measured, proposed
from tests.loop.told import FINGERPRINTS, Told

PAIRS = {f"{i}:Ni8Fe8": (180.0 + i, 0.01 * i) for i in range(8)}
"""Names of candidates, with bulk modulus in GPa and formation energy in eV/atom."""


class Shelf:
    """A store that gives an alloy for every candidate; two differ if their ids do."""

    def get_material(self, id: str) -> Composition:
        nickel = int(id[:6], 16) / 16**6
        return Composition({"Ni": nickel, "Fe": 1 - nickel})

    shared_material = get_material


class Learner:
    """A model of which nothing is used but how much it takes."""

    def most_unlabelled(self, n_labelled: int) -> int:
        return n_labelled


def dataset(story: Told, model: object = None) -> Dataset:
    return training_set(story.state, Shelf(), Seen(), model or Learner())  # type: ignore[arg-type]


def two_tiers(n_pairs: int, **changes: Any) -> Told:
    """Return a campaign in which the higher tier says 0.5 × low + 60, for so many pairs."""
    story = Told(changes)
    story.measure(0, Stage.INITIAL, PAIRS)
    story.choose(0, Stage.PROMOTION, list(PAIRS)[:n_pairs], tier=1)
    for name, (modulus, energy) in list(PAIRS.items())[:n_pairs]:
        story.answer(0, Stage.PROMOTION, name, 0.5 * modulus + 60, energy, tier=1)
    return story


def failed_below(story: Told) -> str:
    """Let the first tier miss a candidate that the higher one then measures at 165 GPa."""
    name = "late:Ni9Fe7"
    story.choose(1, Stage.ACQUISITION, [name])
    story.events.append(
        measured(
            1,
            Stage.ACQUISITION,
            sha256(name),
            None,
            fingerprint=FINGERPRINTS[0],
            failure=FailureKind.TIMEOUT,
        )
    )
    story.choose(1, Stage.PROMOTION, [name], tier=1)
    story.answer(1, Stage.PROMOTION, name, 165.0, 0.03, tier=1)
    return sha256(name)


def partly(story: Told, name: str, **properties: float) -> None:
    """Let people report a part of a candidate's properties."""
    story.choose(1, Stage.ACQUISITION, [name])
    story.events.append(
        measured(
            1,
            Stage.ACQUISITION,
            sha256(name),
            properties,
            fingerprint=FINGERPRINTS[0],
            is_partial=True,
        )
    )


def test_what_only_the_higher_tier_measured_comes_down_by_the_inverse_of_the_line() -> None:
    story = two_tiers(8)
    id = failed_below(story)
    offset, slope = corrections(story.state, 1)["bulk_modulus"].line
    (late,) = [known for known in known_values(story.state) if known.candidate == id]
    assert late.properties["bulk_modulus"] == pytest.approx((165.0 - offset) / slope)
    assert offset + slope * late.properties["bulk_modulus"] == pytest.approx(165.0)


def test_a_few_pairs_carry_nothing_down_and_the_option_keeps_it_out() -> None:
    few, off = two_tiers(4), two_tiers(8, learning={"higher_tiers": False})
    for story in (few, off):
        id = failed_below(story)
        assert id not in {known.candidate for known in known_values(story.state)}


def test_where_the_top_tier_is_aimed_at_its_own_labels_are_what_is_known() -> None:
    changes = {"promotion": {"when": "round"}, "acquisition": {"aim": "top-tier"}}
    story = two_tiers(6, **changes)
    offset, slope = corrections(story.state, 1)["bulk_modulus"].line
    found = {
        known.candidate: known.properties["bulk_modulus"] for known in known_values(story.state)
    }
    for place, (name, (modulus, _)) in enumerate(PAIRS.items()):
        value = found[sha256(name)]
        if place < 6:
            assert offset + slope * value == pytest.approx(0.5 * modulus + 60)
        else:
            assert value == modulus, "measured by the first tier alone"
    first = two_tiers(6)
    assert [k.properties["bulk_modulus"] for k in known_values(first.state)] == [
        modulus for modulus, _ in PAIRS.values()
    ]


def test_people_s_partial_results_are_rows_with_unknown_values() -> None:
    story = Told()
    story.measure(0, Stage.INITIAL, PAIRS)
    partly(story, "half:Ni9Fe7", bulk_modulus=191.0)
    found = known_materials(story.state, Shelf())  # type: ignore[arg-type]
    assert next(iter(found.materials)) == sha256("7:Ni8Fe8"), "the best stands first"
    assert list(found.materials)[-1] == sha256("half:Ni9Fe7")
    np.testing.assert_array_equal(found.values[-1], [191.0, np.nan])
    data = dataset(story)
    np.testing.assert_array_equal(data.labels[8], [191.0, np.nan])
    assert len(data) == 9


def test_candidates_that_were_never_measured_are_rows_without_labels_the_newest_kept() -> None:
    story = Told({"learning": {"unlabelled": 3}})
    story.measure(0, Stage.INITIAL, PAIRS)
    rules = ["acquisition", "acquisition", "duplicate", "fractions", "acquisition", None]
    names = [f"r{i}:Ni9Fe7" for i in range(len(rules))]
    decisions = [
        decision(name, chosen=rule is None, rule=rule)
        for name, rule in zip(names, rules, strict=True)
    ]
    story.events.append(proposed(1, Stage.ACQUISITION, decisions))
    data = dataset(story)
    assert len(data) == 8 + 3
    expected = [Shelf().get_material(sha256(names[i])) for i in (1, 4, 5)]
    assert list(data.materials[8:]) == expected
    assert np.isnan(data.labels[8:]).all()
    assert not data.is_augmented[8:].any()
    assert np.isfinite(data.labels[:8]).all()


def test_what_proved_infeasible_is_no_example() -> None:
    story = Told()
    story.measure(0, Stage.INITIAL, PAIRS)
    story.choose(1, Stage.ACQUISITION, ["bad:Ni", "missing:Fe"])
    for name, kind in (("bad:Ni", FailureKind.LOST_ATOMS), ("missing:Fe", FailureKind.TIMEOUT)):
        story.events.append(
            measured(
                1, Stage.ACQUISITION, sha256(name), None, fingerprint=FINGERPRINTS[0], failure=kind
            )
        )
    data = dataset(story)
    assert list(data.materials[8:]) == [Shelf().get_material(sha256("missing:Fe"))]


def test_a_model_that_draws_its_own_or_an_option_of_0_gets_no_unlabelled_rows() -> None:
    story = Told()
    story.measure(0, Stage.INITIAL, PAIRS)
    story.choose(1, Stage.ACQUISITION, ["missing:Fe"])
    assert len(dataset(story)) == 9
    assert len(dataset(story, object())) == 8
    off = Told({"learning": {"unlabelled": 0}}, [])
    off.events.extend(story.events[1:])
    assert len(dataset(off)) == 8


def test_a_label_gone_astray_does_not_reach_the_model() -> None:
    story = Told()
    story.measure(0, Stage.INITIAL, PAIRS | {"wrong:Fe": (1e12, 0.0)})
    assert dataset(story).labels[:, 0].max() == 187.0
    assert known_materials(story.state, Shelf()).values[:, 0].max() == 187.0  # type: ignore[arg-type]


class Relaxed(Learner):
    """A learner that asks where atoms come to rest."""

    def learns_relaxed(self) -> bool:
        return True


def test_only_a_model_that_asks_gets_relaxed_materials_the_lower_tier_s() -> None:
    story = two_tiers(2)
    first, second = (sha256(name) for name in list(PAIRS)[:2])
    low, high = sha256("low"), sha256("high")
    for place, event in enumerate(story.events):
        if isinstance(event, Measured) and event.candidate == first:
            at_rest = high if event.tier else low
            story.events[place] = event.model_copy(update={"relaxed": at_rest})
        elif isinstance(event, Measured) and event.candidate == second and event.tier:
            story.events[place] = event.model_copy(update={"relaxed": high})
    assert dataset(story).relaxed == ()
    found = dataset(story, Relaxed()).relaxed
    expected = [Shelf().get_material(low), Shelf().get_material(high), *[None] * 6]
    assert list(found) == expected


def test_what_was_measured_on_a_scale_not_known_yet_is_an_example_all_the_same() -> None:
    """One pair of tiers says nothing of the map between them."""
    story = two_tiers(1)
    late = failed_below(story)
    data = dataset(story)
    assert len(data) == 8 + 1
    assert data.materials[8] == Shelf().get_material(late)
    assert np.isnan(data.labels[8]).all()
    assert len(dataset(story, object())) == 8
