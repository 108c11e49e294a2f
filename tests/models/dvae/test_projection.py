"""The nearest allowed alloy is allowed, and is the alloy itself where that is allowed already."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from alloop.loop.choose.moves.compositions import CompositionMoves
from alloop.models.base import Dataset
from alloop.models.dvae.limits import bounds_of
from alloop.models.dvae.model import DvaeModel
from alloop.models.dvae.projection import project
from alloop.space import Compositions
from tests.models.dvae.conftest import ELEMENTS, PHASE, SMALL

PRICES = {"Fe": 0.5, "Ni": 18.0, "Cr": 9.0, "Al": 2.5}


@st.composite
def spaces(draw: st.DrawFn) -> Compositions:
    """Spaces of all sorts of limits, possible or refused."""
    fractions = draw(
        st.dictionaries(
            st.sampled_from(ELEMENTS), st.tuples(st.floats(0, 0.4), st.floats(0.4, 1)), max_size=3
        )
    )
    priced = {"prices": PRICES, "max_price": draw(st.floats(1, 20))}
    try:
        return Compositions(
            kind="compositions",
            elements=ELEMENTS,
            fractions=fractions,
            min_elements=draw(st.integers(1, 3)),
            max_elements=draw(st.one_of(st.none(), st.integers(1, 4))),
            step=draw(st.sampled_from([0.001, 0.01, 0.05])),
            **(priced if draw(st.booleans()) else {}),
        )
    except ValidationError:
        assume(False)
        raise


@given(
    space=spaces(),
    parts=st.lists(st.floats(0, 1), min_size=4, max_size=4).filter(lambda x: sum(x) > 0.1),
)
def test_what_is_found_is_what_the_search_may_move_to(
    space: Compositions, parts: list[float]
) -> None:
    moves, bounds = CompositionMoves(space), bounds_of(space, ELEMENTS)
    given_one = np.array([parts]) / sum(parts)
    found = project(given_one, bounds)
    if np.isnan(found).any():
        # Only a price can be missed: all mixtures of the elements that are kept are too dear.
        assert space.max_price is not None
        return
    codes = np.round(found * space.n_parts).astype(int)
    assert moves.in_bounds(codes).all()
    np.testing.assert_allclose(codes / space.n_parts, found, atol=1e-9)
    np.testing.assert_allclose(project(found, bounds), found, atol=1e-9)


def limited(**limits: Any) -> Compositions:
    return Compositions(kind="compositions", elements=ELEMENTS, **limits)


def test_an_alloy_moves_no_further_than_it_must() -> None:
    bounds = bounds_of(limited(fractions={"Cr": (0, 0.2)}, max_elements=3, step=0.01), ELEMENTS)
    found = project(np.array([[0.34, 0.3, 0.3, 0.06]]), bounds)
    np.testing.assert_allclose(found, [[0.43, 0.37, 0.2, 0.0]], atol=0.011)
    pair = bounds_of(limited(min_elements=2, step=0.05), ELEMENTS)
    np.testing.assert_allclose(project(np.array([[1.0, 0, 0, 0]]), pair).max(), 0.95)


@pytest.fixture(scope="module")
def free_and_limited(dataset: Dataset) -> tuple[DvaeModel, DvaeModel]:
    """The same training, with and without limits."""
    space = limited(
        fractions={"Al": (0, 0.1)},
        max_elements=3,
        min_elements=2,
        step=0.02,
        prices=PRICES,
        max_price=8.0,
    )
    models = []
    for each in (None, space):
        model = DvaeModel(SMALL, ELEMENTS, (PHASE,), space=each)
        model.fit(dataset, seed=1)
        models.append(model)
    return models[0], models[1]


def test_everything_decoded_keeps_the_limits_of_the_space(
    free_and_limited: tuple[DvaeModel, DvaeModel], tmp_path: Path
) -> None:
    free, model = free_and_limited
    assert model.space is not None
    draws = torch.Generator().manual_seed(0)
    z = torch.randn(200, SMALL.latents + 1, generator=draws)
    z[:, -1] = (z[:, -1] > 0).float()
    moves = CompositionMoves(model.space)
    inside = moves.in_bounds(moves.encode(model.decode(z, seed=0)))
    outside = moves.in_bounds(moves.encode(free.decode(z, seed=0)))
    assert inside.all()
    assert outside.mean() < 0.2  # so that there was something to keep
    # What is predicted is of what is decoded, and a stored model keeps the limits too.
    means = model.predict(z).mean
    assert torch.allclose(means, model.assess(model.decode(z, seed=0)).prediction.mean, atol=1e-5)
    model.save(tmp_path / "limited")
    assert DvaeModel.load(tmp_path / "limited").decode(z, seed=0) == model.decode(z, seed=0)


def test_alloys_without_a_label_are_learnt_from(
    dataset: Dataset, make_model: Callable[..., DvaeModel]
) -> None:
    labels = dataset.labels.copy()
    labels[20:] = np.nan
    model, fewer = make_model(), make_model()
    summary = model.fit(replace(dataset, labels=labels), seed=1)
    assert (summary.n_labelled, summary.n_unlabelled) == (20, 40 + SMALL.random_alloys)
    fewer.fit(replace(dataset, labels=labels).take(range(20)), seed=1)
    # They are known from then on, and change the decoder, though no head sees them.
    assert float(model.assess(dataset.materials[20:]).distance.max()) == pytest.approx(0, abs=1e-6)
    assert float(fewer.assess(dataset.materials[20:]).distance.max()) > 0.01
