"""Triangles and polygons place compositions where they belong; the latent map and the budget say
what the model and the ledger say."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from alloop.loop.analyse.latent import principal_plane
from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.report.figures.budget import budget_figure
from alloop.loop.report.figures.latent_map import latent_map
from alloop.loop.report.figures.polygon import polygon_figure
from alloop.loop.report.figures.progress_metric import ProgressMetric
from alloop.loop.report.figures.trajectory import OtherRun, beside_table, best_so_far, trajectory
from alloop.loop.report.figures.triangle import HEIGHT, Triangle
from alloop.loop.state.trials import measured_trials
from tests.loop.report.synthetic import Diary, campaign, spec_of

ELEMENTS = ("Ni", "Fe", "Cr")
WHOLE = Triangle(ELEMENTS)


def place(triangle: Triangle, **percent: float) -> tuple[float, float]:
    found = triangle.places([percent])
    return found["x"][0], found["y"][0]


def test_the_corners_of_a_triangle_are_its_elements() -> None:
    assert place(WHOLE, Ni=100) == pytest.approx((0.5, HEIGHT))
    assert place(WHOLE, Fe=100) == pytest.approx((0, 0))
    assert place(WHOLE, Cr=100) == pytest.approx((1, 0))
    assert place(WHOLE, Ni=100 / 3, Fe=100 / 3, Cr=100 / 3) == pytest.approx((0.5, HEIGHT / 3))


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_distance_from_an_edge_is_the_share_of_the_element_opposite(u: float, v: float) -> None:
    # Viviani's theorem: the three distances add up to the height.
    ni, fe = (100 * u, 100 * (1 - u) * v)
    cr = 100 - ni - fe
    x, y = place(WHOLE, Ni=ni, Fe=fe, Cr=cr)
    to_right_edge = (math.sqrt(3) * (1 - x) - y) / 2
    to_left_edge = (math.sqrt(3) * x - y) / 2
    assert y / HEIGHT == pytest.approx(ni / 100, abs=1e-9)
    assert to_right_edge / HEIGHT == pytest.approx(fe / 100, abs=1e-9)
    assert to_left_edge / HEIGHT == pytest.approx(cr / 100, abs=1e-9)


def test_bounds_below_make_the_triangle_a_part_of_the_whole() -> None:
    part = Triangle(ELEMENTS, (10, 10, 10))
    assert place(part, Ni=80, Fe=10, Cr=10) == pytest.approx((0.5, HEIGHT))
    assert place(part, Ni=10, Fe=80, Cr=10) == pytest.approx((0, 0))


def test_the_numbers_of_a_triangle_stand_at_their_grid_lines() -> None:
    layout = Triangle(ELEMENTS, (10, 10, 10)).figure(height=500).to_plotly_json()["layout"]
    texts = [note["text"] for note in layout["annotations"]]
    assert texts[-3:] == ["<b>Ni</b>", "<b>Fe</b>", "<b>Cr</b>"]
    assert texts[:-3] == ["20", "30", "40", "50", "60", "70"] * 3
    # Ni's 50 % lies outside the right edge, level with the line of 50 % Ni.
    note = layout["annotations"][3]
    _, y = place(Triangle(ELEMENTS, (10, 10, 10)), Ni=50, Fe=10, Cr=40)
    assert note["y"] == pytest.approx(y + 0.0175, abs=1e-3)


def test_a_polygon_places_a_composition_at_the_mean_of_its_corners(tmp_path: Path) -> None:
    elements = ["Ni", "Fe", "Cr", "Co"]
    space = {"elements": elements, "atoms": 16, "lattices": ["fcc"]}
    diary = Diary(spec_of(space=space, augmentation=None), ArtifactStore(tmp_path))
    diary.initial()
    figure = polygon_figure(diary.state, diary.store)
    assert figure is not None
    corners = {"Ni": (0, 1), "Fe": (1, 0), "Cr": (0, -1), "Co": (-1, 0)}
    drawn = {
        id: (x, y)
        for trace in figure.spec["data"][1:]
        for id, x, y in zip(trace["customdata"], trace["x"], trace["y"], strict=True)
    }
    answers = diary.state.answers()
    assert set(drawn) == {m.candidate for m in answers}
    for m in answers:
        fractions = diary.store.get_material(m.candidate).composition.fractional_composition
        wanted = sum(np.array(corners[el.symbol]) * amount for el, amount in fractions.items())
        assert drawn[m.candidate] == pytest.approx(tuple(wanted), abs=1e-9)


def test_three_elements_have_no_polygon(closed: Diary) -> None:
    assert polygon_figure(closed.state, closed.store) is None


def test_the_plane_of_the_latent_map_is_that_of_the_principal_components() -> None:
    latents = np.random.default_rng(3).normal(size=(60, 7)) @ np.diag([5, 3, 1, 1, 0.5, 0.2, 0.1])
    places, shares = principal_plane(latents)
    theirs = PCA(2).fit(latents)
    np.testing.assert_allclose(np.abs(places), np.abs(theirs.transform(latents)), atol=1e-9)
    assert shares == pytest.approx(tuple(theirs.explained_variance_ratio_))


def test_a_latent_space_of_one_dimension_is_a_line() -> None:
    places, shares = principal_plane(np.array([[1.0], [2.0], [4.0]]))
    assert places[:, 1].tolist() == [0, 0, 0]
    assert shares == pytest.approx((1, 0))


class _Store:
    """The diary's store, and a model in place of the checkpoint that was never written."""

    def __init__(self, diary: Diary) -> None:
        self.get_material = diary.store.get_material

    def read(self, id: str, load: Any) -> Any:
        def encode(materials: list[Any]) -> Any:
            fractions = [m.composition.fractional_composition for m in materials]
            return np.array([[f["Cr"], f["Ni"], f["Fe"]] for f in fractions])

        return SimpleNamespace(encode=encode)


def test_the_latent_map_has_every_measured_candidate_and_rings_the_best(closed: Diary) -> None:
    figure, problem = latent_map(closed.state, _Store(closed))  # type: ignore[arg-type]
    assert problem == ""
    assert figure is not None
    *drawn, ring = [trace for trace in figure.spec["data"] if "customdata" in trace]
    ids = [id for trace in drawn for id in trace["customdata"]]
    assert sorted(ids) == sorted(m.candidate for m in closed.state.answers())
    best = closed.state.best()
    assert best is not None
    assert list(ring["customdata"]) == [best.candidate]


def test_without_its_checkpoint_a_latent_map_says_so(closed: Diary) -> None:
    figure, problem = latent_map(closed.state, closed.store)
    assert figure is None
    assert problem.startswith("the map cannot be drawn with checkpoint ")
    assert closed.state.models[3].checkpoint in problem
    assert str(closed.store.folder) not in problem


def test_the_budget_adds_up(closed: Diary) -> None:
    figure = budget_figure(closed.state)
    assert figure is not None
    bars = [(bar["name"], bar["x"][0], bar["hovertemplate"]) for bar in figure.spec["data"]]
    counts = {name: x for name, x, _ in bars[: len(bars) - 2]}
    assert sum(counts.values()) == 200
    failed = [m for m in closed.state.measured.values() if m.status == "failed"]
    assert counts["failed"] == len(failed)
    assert counts["with values"] == len(closed.state.answers())
    total = sum(m.wall_seconds for m in closed.state.measured.values())
    assert sum(x for _, x, _ in bars[-2:]) == pytest.approx(total)


def test_the_best_so_far_of_another_run_is_drawn_beside(closed: Diary, tmp_path: Path) -> None:
    other = campaign(spec_of(seed=9), ArtifactStore(tmp_path), rounds=1)
    beside = [OtherRun("other", other.state)]
    figure = trajectory(closed.state, beside)
    assert figure is not None
    (line,) = [trace for trace in figure.spec["data"] if trace["name"] == "other"]
    metric = ProgressMetric(closed.state.utility)
    steps = best_so_far(measured_trials(other.state), metric)
    assert list(zip(line["x"], line["y"], strict=True)) == steps
    table = beside_table(closed.state, beside)
    assert table is not None
    common = len(measured_trials(other.state))
    assert table.heads[4] == f"best after {common}"
    own, others = table.rows
    assert others[0] == "other"
    assert others[4] == others[5] == f"{steps[-1][1]:.5g}"
    early = best_so_far(measured_trials(closed.state)[:common], metric)
    assert own[4] == f"{early[-1][1]:.5g}"
    assert beside_table(closed.state, []) is None
