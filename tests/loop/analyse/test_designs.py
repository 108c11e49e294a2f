"""Designs are what was asked for by their own predictions, and say what cannot be believed."""

from pathlib import Path

import pytest
from pymatgen.core import Composition, Structure

from alloop.errors import DataError, RunError
from alloop.loop.analyse.design import design, design_at, design_between, design_from
from alloop.loop.analyse.design_files import write_designs
from alloop.loop.analyse.targets import target_at, target_of
from alloop.loop.analyse.trained_run import TrainedRun
from alloop.loop.people.materials_in import materials_in
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.run_folder import RunFolder
from alloop.materials import composition_of
from alloop.models.metrics.exchanged import atoms_exchanged
from tests.loop.analyse.conftest import trained
from tests.loop.report.runs import written_run
from tests.loop.report.synthetic import Diary, spec_of


@pytest.fixture(scope="module")
def run(orderings: RunFolder) -> TrainedRun:
    return trained(orderings)


@pytest.fixture(scope="module")
def alloy_run(alloys: RunFolder) -> TrainedRun:
    return trained(alloys)


def test_an_ordering_at_a_target_is_predicted_to_meet_it_and_does(run: TrainedRun) -> None:
    labels = run.labels("bulk_modulus")
    value = float(labels.min() + 0.7 * (labels.max() - labels.min()))
    found = design_at(run, target_at(run, "bulk_modulus", value), n=4, seed=0)
    assert not found.notes
    assert len(found.judged) == 4
    known = {each.candidate for each in run.known}
    for each in found.judged:
        std = each.stds["bulk_modulus"]
        assert abs(each.means["bulk_modulus"] - value) <= 2 * std
        again = run.predict([each.material])
        assert float(again.mean[0, 0]) == pytest.approx(each.means["bulk_modulus"])
        # The rule that the labels follow, of what was really decoded.
        assert isinstance(each.material, Structure)
        truth = 150 + 50 * each.material.composition.get_atomic_fraction("Ni")
        assert abs(truth - value) <= 4 * std
        assert each.id not in known


def test_a_target_outside_everything_learnt_is_said_with_its_distance(run: TrainedRun) -> None:
    highest = float(run.labels("bulk_modulus").max())
    target = target_at(run, "bulk_modulus", highest + 30)
    assert target.outside == pytest.approx(30)
    (note, *_) = design_at(run, target, n=2, seed=0).notes
    assert "lies outside everything learnt" in note
    assert "30 GPa beyond" in note
    assert target_at(run, "bulk_modulus", highest).warning == ""


def test_between_two_orderings_both_ends_come_again(run: TrainedRun) -> None:
    ids = [run.known[row].candidate for row in (0, 1)]
    found = design_between(run, *ids, target=None, n=5, seed=0)
    assert found.shares == (0, 0.25, 0.5, 0.75, 1)
    ends = run.decode(run.model.encode(run.materials[:2]), 0)
    assert [each.material for each in (found.judged[0], found.judged[-1])] == ends


def test_an_inversion_ends_at_the_first_that_meets_the_target(run: TrainedRun) -> None:
    labels = run.labels("bulk_modulus")
    row = int(labels.argsort()[len(labels) // 4])
    target = target_at(run, "bulk_modulus", float(labels[row]) + 0.6 * float(labels.std()))
    found = design_from(run, run.known[row].candidate, target, seed=0)
    first, last = found.judged[0], found.judged[-1]
    assert first.id == run.known[row].candidate
    assert found.shares[0] == 0
    misses = [abs(each.means["bulk_modulus"] - target.wish.value) for each in (first, last)]
    assert misses[1] < misses[0]
    met = misses[1] <= target.wish.tolerance
    assert met == (not any("no material on the way" in note for note in found.notes))


def test_an_alloy_is_inverted_by_the_smallest_change(alloy_run: TrainedRun) -> None:
    name = "single_phase_probability"
    means = alloy_run.predict(alloy_run.materials).mean[:, 0]
    row = int(means.argmin())
    assert float(means[row]) < 0.5
    found = design_from(
        alloy_run, alloy_run.known[row].candidate, target_at(alloy_run, name, 1.0), seed=0
    )
    first, last = (found.judged[i].material for i in (0, -1))
    assert isinstance(first, Composition)
    assert isinstance(last, Composition)
    assert found.judged[-1].means[name] >= 0.6
    assert found.shares[-1] == pytest.approx(atoms_exchanged(first, last))
    assert 0 < found.shares[-1] == min(found.shares[1:])


def test_alloys_are_asked_for_around_one_and_written_for_alloop_add(
    alloy_run: TrainedRun, tmp_path: Path
) -> None:
    id = alloy_run.known[0].candidate
    found = design(alloy_run, target="single_phase_probability=1", around=id[:12], radius=0.3, n=6)
    assert 0 < len(found.judged) <= 6
    (path,) = write_designs(found, tmp_path / "out")
    again = materials_in([path], alloy_run.state.spec.space)
    assert len(again) == len(found.judged)
    for each, read in zip(found.judged, again, strict=True):
        assert isinstance(each.material, Composition)
        assert atoms_exchanged(each.material, composition_of(read)) < 1e-6


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({}, "not said what value"),
        ({"target": "colour=3"}, "no property 'colour'"),
        ({"target": "bulk_modulus=stiff"}, "'stiff' is no value"),
        ({"target": "bulk_modulus=nan"}, "'nan' is no value"),
        ({"invert": "ab"}, "not said what value"),
        ({"around": "ab", "invert": "cd"}, "two ways to design"),
        ({"around": "nothing"}, "no candidate"),
    ],
)
def test_what_cannot_be_designed_is_refused(
    run: TrainedRun, wish: dict[str, str], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        design(run, **wish)  # type: ignore[arg-type]


def test_a_property_cannot_be_asked_for_on_the_way_of_a_model_that_names_none(
    run: TrainedRun,
) -> None:
    id = run.known[0].candidate
    with pytest.raises(DataError, match="name no property"):
        design(run, target="bulk_modulus=170", around=id)
    assert target_of(run, " bulk_modulus = 170").wish.value == 170


def test_without_a_model_the_refusal_names_what_can_be_asked(diary: Diary, tmp_path: Path) -> None:
    folder = RunFolder.read(written_run(diary, tmp_path / "run"))
    with pytest.raises(RunError, match=r"no model has been trained.*alloop evaluate"):
        trained(folder)


@pytest.fixture
def diary(tmp_path: Path) -> Diary:
    """A campaign whose first candidates alone were measured."""
    found = Diary(spec_of(), ArtifactStore(tmp_path / "artifacts"))
    found.initial()
    return found
