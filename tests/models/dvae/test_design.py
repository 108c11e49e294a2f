"""Alloys are found by screening, decoding and inversion, within limits and judged by the head."""

import numpy as np
import pytest
from pymatgen.core import Composition

from alloop.errors import MaterialError, ModelError
from alloop.models.base import Dataset
from alloop.models.dvae.design import around, decode_at, screen
from alloop.models.dvae.inversion import Inversion, invert
from alloop.models.dvae.limits import Limits
from alloop.models.dvae.model import DvaeModel
from alloop.models.metrics.exchanged import atoms_exchanged


def test_screening_keeps_what_the_head_likes_and_the_limits_allow(
    trained: DvaeModel, dataset: Dataset
) -> None:
    limits = Limits(caps={"Cr": 0.3}, highest_price=5.0)
    found = screen(trained, dataset.materials, at_least=0.7, limits=limits)
    assert found
    values = [design.value for design in found]
    assert values == sorted(values, reverse=True)
    assert values[-1] >= 0.7
    for design in found:
        assert design.composition.get_atomic_fraction("Cr") <= 0.3
        assert design.price is not None
        assert design.price <= 5.0
        assert not design.is_far
    assert len(found) < len(screen(trained, dataset.materials, at_least=0.7))


def test_a_region_is_decoded_at_either_phase(trained: DvaeModel, dataset: Dataset) -> None:
    points = around(trained, dataset.materials[5], radius=0.2, n=20, seed=4)
    one, none = (decode_at(trained, points, value=phase) for phase in (1.0, 0.0))
    assert len(one) == len(none) == 20
    assert np.mean([d.value for d in one]) > np.mean([d.value for d in none]) + 0.4
    limited = decode_at(trained, points, value=0.0, limits=Limits(banned=("Ni",)))
    assert limited
    assert all("Ni" not in design.composition for design in limited)
    assert not decode_at(trained, points, value=0.0, limits=Limits(allowed=("Pt",)))


def test_inversion_returns_the_path_to_a_single_phase(trained: DvaeModel, dataset: Dataset) -> None:
    rich = max(dataset.materials, key=lambda m: m.get_atomic_fraction("Al"))
    path = invert(trained, rich)
    assert path.steps[0].design.composition == rich.fractional_composition
    assert path.steps[0].design.value < 0.5
    assert path.succeeded
    assert path.steps[-1].design.value >= 0.6
    assert all(step.design.value < 0.6 for step in path.steps[:-1])
    aluminium = [step.design.composition.get_atomic_fraction("Al") for step in path.steps]
    assert aluminium[-1] < aluminium[0]  # the rule of the data: little aluminium
    assert set(path.kept) <= set(trained.elements)


def test_an_inversion_changes_less_than_decoding_alone_and_succeeds_as_often(
    trained: DvaeModel, dataset: Dataset
) -> None:
    rich = sorted(dataset.materials, key=lambda m: -m.get_atomic_fraction("Al"))[:6]
    kept, published = (
        [invert(trained, alloy, keep_elements=keep) for alloy in rich] for keep in (True, False)
    )
    assert all(path.succeeded for path in published)
    assert all(path.succeeded for path in kept)
    for ours, theirs in zip(kept, published, strict=True):
        assert len(ours.steps) <= len(theirs.steps)
        assert 0 < _exchanged(ours) <= _exchanged(theirs)
    assert sum(map(_exchanged, kept)) < sum(map(_exchanged, published))
    assert not invert(trained, rich[0], most_steps=0).succeeded


def _exchanged(path: Inversion) -> float:
    return atoms_exchanged(*(path.steps[i].design.composition for i in (0, -1)))


def test_inversion_stays_within_the_limits(trained: DvaeModel, dataset: Dataset) -> None:
    rich = max(dataset.materials, key=lambda m: m.get_atomic_fraction("Al"))
    limits = Limits(caps={"Ni": 0.25})
    path = invert(trained, rich, limits=limits)
    assert all(not limits.violations(step.design.composition) for step in path.steps[1:])
    stuck = Limits(fractions={"Al": (0.6, 1.0)})
    assert not invert(trained, Composition("Al0.8Fe0.2"), limits=stuck).succeeded
    with pytest.raises(MaterialError, match="is within the limits"):
        invert(trained, rich, limits=Limits(allowed=("Pt",)))


def test_an_alloy_that_is_one_already_needs_no_step(trained: DvaeModel, dataset: Dataset) -> None:
    (best, *_) = screen(trained, dataset.materials)
    path = invert(trained, best.composition)
    assert len(path.steps) == 1
    assert path.succeeded


def test_unknown_properties_are_refused(trained: DvaeModel, dataset: Dataset) -> None:
    with pytest.raises(ModelError, match="knows no colour"):
        screen(trained, dataset.materials, property_name="colour")
