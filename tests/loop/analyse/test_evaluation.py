"""The figures of an evaluation are those of independent codes and of the labels' rule."""

import numpy as np
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure

import alloop
from alloop.errors import DataError
from alloop.loop.analyse.evaluation import evaluate, generate
from alloop.loop.analyse.latent import colouring_of, map_latent_space
from alloop.loop.run_folder import RunFolder
from tests.loop.analyse.conftest import trained

N = 10


def test_novelty_and_uniqueness_are_those_of_pymatgens_matcher(orderings: RunFolder) -> None:
    run = trained(orderings)
    found = {
        f"{row['subject']}: {row['figure']}": row
        for row in evaluate(run.state, run.store, n=N, seed=3).rows()
    }
    made = generate(run, N, 3)
    matcher = StructureMatcher(primitive_cell=False, scale=True)

    def same(one: object, other: object) -> bool:
        assert isinstance(one, Structure)
        assert isinstance(other, Structure)
        return bool(matcher.fit(one, other))

    new = [not any(same(each, known) for known in run.materials) for each in made]
    unique = [not any(same(each, made[j]) for j in range(i)) for i, each in enumerate(made)]
    assert found["novelty: like none that is known"]["value"] == pytest.approx(np.mean(new))
    assert found["uniqueness: like none before"]["value"] == pytest.approx(np.mean(unique))
    # The lattice model decodes within the space, exactly.
    assert found["validity: inside the campaign's space"]["value"] == 1


def test_calibration_is_counted_from_the_decisions(orderings: RunFolder) -> None:
    found = evaluate(orderings.state, orderings.store, n=4, seed=0)
    errors = [
        posterior["bulk_modulus"]["mean"] - trial.measured.properties["bulk_modulus"]
        for trial, posterior in orderings.state.foreseen
        if trial.measured is not None
    ]
    (rmse,) = [figure for figure in found.figures if figure.name == "bulk_modulus: RMSE"]
    assert errors
    assert rmse.value == pytest.approx(float(np.sqrt(np.mean(np.square(errors)))))
    assert (rmse.n, rmse.unit) == (len(errors), "GPa")


def test_from_python_each_analysis_is_a_table(alloys: RunFolder) -> None:
    campaign = alloop.Campaign.open(alloys.path)
    latent = campaign.latent()
    assert len(latent) == len(alloys.state.answers())
    plane = latent[["first_component", "second_component"]].to_numpy()
    np.testing.assert_allclose(plane.mean(axis=0), 0, atol=1e-6)
    assert plane[:, 0].std() >= plane[:, 1].std()
    designs = campaign.design({"single_phase_probability": 1.0}, n=3)
    assert len(designs) == 3
    assert {"single_phase_probability_std", "is_far", "refusal", "material"} <= {*designs}
    id = latent["candidate"][0]
    importance = campaign.importance(of=[id])
    assert importance["mean_abs_shap"].is_monotonic_decreasing
    run = trained(alloys)
    row = [each.candidate for each in run.known].index(id)
    predicted = float(run.predict([run.materials[row]]).mean[0, 0])
    total = importance.attrs["base"] + importance[f"shap_{id}"].sum()
    assert total == pytest.approx(predicted, abs=1e-5)
    figures = campaign.evaluate(4)
    assert {"reconstruction", "uniqueness", "novelty", "diversity", "coverage"} <= {
        *figures["subject"]
    }


def test_a_map_is_coloured_by_what_the_run_has(orderings: RunFolder) -> None:
    state = orderings.state
    assert colouring_of(state, "") == "bulk_modulus"
    with pytest.raises(DataError, match=r"cannot be coloured by 'price'.*phase, round"):
        colouring_of(state, "price")
    found = map_latent_space(state, orderings.store)
    phases = {found.category(state, "phase", row) for row in range(len(found.trials))}
    assert phases == {"fcc", "bcc"}
